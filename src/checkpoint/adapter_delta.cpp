#include "checkpoint/adapter_delta.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <moa/error.hpp>

namespace moa {
namespace {

// Row-major.
struct Matrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;

  Matrix seen_as(std::int64_t new_rows) && {
    return {new_rows, rows * columns / new_rows, std::move(values)};
  }
  const float* row(std::int64_t index) const { return values.data() + index * columns; }
};

// The rows [first, first + count) of `b`, weighted by `weights`, are added to `out`, which has its columns.
void add_weighted_rows(const float* weights, const Matrix& b, std::int64_t begin, std::int64_t width,
                       float* out) {
  for (std::int64_t k = 0; k < b.rows; ++k) {
    const float factor = weights[k];
    const float* from = b.row(k) + begin;
    for (std::int64_t column = 0; column < width; ++column) out[column] += factor * from[column];
  }
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out{a.rows, b.columns, std::vector<float>(static_cast<std::size_t>(a.rows * b.columns))};
  for (std::int64_t row = 0; row < a.rows; ++row) {
    add_weighted_rows(a.row(row), b, 0, b.columns, out.values.data() + row * b.columns);
  }
  return out;
}

Matrix transposed(const Matrix& x) {
  Matrix out{x.columns, x.rows, std::vector<float>(x.values.size())};
  for (std::int64_t row = 0; row < x.rows; ++row) {
    for (std::int64_t column = 0; column < x.columns; ++column) {
      out.values[static_cast<std::size_t>(column * x.rows + row)] = x.row(row)[column];
    }
  }
  return out;
}

Matrix scaled(Matrix x, double scale) {
  for (float& value : x.values) value = static_cast<float>(value * scale);
  return x;
}

// left [out, thin] right [thin, in].
class ThinDelta final : public AdapterDelta {
 public:
  ThinDelta(Matrix left, Matrix right) : left_(std::move(left)), right_(std::move(right)) {}
  void add_rows(std::int64_t first, std::int64_t count, float* rows) const override {
    std::vector<float> sum(static_cast<std::size_t>(right_.columns));
    for (std::int64_t row = 0; row < count; ++row) {
      std::ranges::fill(sum, 0.0F);
      add_weighted_rows(left_.row(first + row), right_, 0, right_.columns, sum.data());
      float* to = rows + row * right_.columns;
      for (std::size_t i = 0; i < sum.size(); ++i) to[i] += sum[i];
    }
  }

 private:
  Matrix left_;
  Matrix right_;
};

// A train of [out_k, in_k]: its first two cores as one, [o1 i1 o2 i2, rank], and the third, [rank, o3 i3].
class MatrixTrainDelta final : public AdapterDelta {
 public:
  using Modes = std::array<std::int64_t, 3>;
  MatrixTrainDelta(Modes out, Modes in, Matrix two, Matrix third)
      : out_(out), in_(in), two_(std::move(two)), third_(std::move(third)) {}
  void add_rows(std::int64_t first, std::int64_t count, float* rows) const override {
    std::vector<float> sum(static_cast<std::size_t>(in_[2]));
    for (std::int64_t row = first; row < first + count; ++row) {
      const std::int64_t o3 = row % out_[2];
      const std::int64_t o2 = row / out_[2] % out_[1];
      const std::int64_t o1 = row / out_[2] / out_[1];
      for (std::int64_t i1 = 0; i1 < in_[0]; ++i1) {
        for (std::int64_t i2 = 0; i2 < in_[1]; ++i2) {
          std::ranges::fill(sum, 0.0F);
          const float* weights = two_.row(((o1 * in_[0] + i1) * out_[1] + o2) * in_[1] + i2);
          add_weighted_rows(weights, third_, o3 * in_[2], in_[2], sum.data());
          for (const float value : sum) *rows++ += value;
        }
      }
    }
  }

 private:
  Modes out_;
  Modes in_;
  Matrix two_;
  Matrix third_;
};

// Takes an adapter's tensors, each in the shape that its place asks for.
class Cores {
 public:
  Cores(const Adapter& adapter, std::set<std::string>& used) : adapter_(adapter), used_(used) {}

  // As a matrix of `rows` rows.
  Matrix take(const std::string& name, const Shape& shape, std::int64_t rows) const {
    const auto found = adapter_.tensors.find(name);
    if (found == adapter_.tensors.end())
      throw Error(ErrorCode::corrupt_data, "the adapter '" + adapter_.place + "' has no '" + name + "'");
    const Parameter& core = found->second;
    if (!(core.shape() == shape)) {
      throw Error(ErrorCode::shape_mismatch, "cannot use '" + name + "' of the adapter '" + adapter_.place +
                                                 "': found " + to_string(core.shape()) + ", expected " +
                                                 to_string(shape));
    }
    used_.insert(name);
    return {rows, shape.elements() / rows, core.read()};
  }

  // [width, rank] of a train whose first core is [1, n1, bond].
  Matrix take_tall_train(const std::string& stem, std::int64_t width) const {
    const std::int64_t rank = adapter_.rank;
    const auto [n1, n2, n3] = tensor_train_modes(width);
    const std::int64_t bond = std::min(rank, n1);
    const Matrix first = take(stem + "1", {1, n1, bond}, n1);
    const Matrix second = take(stem + "2", {bond, n2, rank}, bond);
    const Matrix third = take(stem + "3", {rank, n3, rank}, rank);
    return product(product(first, second).seen_as(n1 * n2), third).seen_as(width);
  }

 private:
  const Adapter& adapter_;
  std::set<std::string>& used_;
};

std::shared_ptr<const AdapterDelta> matrix_train(const Cores& cores, const std::string& stem,
                                                 std::int64_t out, std::int64_t in, const Adapter& adapter) {
  const std::int64_t rank = adapter.rank;
  const auto o = tensor_train_modes(out);
  const auto i = tensor_train_modes(in);
  const Matrix first = cores.take(stem + "1", {1, o[0], i[0], rank}, o[0] * i[0]);
  const Matrix second = cores.take(stem + "2", {rank, o[1], i[1], rank}, rank);
  Matrix third = cores.take(stem + "3", {rank, o[2], i[2], 1}, rank);
  Matrix two = product(first, second).seen_as(o[0] * i[0] * o[1] * i[1]);
  return std::make_shared<MatrixTrainDelta>(o, i, scaled(std::move(two), adapter.scale), std::move(third));
}

// U S V, where the slots S lie below each other in a tall matrix, and side by side in a wide one.
std::shared_ptr<const AdapterDelta> shared_slots(const Cores& cores, const std::string& module,
                                                 std::int64_t out, std::int64_t in, const Adapter& adapter) {
  const std::int64_t rank = adapter.rank;
  const std::int64_t side = std::min(out, in);
  const std::int64_t slots = std::max(out, in) / side;
  const std::string key = shared_key(module, side);
  const Matrix u = scaled(cores.take(key + ".shared.u", {side, rank}, side), adapter.scale);
  const Matrix v = cores.take(key + ".shared.v", {rank, side}, rank);
  const Matrix s = cores.take(module + ".shared.s", {slots, rank, rank}, slots);
  Matrix left{out, rank, out > in ? std::vector<float>() : u.values};
  Matrix right{rank, in, out > in ? v.values : std::vector<float>(static_cast<std::size_t>(rank * in))};
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    const Matrix own{rank, rank, std::vector<float>(s.row(slot), s.row(slot) + rank * rank)};
    if (out > in) {
      const Matrix part = product(u, own);
      left.values.insert(left.values.end(), part.values.begin(), part.values.end());
      continue;
    }
    const Matrix part = product(own, v);
    for (std::int64_t row = 0; row < rank; ++row) {
      std::copy_n(part.row(row), side, right.values.begin() + row * in + slot * side);
    }
  }
  return std::make_shared<ThinDelta>(std::move(left), std::move(right));
}

}  // namespace

std::shared_ptr<const AdapterDelta> adapter_delta(const Adapter& adapter, const std::string& module,
                                                  const Shape& weight, std::set<std::string>& used) {
  if (weight.rank() != 2 || weight.elements() == 0) {
    throw Error(ErrorCode::shape_mismatch, "cannot add the adapter '" + adapter.place + "' to '" + module +
                                               "': found " + to_string(weight) + ", expected a matrix");
  }
  const std::int64_t out = weight[0];
  const std::int64_t in = weight[1];
  const Cores cores(adapter, used);
  switch (adapter.kind) {
    case AdapterKind::lora: {
      const std::string stem = std::string(kPeftPrefix) + module;
      Matrix b = cores.take(stem + ".lora_B.weight", {out, adapter.rank}, out);
      Matrix a = cores.take(stem + ".lora_A.weight", {adapter.rank, in}, adapter.rank);
      return std::make_shared<ThinDelta>(scaled(std::move(b), adapter.scale), std::move(a));
    }
    case AdapterKind::tt_lora: {
      Matrix b = cores.take_tall_train(module + ".tt_lora.p", out);
      const Matrix a = cores.take_tall_train(module + ".tt_lora.q", in);
      return std::make_shared<ThinDelta>(scaled(std::move(b), adapter.scale), transposed(a));
    }
    case AdapterKind::tt_matrix:
      return matrix_train(cores, module + ".tt_matrix.g", out, in, adapter);
    case AdapterKind::shared:
      if (!is_shareable(weight)) {
        throw Error(ErrorCode::shape_mismatch, "cannot share the adapter '" + adapter.place + "' with '" +
                                                   module + "' " + to_string(weight) +
                                                   ": expected one side to be a multiple of the other");
      }
      return shared_slots(cores, module, out, in, adapter);
  }
  throw Error(ErrorCode::internal, "an adapter that is not known");
}

}  // namespace moa
