#include "tensor/elements.hpp"

namespace moa {

void read_elements(const Parameter& parameter, std::int64_t first, std::int64_t count, float* out) {
  const std::int64_t width = parameter.shape().elements_per_row();
  if (width == 0) return;
  parameter.read_rows(first / width, count / width, out);
}

}  // namespace moa
