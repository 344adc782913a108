#include "train/component/losses.hpp"

namespace moa::train {

at::Tensor hinge(const at::Tensor& cosines, const at::Tensor& together, double margin, Negatives negatives) {
  const at::Tensor own = at::eye(cosines.size(0), cosines.options().dtype(at::kBool));
  const at::Tensor excluded = together.defined() ? together : own;
  const at::Tensor partner = cosines.diagonal();
  const auto costs = [&](const at::Tensor& of_partner) {
    return at::relu(margin + cosines - of_partner).masked_fill(excluded, 0);
  };
  const at::Tensor of_rows = costs(partner.unsqueeze(1));
  const at::Tensor of_columns = costs(partner.unsqueeze(0));
  if (negatives == Negatives::all) return of_rows.sum() + of_columns.sum();
  return std::get<0>(of_rows.max(1)).sum() + std::get<0>(of_columns.max(0)).sum();
}

}  // namespace moa::train
