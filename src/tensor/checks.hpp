// What every interpreter checks of what it is given.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/interpreter.hpp"
#include "tensor/parameter.hpp"
#include "tensor/sequences.hpp"

namespace moa {

// Error: shape_mismatch unless `table` is [entries, width]; a width of 0 stands for any.
void expect_table(const Parameter& table, std::int64_t width = 0);

// One item a picture, one row a patch. Error: invalid_argument if a grid is empty.
Sequences sequences_of(std::span<const PatchGrid> grids);

}  // namespace moa
