#include <limits>

#include "train/component/losses.hpp"

namespace moa::train {

at::Tensor sup_con(const at::Tensor& vectors, const at::Tensor& labels, double temperature) {
  const at::Tensor own = at::eye(vectors.size(0), vectors.options().dtype(at::kBool));
  const at::Tensor scores = at::matmul(vectors, vectors.t()) / temperature;
  const at::Tensor all =
      at::logsumexp(scores.masked_fill(own, -std::numeric_limits<double>::infinity()), {1}, true);
  const at::Tensor positive =
      at::logical_and(labels.unsqueeze(0) == labels.unsqueeze(1), at::logical_not(own))
          .to(vectors.scalar_type());
  const at::Tensor hits = ((scores - all) * positive).sum(1) / positive.sum(1).clamp_min(1);
  return -hits.mean();
}

}  // namespace moa::train
