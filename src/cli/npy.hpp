// NumPy's file format, version 1.0, for one matrix of float32.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace moa::cli {

// What stands before the rows of a C-ordered [rows, columns] matrix.
std::string npy_header(std::int64_t rows, std::int64_t columns);
// A row as bytes, little end first.
std::string npy_row(std::span<const float> row);

}  // namespace moa::cli
