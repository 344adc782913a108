#include "tensor/factored.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <moa/error.hpp>

namespace moa {
namespace {

// Few numbers can say that they stand for very many.
constexpr std::int64_t kMostElements = std::int64_t{1} << 30;

// y += factor x
void add_scaled(float factor, const float* x, std::int64_t count, float* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += factor * x[i];
}

// All of a factor, where it is stored if it is stored so.
class Values {
 public:
  explicit Values(const Parameter& factor) : data_(factor.rows_in_place(0, factor.shape()[0])) {
    if (data_ != nullptr) return;
    read_ = factor.read();
    data_ = read_.data();
  }
  const float* at(std::int64_t element) const { return data_ + element; }

 private:
  std::vector<float> read_;
  const float* data_;
};

class LowRankSource final : public ProductSource {
 public:
  using ProductSource::ProductSource;

 private:
  void rows(std::int64_t first, std::int64_t count, float* out) const override {
    const std::int64_t rank = factors_[1].shape()[0];
    const Values right(factors_[1]);
    std::vector<float> left(static_cast<std::size_t>(count * rank));
    factors_[0].read_rows(first, count, left.data());
    std::fill_n(out, count * width_, 0.0F);
    for (std::int64_t row = 0; row < count; ++row) {
      for (std::int64_t k = 0; k < rank; ++k) {
        add_scaled(left[static_cast<std::size_t>(row * rank + k)], right.at(k * width_), width_,
                   out + row * width_);
      }
    }
  }
};

class TensorTrainSource final : public ProductSource {
 public:
  using ProductSource::ProductSource;

 private:
  void rows(std::int64_t first, std::int64_t count, float* out) const override {
    const Shape& shape1 = factors_[0].shape();
    const Shape& shape2 = factors_[1].shape();
    const Shape& shape3 = factors_[2].shape();
    const std::int64_t in1 = shape1[2];
    const std::int64_t a = shape2[0];
    const std::int64_t out2 = shape2[1];
    const std::int64_t in2 = shape2[2];
    const std::int64_t b = shape3[0];
    const std::int64_t out3 = shape3[1];
    const std::int64_t in3 = shape3[2];
    const Values core1(factors_[0]);
    const Values core2(factors_[1]);
    const Values core3(factors_[2]);
    // core1[o1, i1] core2[o2, i2], [in1 in2, b]: the same for all rows of one (o1, o2).
    std::vector<float> two(static_cast<std::size_t>(in1 * in2 * b));
    std::int64_t two_of = -1;
    for (std::int64_t row = first; row < first + count; ++row) {
      const std::int64_t o3 = row % out3;
      if (row / out3 != two_of) {
        two_of = row / out3;
        const std::int64_t o1 = two_of / out2;
        const std::int64_t o2 = two_of % out2;
        std::fill(two.begin(), two.end(), 0.0F);
        for (std::int64_t i1 = 0; i1 < in1; ++i1) {
          for (std::int64_t k = 0; k < a; ++k) {
            add_scaled(*core1.at((o1 * in1 + i1) * a + k), core2.at((k * out2 + o2) * in2 * b), in2 * b,
                       two.data() + i1 * in2 * b);
          }
        }
      }
      float* to = out + (row - first) * width_;
      std::fill_n(to, width_, 0.0F);
      for (std::int64_t i12 = 0; i12 < in1 * in2; ++i12) {
        for (std::int64_t k = 0; k < b; ++k) {
          add_scaled(two[static_cast<std::size_t>(i12 * b + k)], core3.at((k * out3 + o3) * in3), in3,
                     to + i12 * in3);
        }
      }
    }
  }
};

[[noreturn]] void refuse(const std::string& name, const std::vector<Parameter>& factors,
                         const std::string& expected) {
  std::string found;
  for (const Parameter& factor : factors) found += (found.empty() ? "" : " by ") + to_string(factor.shape());
  throw Error(ErrorCode::corrupt_data,
              "cannot load '" + name + "': found factors " + found + ", expected " + expected);
}

void expect(bool fits, const std::string& name, const std::vector<Parameter>& factors,
            const std::string& expected) {
  if (!fits) refuse(name, factors, expected);
}

// The product of `extents`, which are those of tensors that are there.
std::int64_t side(const std::string& name, std::array<std::int64_t, 4> extents) {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) {
    if (product > kMostElements / extent) {
      throw Error(ErrorCode::limit_exceeded, "cannot load '" + name + "': found factors of more than " +
                                                 std::to_string(kMostElements) + " elements multiplied out");
    }
    product *= extent;
  }
  return product;
}

bool has_elements(const Parameter& factor) {
  return factor.shape().elements() > 0;
}

template <typename Source>
Parameter product(std::string name, const Shape& shape, std::vector<Parameter> factors) {
  const DType dtype = factors.front().dtype();
  return {std::move(name), shape, dtype, std::make_shared<Source>(std::move(factors), shape[1])};
}

}  // namespace

void ProductSource::read(std::int64_t first, std::int64_t count, float* out) const {
  if (count == 0) return;
  if (first % width_ == 0 && count % width_ == 0) return rows(first / width_, count / width_, out);
  const std::int64_t begin = first / width_;
  const std::int64_t end = (first + count + width_ - 1) / width_;
  std::vector<float> whole(static_cast<std::size_t>((end - begin) * width_));
  rows(begin, end - begin, whole.data());
  std::copy_n(whole.data() + (first - begin * width_), count, out);
}

void ProductSource::drop_pages() const {
  for (const Parameter& factor : factors_) factor.drop_pages();
}

std::vector<Parameter> factors_of(const Parameter& parameter) {
  if (!parameter.has_parts() || parameter.shape().rank() != 2) return {};
  std::vector<Parameter> parts = parameter.parts();
  std::int64_t rows = 0;  // a stack has as many as its parts
  for (const Parameter& part : parts) rows += part.shape()[0];
  const bool is_stack = parts.front().shape().rank() == 2 && rows == parameter.shape()[0];
  return is_stack ? std::vector<Parameter>{} : parts;
}

std::vector<Parameter> whole_parts(const Parameter& parameter) {
  return factors_of(parameter).empty() ? parameter.parts() : std::vector<Parameter>{parameter};
}

std::vector<Parameter> stored_tensors(const std::vector<Parameter>& parameters) {
  std::vector<Parameter> all;
  for (const Parameter& parameter : parameters) {
    const std::vector<Parameter> factors = factors_of(parameter);
    if (factors.empty()) all.push_back(parameter);
    all.insert(all.end(), factors.begin(), factors.end());
  }
  return all;
}

Parameter renamed_with_factors(const Parameter& parameter, const std::string& name) {
  std::vector<Parameter> factors = factors_of(parameter);
  for (Parameter& factor : factors) {
    factor = factor.renamed(name + factor.name().substr(parameter.name().size()));
  }
  if (factors.empty()) return parameter.renamed(name);
  if (factors.size() == kLowRankSuffixes.size()) return low_rank_matrix(name, factors[0], factors[1]);
  return tensor_train_matrix(name, factors[0], factors[1], factors[2]);
}

Parameter low_rank_matrix(std::string name, Parameter left, Parameter right) {
  std::vector<Parameter> factors{std::move(left), std::move(right)};
  const Shape& l = factors[0].shape();
  const Shape& r = factors[1].shape();
  expect(
      l.rank() == 2 && r.rank() == 2 && has_elements(factors[0]) && has_elements(factors[1]) && l[1] == r[0],
      name, factors, "[out, rank] by [rank, in]");
  side(name, {l[0], r[1], 1, 1});
  return product<LowRankSource>(std::move(name), Shape{l[0], r[1]}, std::move(factors));
}

Parameter tensor_train_matrix(std::string name, Parameter core1, Parameter core2, Parameter core3) {
  std::vector<Parameter> factors{std::move(core1), std::move(core2), std::move(core3)};
  const auto is_core = [](const Parameter& core) { return core.shape().rank() == 4 && has_elements(core); };
  const std::string form = "[1, out1, in1, a] by [a, out2, in2, b] by [b, out3, in3, 1]";
  expect(std::all_of(factors.begin(), factors.end(), is_core), name, factors, form);
  const Shape& one = factors[0].shape();
  const Shape& two = factors[1].shape();
  const Shape& three = factors[2].shape();
  expect(one[0] == 1 && one[3] == two[0] && two[3] == three[0] && three[3] == 1, name, factors, form);
  const std::int64_t out = side(name, {one[1], two[1], three[1], 1});
  const std::int64_t in = side(name, {one[2], two[2], three[2], 1});
  side(name, {out, in, 1, 1});
  return product<TensorTrainSource>(std::move(name), Shape{out, in}, std::move(factors));
}

}  // namespace moa
