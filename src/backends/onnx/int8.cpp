#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "backends/onnx/precision.hpp"

namespace moa::onnx {
namespace {

// A matrix [rows, columns] whose rows or columns have a scale each.
enum class Scaled { rows, columns };

struct Matrix {
  std::vector<float> values;
  std::size_t rows = 0;
  std::size_t columns = 0;
};

// Symmetric: the largest magnitude becomes 127, zero stays zero.
std::vector<float> scales_of(const Matrix& matrix, Scaled scaled) {
  std::vector<float> scales(scaled == Scaled::rows ? matrix.rows : matrix.columns, 0.0F);
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    for (std::size_t column = 0; column < matrix.columns; ++column) {
      float& scale = scales[scaled == Scaled::rows ? row : column];
      scale = std::max(scale, std::abs(matrix.values[row * matrix.columns + column]));
    }
  }
  for (float& scale : scales) scale = scale == 0 ? 1 : scale / 127;
  return scales;
}

std::vector<float> quantized(Matrix matrix, Scaled scaled) {
  const std::vector<float> scales = scales_of(matrix, scaled);
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    for (std::size_t column = 0; column < matrix.columns; ++column) {
      float& value = matrix.values[row * matrix.columns + column];
      value = std::nearbyint(value / scales[scaled == Scaled::rows ? row : column]);
    }
  }
  return std::move(matrix.values);
}

class Int8Writer {
 public:
  explicit Int8Writer(const Graph& graph) : in_(graph), out_(graph) {
    out_.nodes.clear();
    for (const Initializer& initializer : in_.initializers) {
      const bool is_matrix = initializer.type == ElementType::f32 && initializer.shape.rank() == 2;
      if (is_matrix) matrices_.emplace(initializer.name, &initializer);
    }
  }

  Graph write() {
    for (const Node& node : in_.nodes) {
      if (node.type == "MatMul" && !node.exact && matrices_.contains(node.inputs[1])) {
        product(node, node.inputs[1], {});
      } else if (node.type == "Gemm" && !node.exact && matrices_.contains(node.inputs[1])) {
        product(node, turned(node.inputs[1]), node.inputs.size() > 2 ? node.inputs[2] : "");
      } else if (node.type == "Gather" && matrices_.contains(node.inputs[0])) {
        lookup(node);
      } else {
        out_.nodes.push_back(node);
      }
    }
    std::set<std::string> used;
    for (const Node& node : out_.nodes) used.insert(node.inputs.begin(), node.inputs.end());
    std::erase_if(out_.initializers,
                  [&](const Initializer& initializer) { return !used.contains(initializer.name); });
    return std::move(out_);
  }

 private:
  std::string emit(const Node& of, const std::string& operation, std::vector<std::string> inputs,
                   ElementType type = ElementType::f32, Attributes attributes = {}) {
    std::string name = of.name + "/" + operation;
    out_.nodes.push_back({operation, name, std::move(inputs), {name}, std::move(attributes), of.exact});
    out_.types[name] = type;
    return name;
  }

  void finish(const Node& of, const std::string& operation, std::vector<std::string> inputs) {
    out_.nodes.push_back({operation, of.name + "/" + operation, std::move(inputs), of.outputs, {}, of.exact});
  }

  // Adds `name` and its scales, once.
  void add(const std::string& name, Shape shape, const std::function<Matrix()>& matrix, Scaled scaled) {
    if (!written_.insert(name).second) return;
    const std::int64_t count = shape[scaled == Scaled::rows ? 0 : 1];
    const Shape scales = scaled == Scaled::rows ? Shape{count, 1} : Shape{count};
    out_.initializers.push_back({name + ".int8", ElementType::i8, std::move(shape),
                                 [matrix, scaled] { return quantized(matrix(), scaled); }});
    out_.types[name + ".int8"] = ElementType::i8;
    out_.initializers.push_back({name + ".scale", ElementType::f32, scales,
                                 [matrix, scaled] { return scales_of(matrix(), scaled); }});
  }

  // A Gemm's matrix [out, in], as a product wants it.
  std::string turned(const std::string& name) {
    const Initializer& stored = *matrices_.at(name);
    std::string wanted = name + ".transposed";
    if (matrices_.contains(wanted)) return wanted;
    Initializer& other = turned_[wanted];
    other = stored;
    other.name = wanted;
    other.shape = {stored.shape[1], stored.shape[0]};
    other.floats = [values = stored.floats, shape = stored.shape] {
      const std::vector<float> from = values();
      const auto rows = static_cast<std::size_t>(shape[0]);
      const auto columns = static_cast<std::size_t>(shape[1]);
      std::vector<float> to(from.size());
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
      }
      return to;
    };
    matrices_.emplace(wanted, &other);
    return wanted;
  }

  static std::function<Matrix()> matrix_of(const Initializer& initializer) {
    return [values = initializer.floats, shape = initializer.shape] {
      return Matrix{values(), static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1])};
    };
  }

  void product(const Node& node, const std::string& weight, const std::string& bias) {
    const Initializer& matrix = *matrices_.at(weight);
    add(weight, matrix.shape, matrix_of(matrix), Scaled::columns);
    const std::string& x = node.inputs[0];
    const std::string quantized = x + ".int8";
    const std::string scale = x + ".scale";
    const std::string zero = x + ".zero_point";
    if (inputs_.insert(x).second) {
      out_.nodes.push_back(
          {"DynamicQuantizeLinear", x + "/DynamicQuantizeLinear", {x}, {quantized, scale, zero}, {}, false});
      out_.types[quantized] = ElementType::u8;
      out_.types[zero] = ElementType::u8;
    }
    std::string y = emit(node, "MatMulInteger", {quantized, weight + ".int8", zero}, ElementType::i32);
    y = emit(node, "Cast", {y}, ElementType::f32, {{"to", static_cast<std::int64_t>(ElementType::f32)}});
    const std::string scales = emit(node, "Mul_scales", {scale, weight + ".scale"});
    out_.nodes.back().type = "Mul";
    if (bias.empty()) return finish(node, "Mul", {y, scales});
    y = emit(node, "Mul", {y, scales});
    finish(node, "Add", {y, bias});
  }

  void lookup(const Node& node) {
    const Initializer& table = *matrices_.at(node.inputs[0]);
    add(table.name, table.shape, matrix_of(table), Scaled::rows);
    std::string row = emit(node, "Gather", {table.name + ".int8", node.inputs[1]}, ElementType::i8);
    row = emit(node, "Cast", {row}, ElementType::f32, {{"to", static_cast<std::int64_t>(ElementType::f32)}});
    const std::string scale = emit(node, "Gather_scale", {table.name + ".scale", node.inputs[1]});
    out_.nodes.back().type = "Gather";
    finish(node, "Mul", {row, scale});
  }

  const Graph& in_;
  Graph out_;
  std::map<std::string, const Initializer*> matrices_;
  std::map<std::string, Initializer> turned_;
  std::set<std::string> written_;
  std::set<std::string> inputs_;
};

}  // namespace

Graph in_dynamic_int8(const Graph& graph) {
  return Int8Writer(graph).write();
}

}  // namespace moa::onnx
