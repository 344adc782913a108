#include "tensor/elements.hpp"

#include <memory>
#include <utility>

namespace moa {
namespace {

class SameElements final : public ParameterSource {
 public:
  explicit SameElements(Parameter values) : values_(std::move(values)) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    read_elements(values_, first, count, out);
  }

 private:
  Parameter values_;
};

}  // namespace

void read_elements(const Parameter& parameter, std::int64_t first, std::int64_t count, float* out) {
  const std::int64_t width = parameter.shape().elements_per_row();
  if (width == 0) return;
  parameter.read_rows(first / width, count / width, out);
}

Parameter to_be_stored_in(DType type, const Parameter& values) {
  auto source = std::make_shared<SameElements>(values);
  return {values.name(), values.shape(), type, std::move(source)};
}

}  // namespace moa
