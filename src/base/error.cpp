#include <moa/error.hpp>

#include <array>
#include <cstddef>

namespace moa {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
  int exit_code;
};

constexpr std::array kTable = {
    Row{ErrorCode::invalid_argument, "invalid_argument", 2},
    Row{ErrorCode::not_found, "not_found", 4},
    Row{ErrorCode::corrupt_data, "corrupt_data", 5},
    Row{ErrorCode::unsupported, "unsupported", 6},
    Row{ErrorCode::shape_mismatch, "shape_mismatch", 5},
    Row{ErrorCode::out_of_range, "out_of_range", 5},
    Row{ErrorCode::limit_exceeded, "limit_exceeded", 7},
    Row{ErrorCode::overloaded, "overloaded", 7},
    Row{ErrorCode::cancelled, "cancelled", 130},
    Row{ErrorCode::io_error, "io_error", 7},
    Row{ErrorCode::model_mismatch, "model_mismatch", 5},
    Row{ErrorCode::internal, "internal", 1},
};

constexpr const Row& row(ErrorCode code) {
  return kTable[static_cast<std::size_t>(code)];  // the table is in the order of the enumeration
}

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].code) != i) return false;
  }
  return true;
}
static_assert(table_is_in_order());

}  // namespace

std::string_view name(ErrorCode code) noexcept {
  return row(code).name;
}
int exit_code(ErrorCode code) noexcept {
  return row(code).exit_code;
}

}  // namespace moa
