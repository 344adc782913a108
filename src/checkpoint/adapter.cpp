#include "checkpoint/adapter.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include <moa/error.hpp>

#include "tensor/elements.hpp"

namespace moa {

std::array<std::int64_t, 3> tensor_train_modes(std::int64_t width) {
  std::array<std::int64_t, 3> best{1, 1, width};
  for (std::int64_t side = 2; side * side <= width; ++side) {
    if (width % (side * side) != 0) continue;
    const std::int64_t rest = width / (side * side);
    if (std::max(side, rest) < std::max(best[1], best[2])) best = {side, side, rest};
  }
  return best;
}

std::string shared_key(const std::string& module, std::int64_t side) {
  return module.substr(0, module.find('.')) + "." + std::to_string(side);
}

namespace {

// Row-major.
struct Matrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;

  Matrix seen_as(std::int64_t new_rows) const { return {new_rows, rows * columns / new_rows, values}; }
};

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out{a.rows, b.columns, std::vector<float>(static_cast<std::size_t>(a.rows * b.columns))};
  for (std::int64_t row = 0; row < a.rows; ++row) {
    float* to = out.values.data() + row * b.columns;
    for (std::int64_t k = 0; k < a.columns; ++k) {
      const float factor = a.values[static_cast<std::size_t>(row * a.columns + k)];
      const float* from = b.values.data() + k * b.columns;
      for (std::int64_t column = 0; column < b.columns; ++column) to[column] += factor * from[column];
    }
  }
  return out;
}

// What an adapter's tensors are taken from, each of the shape that its place asks for.
class Cores {
 public:
  explicit Cores(const Adapter& adapter) : adapter_(adapter) {}

  // As a matrix of `rows` rows.
  Matrix take(const std::string& name, const Shape& shape, std::int64_t rows) const {
    const Parameter& core = find(name);
    if (!(core.shape() == shape)) {
      throw Error(ErrorCode::shape_mismatch, "cannot use the adapter's '" + name + "': found " +
                                                 to_string(core.shape()) + ", expected " + to_string(shape));
    }
    return {rows, shape.elements() / rows, core.read()};
  }
  const Parameter& find(const std::string& name) const {
    const auto found = adapter_.tensors.find(name);
    if (found != adapter_.tensors.end()) return found->second;
    throw Error(ErrorCode::corrupt_data, "the adapter has no '" + name + "'");
  }

 private:
  const Adapter& adapter_;
};

// [n, rank] of a train whose first core is [1, n1, bond].
Matrix tall_train(const Cores& cores, const std::string& stem, std::int64_t width, std::int64_t rank) {
  const auto [n1, n2, n3] = tensor_train_modes(width);
  const std::int64_t bond = std::min(rank, n1);
  const Matrix first = cores.take(stem + "1", {1, n1, bond}, n1);
  const Matrix second = cores.take(stem + "2", {bond, n2, rank}, bond);
  const Matrix third = cores.take(stem + "3", {rank, n3, rank}, rank);
  return product(product(first, second).seen_as(n1 * n2), third).seen_as(width);
}

Matrix transposed(const Matrix& x) {
  Matrix out{x.columns, x.rows, std::vector<float>(x.values.size())};
  for (std::int64_t row = 0; row < x.rows; ++row) {
    for (std::int64_t column = 0; column < x.columns; ++column) {
      out.values[static_cast<std::size_t>(column * x.rows + row)] =
          x.values[static_cast<std::size_t>(row * x.columns + column)];
    }
  }
  return out;
}

// From [o1, i1, o2, i2, o3, i3] to [o1 o2 o3, i1 i2 i3].
Matrix untangled(const Matrix& x, std::int64_t out, std::int64_t in) {
  const auto o = tensor_train_modes(out);
  const auto i = tensor_train_modes(in);
  Matrix result{out, in, std::vector<float>(x.values.size())};
  std::size_t at = 0;
  for (std::int64_t o1 = 0; o1 < o[0]; ++o1) {
    for (std::int64_t i1 = 0; i1 < i[0]; ++i1) {
      for (std::int64_t o2 = 0; o2 < o[1]; ++o2) {
        for (std::int64_t i2 = 0; i2 < i[1]; ++i2) {
          for (std::int64_t o3 = 0; o3 < o[2]; ++o3) {
            for (std::int64_t i3 = 0; i3 < i[2]; ++i3) {
              const std::int64_t row = (o1 * o[1] + o2) * o[2] + o3;
              const std::int64_t column = (i1 * i[1] + i2) * i[2] + i3;
              result.values[static_cast<std::size_t>(row * in + column)] = x.values[at++];
            }
          }
        }
      }
    }
  }
  return result;
}

Matrix matrix_train(const Cores& cores, const std::string& stem, std::int64_t out, std::int64_t in,
                    std::int64_t rank) {
  const auto o = tensor_train_modes(out);
  const auto i = tensor_train_modes(in);
  const Matrix first = cores.take(stem + "1", {1, o[0], i[0], rank}, o[0] * i[0]);
  const Matrix second = cores.take(stem + "2", {rank, o[1], i[1], rank}, rank);
  const Matrix third = cores.take(stem + "3", {rank, o[2], i[2], 1}, rank);
  const Matrix two = product(first, second).seen_as(o[0] * i[0] * o[1] * i[1]);
  return untangled(product(two, third), out, in);
}

Matrix shared_slots(const Cores& cores, const std::string& module, std::int64_t out, std::int64_t in,
                    std::int64_t rank) {
  const std::int64_t side = std::min(out, in);
  const std::int64_t slots = std::max(out, in) / side;
  const std::string key = shared_key(module, side);
  const Matrix u = cores.take(key + ".shared.u", {side, rank}, side);
  const Matrix v = cores.take(key + ".shared.v", {rank, side}, rank);
  const Matrix s = cores.take(module + ".shared.s", {slots, rank, rank}, slots);
  Matrix result{out, in, std::vector<float>(static_cast<std::size_t>(out * in))};
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    const auto begin = s.values.begin() + slot * rank * rank;
    const Matrix own{rank, rank, std::vector<float>(begin, begin + rank * rank)};
    const Matrix square = product(product(u, own), v);
    for (std::int64_t row = 0; row < side; ++row) {
      const std::int64_t to = out > in ? (slot * side + row) * in : row * in + slot * side;
      std::copy_n(square.values.begin() + row * side, side, result.values.begin() + to);
    }
  }
  return result;
}

// A matrix of the checkpoint and what is added to it, together when they are first read.
class MergedSource final : public ParameterSource {
 public:
  MergedSource(Parameter weight, std::vector<float> delta)
      : weight_(std::move(weight)), delta_(std::move(delta)) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    read_elements(weight_, first, count, out);
    const float* add = delta_.data() + first;
    for (std::int64_t i = 0; i < count; ++i) out[i] += add[i];
  }
  void drop_pages() const override { weight_.drop_pages(); }

 private:
  Parameter weight_;
  std::vector<float> delta_;
};

constexpr const char* kPeftPrefix = "base_model.model.";

// Of a tensor's name, the layer; empty for what layers share.
std::string module_of(AdapterKind kind, const std::string& name) {
  const auto without = [&](const std::string& middle) {
    const std::size_t at = name.rfind(middle);
    return at == std::string::npos ? std::string() : name.substr(0, at);
  };
  switch (kind) {
    case AdapterKind::lora: {
      const std::string module = without(".lora_A.weight");
      return module.rfind(kPeftPrefix, 0) == 0 ? module.substr(std::string(kPeftPrefix).size()) : module;
    }
    case AdapterKind::tt_lora:
      return without(".tt_lora.p1");
    case AdapterKind::tt_matrix:
      return without(".tt_matrix.g1");
    case AdapterKind::shared:
      return without(".shared.s");
  }
  return "";
}

}  // namespace

std::vector<std::string> Adapter::modules() const {
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    const std::string module = module_of(kind, name);
    if (!module.empty()) names.insert(module);
  }
  return {names.begin(), names.end()};
}

std::vector<float> Adapter::delta(const std::string& module, const Shape& weight) const {
  if (weight.rank() != 2) {
    throw Error(ErrorCode::shape_mismatch, "cannot add an adapter to '" + module + "': found " +
                                               to_string(weight) + ", expected a matrix");
  }
  const std::int64_t out = weight[0];
  const std::int64_t in = weight[1];
  const Cores cores(*this);
  Matrix result;
  switch (kind) {
    case AdapterKind::lora: {
      const std::string stem = kPeftPrefix + module;
      result = product(cores.take(stem + ".lora_B.weight", {out, rank}, out),
                       cores.take(stem + ".lora_A.weight", {rank, in}, rank));
      break;
    }
    case AdapterKind::tt_lora:
      result = product(tall_train(cores, module + ".tt_lora.p", out, rank),
                       transposed(tall_train(cores, module + ".tt_lora.q", in, rank)));
      break;
    case AdapterKind::tt_matrix:
      result = matrix_train(cores, module + ".tt_matrix.g", out, in, rank);
      break;
    case AdapterKind::shared:
      if (std::max(out, in) % std::min(out, in) != 0) {
        throw Error(ErrorCode::shape_mismatch, "cannot share an adapter with '" + module + "' " +
                                                   to_string(weight) +
                                                   ": expected one side to be a multiple of the other");
      }
      result = shared_slots(cores, module, out, in, rank);
      break;
  }
  for (float& value : result.values) value *= static_cast<float>(scale);
  return std::move(result.values);
}

Weights Adapter::merged_into(const Weights& weights) const {
  std::map<std::string, std::string> waiting;  // weight, module
  for (const std::string& module : modules()) waiting.emplace(module + ".weight", module);
  Weights merged;
  for (const Parameter& parameter : weights.parameters()) {
    const auto found = waiting.find(parameter.name());
    if (found == waiting.end()) {
      merged.add(parameter);
      continue;
    }
    auto source = std::make_shared<MergedSource>(parameter, delta(found->second, parameter.shape()));
    merged.add(Parameter(parameter.name(), parameter.shape(), DType::f32, std::move(source)));
    waiting.erase(found);
  }
  if (!waiting.empty()) {
    throw Error(ErrorCode::model_mismatch,
                "the adapter belongs to another model: there is no '" + waiting.begin()->first + "'");
  }
  return merged;
}

}  // namespace moa
