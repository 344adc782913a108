// Matrices that a checkpoint stores as products of smaller tensors (moa compress). A matrix NAME [out, in] is
//   of low rank     NAME.left [out, rank] NAME.right [rank, in], or
//   a tensor train  NAME.core1 [1, out1, in1, a], NAME.core2 [a, out2, in2, b], NAME.core3 [b, out3, in3, 1]:
//                   the element at row (o1, o2, o3) and column (i1, i2, i3), the first of each the slowest,
//                   is core1[o1, i1] core2[o2, i2] core3[o3, i3], a product of matrices. Oseledets 2011 (SIAM
//                   J. Sci. Comput. 33); of matrices: Novikov et al. 2015 (arXiv 1509.06569).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/parameter.hpp"

namespace moa {

inline constexpr std::array<std::string_view, 2> kLowRankSuffixes = {".left", ".right"};
inline constexpr std::array<std::string_view, 3> kTensorTrainSuffixes = {".core1", ".core2", ".core3"};

// The matrix as one parameter, whose parts() these are. It is multiplied out as it is read, row by row, in
// f32; a row's bits do not depend on how many are read at once. Errors: corrupt_data, naming the shapes
// found, if they do not fit together; limit_exceeded for a matrix of more than 2^30 elements.
Parameter low_rank_matrix(std::string name, Parameter left, Parameter right);
Parameter tensor_train_matrix(std::string name, Parameter core1, Parameter core2, Parameter core3);

// The tensors whose product `parameter` is; empty for every other one, a stack and a view among them.
std::vector<Parameter> factors_of(const Parameter& parameter);
// What was stacked, a product as one; just this parameter if nothing was.
std::vector<Parameter> whole_parts(const Parameter& parameter);
// As files have them: in the place of each product its factors.
std::vector<Parameter> stored_tensors(const std::vector<Parameter>& parameters);
// Parameter::renamed, for a product's factors too: what they are called behind its name stays.
Parameter renamed_with_factors(const Parameter& parameter, const std::string& name);

// Where a product's elements come from. Parameter takes its parts() from here.
class ProductSource : public ParameterSource {
 public:
  // `width` is that of the product's rows.
  ProductSource(std::vector<Parameter> factors, std::int64_t width)
      : factors_(std::move(factors)), width_(width) {}

  const std::vector<Parameter>& factors() const noexcept { return factors_; }
  void read(std::int64_t first, std::int64_t count, float* out) const final;
  void drop_pages() const final;

 protected:
  virtual void rows(std::int64_t first, std::int64_t count, float* out) const = 0;

  std::vector<Parameter> factors_;
  std::int64_t width_;
};

}  // namespace moa
