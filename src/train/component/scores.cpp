#include "train/component/scores.hpp"

namespace moa::train {

Scores Scores::turned() const {
  const auto other_way = [&](const at::Tensor& x) {
    return x.defined() ? x.narrow(1, 0, values.size(0)).t() : x;
  };
  return {other_way(values), other_way(together), other_way(left_out)};
}

at::Tensor Scores::wrong() const {
  const at::Tensor right = together.defined()
                               ? together
                               : at::eye(values.size(0), values.size(1), values.options().dtype(at::kBool));
  return filled(at::logical_not(right), 0);
}

at::Tensor Scores::filled(const at::Tensor& x, double value) const {
  return left_out.defined() ? x.masked_fill(left_out, value) : x;
}

}  // namespace moa::train
