// Tables whose first column is the step of a training.
#pragma once

#include <cstdint>
#include <string>

#include "train/table.hpp"

namespace moa::train {

// The header and the lines of the steps up to `step`, of a table of plain fields. Error: corrupt_data if a
// step is no number.
std::string lines_up_to(const Table& table, std::int64_t step);

}  // namespace moa::train
