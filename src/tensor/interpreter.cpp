#include "tensor/interpreter.hpp"

#include <string>

#include <moa/error.hpp>

namespace moa {

std::optional<std::int64_t> Interpreter::prompt_row(std::int32_t id, const Parameter& table) const {
  if (!prompt_vectors_ || id >= 0) return std::nullopt;
  const std::int64_t row = -1 - static_cast<std::int64_t>(id);
  const Shape& shape = prompt_vectors_.shape();
  if (row >= shape[0]) return std::nullopt;
  if (shape[1] != table.shape()[1]) {
    throw Error(ErrorCode::shape_mismatch, "cannot put prompt vectors " + to_string(shape) +
                                               " among rows of '" + table.name() + "' " +
                                               to_string(table.shape()));
  }
  return row;
}

}  // namespace moa
