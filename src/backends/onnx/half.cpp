#include <set>
#include <string>
#include <utility>

#include "backends/onnx/precision.hpp"

namespace moa::onnx {
namespace {

// Goes through the nodes in order and gives each value that a node takes in the type that the node wants.
class HalfWriter {
 public:
  explicit HalfWriter(const Graph& graph) : in_(graph), out_(graph) {
    out_.nodes.clear();
    out_.initializers.clear();
    for (const Initializer& initializer : in_.initializers) {
      if (initializer.type == ElementType::f32) constants_.insert(initializer.name);
    }
  }

  Graph write() {
    for (const Node& node : in_.nodes) write(node);
    for (const Initializer& initializer : in_.initializers) {
      const bool is_float = constants_.contains(initializer.name);
      if (!is_float || exact_uses_.contains(initializer.name)) out_.initializers.push_back(initializer);
      if (!half_uses_.contains(initializer.name)) continue;
      Initializer half = initializer;
      half.name = name_of_half(initializer.name);
      half.type = ElementType::f16;
      out_.types[half.name] = ElementType::f16;
      out_.initializers.push_back(std::move(half));
    }
    return std::move(out_);
  }

 private:
  static std::string name_of_half(const std::string& name) { return name + ".f16"; }

  void write(Node node) {
    // A Cast says itself what it makes.
    const ElementType wanted = node.exact || node.type == "Cast" ? ElementType::f32 : ElementType::f16;
    for (std::string& input : node.inputs) {
      if (!input.empty()) input = in_type(input, wanted);
    }
    for (const std::string& output : node.outputs) {
      if (in_.type_of(output) == ElementType::f32) out_.types[output] = wanted;
    }
    out_.nodes.push_back(std::move(node));
  }

  // `value` if it is no float or has the type, otherwise the constant or cast that has.
  std::string in_type(const std::string& value, ElementType wanted) {
    if (in_.type_of(value) != ElementType::f32) return value;
    if (constants_.contains(value)) {
      if (wanted == ElementType::f32) {
        exact_uses_.insert(value);
        return value;
      }
      half_uses_.insert(value);
      return name_of_half(value);
    }
    if (out_.type_of(value) == wanted) return value;
    std::string cast = value + (wanted == ElementType::f16 ? ".f16" : ".f32");
    if (cast_.insert(cast).second) {
      out_.nodes.push_back(
          {"Cast", cast, {value}, {cast}, {{"to", static_cast<std::int64_t>(wanted)}}, false});
      out_.types[cast] = wanted;
    }
    return cast;
  }

  const Graph& in_;
  Graph out_;
  std::set<std::string> constants_;
  std::set<std::string> exact_uses_;
  std::set<std::string> half_uses_;
  std::set<std::string> cast_;
};

}  // namespace

Graph in_f16(const Graph& graph) {
  return HalfWriter(graph).write();
}

}  // namespace moa::onnx
