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

// Names of constants; the middle of a byte stands for zero, so that products run unsigned by signed.
constexpr const char* kMiddle = "int8.zero_point";
constexpr const char* kMiddleFloat = "int8.zero_point.f32";
constexpr const char* kLeast = "int8.least";
constexpr const char* kStep = "int8.step";
constexpr const char* kLastAxis = "int8.last_axis";

class Int8Writer {
 public:
  // Without ranges, what a product takes is quantized as the graph runs.
  Int8Writer(const Graph& graph, const Ranges* ranges) : in_(graph), out_(graph), ranges_(ranges) {
    out_.nodes.clear();
    for (const Initializer& initializer : in_.initializers) {
      if (initializer.type != ElementType::f32) continue;
      if (initializer.shape.rank() == 2) matrices_.emplace(initializer.name, &initializer);
      if (initializer.shape.rank() == 4) kernels_.emplace(initializer.name, &initializer);
    }
  }

  Graph write() {
    if (ranges_ == nullptr) add_constants();
    for (const Node& node : in_.nodes) {
      const bool is_product = multiplies_by_matrix(node);
      if (is_product && node.exact) {
        product_in_f32(node);
      } else if (is_product && node.type == "MatMul") {
        product(node, node.inputs[1], {});
      } else if (is_product) {
        product(node, turned(node.inputs[1]), node.inputs.size() > 2 ? node.inputs[2] : "");
      } else if (node.type == "Gather" && matrices_.contains(node.inputs[0])) {
        lookup(node);
      } else if (node.type == "Conv" && kernels_.contains(node.inputs[1])) {
        convolution(node);
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

  // What the products that run in integers take.
  std::vector<std::string> product_inputs() const {
    std::set<std::string> inputs;
    for (const Node& node : in_.nodes) {
      if (!node.exact && multiplies_by_matrix(node)) inputs.insert(node.inputs[0]);
    }
    return {inputs.begin(), inputs.end()};
  }

 private:
  bool multiplies_by_matrix(const Node& node) const {
    return (node.type == "MatMul" || node.type == "Gemm") && matrices_.contains(node.inputs[1]);
  }

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
    if (ranges_ != nullptr) return static_product(node, weight, bias);
    if (quantized_.insert(x).second) quantize_rows(x);
    std::string y = emit(node, "MatMulInteger", {x + "/u8", weight + ".int8", kMiddle}, ElementType::i32);
    y = emit(node, "Cast", {y}, ElementType::f32, {{"to", static_cast<std::int64_t>(ElementType::f32)}});
    y = emit(node, "Mul_rows", {y, x + "/scale"});
    out_.nodes.back().type = "Mul";
    const std::string scale = weight + ".scale";
    if (bias.empty()) return finish(node, "Mul", {y, scale});
    y = emit(node, "Mul", {y, scale});
    finish(node, "Add", {y, bias});
  }

  void static_product(const Node& node, const std::string& weight, const std::string& bias) {
    std::string x = node.inputs[0];
    if (const auto range = ranges_->find(x); range != ranges_->end()) {
      if (quantized_.insert(x).second) round_to_range(x, range->second);
      x += "/dequantized";
    }
    const std::string w = emit(node, "DequantizeLinear", {weight + ".int8", weight + ".scale"},
                               ElementType::f32, {{"axis", std::int64_t{1}}});
    if (bias.empty()) return finish(node, "MatMul", {x, w});
    const std::string y = emit(node, "MatMul", {x, w});
    finish(node, "Add", {y, bias});
  }

  // x/dequantized: what is left of x in 255 steps.
  void round_to_range(const std::string& x, const Range& range) {
    const float width = range.largest - range.least;
    const float scale = width > 0 ? width / 255 : 1;
    const float zero = std::nearbyint(-range.least / scale);
    const std::string scale_name = x + "/range.scale";
    const std::string zero_name = x + "/range.zero_point";
    out_.initializers.push_back(
        {scale_name, ElementType::f32, {}, [scale] { return std::vector<float>{scale}; }});
    out_.initializers.push_back(
        {zero_name, ElementType::u8, {}, [zero] { return std::vector<float>{zero}; }});
    out_.types[zero_name] = ElementType::u8;
    const std::string narrow = x + "/u8";
    out_.nodes.push_back({"QuantizeLinear", narrow, {x, scale_name, zero_name}, {narrow}, {}, false});
    out_.types[narrow] = ElementType::u8;
    const std::string wide = x + "/dequantized";
    out_.nodes.push_back({"DequantizeLinear", wide, {narrow, scale_name, zero_name}, {wide}, {}, false});
  }

  // Only the matrix is stored in 8 bits; readers widen it once, when they load the graph.
  void product_in_f32(Node node) {
    const Initializer& matrix = *matrices_.at(node.inputs[1]);
    const bool is_turned = node.type == "Gemm";  // whose matrix is [out, in]
    add(matrix.name, matrix.shape, matrix_of(matrix), is_turned ? Scaled::rows : Scaled::columns);
    node.inputs[1] = widened(node, matrix.name);
    out_.nodes.push_back(std::move(node));
  }

  // The f32 of what add() wrote under `name`, once. Not by DequantizeLinear, which ONNX Runtime leaves in its
  // place and computes each time.
  std::string widened(const Node& of, const std::string& name) {
    std::string wide = name + ".widened";
    if (!widened_.insert(wide).second) return wide;
    const std::string cast = emit(of, "Cast", {name + ".int8"}, ElementType::f32,
                                  {{"to", static_cast<std::int64_t>(ElementType::f32)}});
    out_.nodes.push_back({"Mul", wide, {cast, name + ".scale"}, {wide}, {}, false});
    return wide;
  }

  // x/u8 and x/scale: each row by its own largest magnitude. DynamicQuantizeLinear would take that of the
  // whole batch: a text's vector would depend on its neighbours, and a row with an outlier would blur all
  // others.
  void quantize_rows(const std::string& x) {
    const auto node = [&](const std::string& operation, const std::string& name,
                          std::vector<std::string> inputs, Attributes attributes = {}) {
      out_.nodes.push_back({operation, name, std::move(inputs), {name}, std::move(attributes), false});
      return name;
    };
    const std::string magnitudes = node("Abs", x + "/Abs", {x});
    Attributes kept{{"keepdims", std::int64_t{1}}};
    std::vector<std::string> reduced{magnitudes};
    if (out_.opset >= 18) {
      reduced.push_back(kLastAxis);
    } else {
      kept["axes"] = std::vector<std::int64_t>{-1};
    }
    const std::string largest = node("ReduceMax", x + "/ReduceMax", reduced, kept);
    const std::string guarded = node("Max", x + "/Max", {largest, kLeast});
    const std::string scale = node("Mul", x + "/scale", {guarded, kStep});
    const std::string steps = node("Div", x + "/Div", {x, scale});
    const std::string whole = node("Round", x + "/Round", {steps});
    const std::string moved = node("Add", x + "/Add", {whole, kMiddleFloat});
    node("Cast", x + "/u8", {moved}, {{"to", static_cast<std::int64_t>(ElementType::u8)}});
    out_.types[x + "/u8"] = ElementType::u8;
  }

  // What every quantized product needs.
  void add_constants() {
    const auto number = [&](const char* name, float value) {
      out_.initializers.push_back(
          {name, ElementType::f32, {}, [value] { return std::vector<float>{value}; }});
    };
    number(kLeast, 1e-30F);  // a row of zeros stays one
    number(kStep, 1.0F / 127);
    number(kMiddleFloat, 128);
    out_.initializers.push_back({kMiddle, ElementType::u8, {}, [] { return std::vector<float>{128}; }});
    out_.initializers.push_back({kLastAxis, ElementType::i64, {1}, {}, {-1}});
    out_.types[kMiddle] = ElementType::u8;
    out_.types[kLastAxis] = ElementType::i64;
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

  // Only stored in 8 bits: readers widen the kernels once, when they load the graph.
  void convolution(Node node) {
    const Initializer& kernel = *kernels_.at(node.inputs[1]);
    if (written_.insert(kernel.name).second) {
      const Shape& shape = kernel.shape;
      const auto matrix = [values = kernel.floats, rows = static_cast<std::size_t>(shape[0])] {
        Matrix result{values(), rows, 0};
        result.columns = result.values.size() / rows;
        return result;
      };
      out_.initializers.push_back({kernel.name + ".int8", ElementType::i8, shape,
                                   [matrix] { return quantized(matrix(), Scaled::rows); }});
      out_.types[kernel.name + ".int8"] = ElementType::i8;
      out_.initializers.push_back({kernel.name + ".scale", ElementType::f32, Shape{shape[0], 1, 1, 1},
                                   [matrix] { return scales_of(matrix(), Scaled::rows); }});
    }
    node.inputs[1] = widened(node, kernel.name);
    out_.nodes.push_back(std::move(node));
  }

  const Graph& in_;
  Graph out_;
  const Ranges* ranges_;
  std::map<std::string, const Initializer*> matrices_;
  std::map<std::string, const Initializer*> kernels_;
  std::map<std::string, Initializer> turned_;
  std::set<std::string> written_;
  std::set<std::string> quantized_;
  std::set<std::string> widened_;
};

}  // namespace

Graph in_dynamic_int8(const Graph& graph) {
  return Int8Writer(graph, nullptr).write();
}

std::vector<std::string> product_inputs(const Graph& graph) {
  return Int8Writer(graph, nullptr).product_inputs();
}

Graph in_static_int8(const Graph& graph, const Ranges& ranges) {
  return Int8Writer(graph, &ranges).write();
}

}  // namespace moa::onnx
