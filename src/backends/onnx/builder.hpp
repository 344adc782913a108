// Writes nodes and constants into a graph, under names that a reader finds again in the checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/onnx/graph.hpp"
#include "tensor/parameter.hpp"

namespace moa::onnx {

// Nodes are called "/<scope>/<operator>", where the scope is that of the parameters at work:
// "/vision_model/encoder/layers/0/mlp/fc1/MatMul". A value bears the name of its node.
class Builder {
 public:
  // Error: invalid_argument for an opset outside [kLeastOpset, kMostOpset].
  Builder(std::string name, int opset);

  int opset() const noexcept { return graph_.opset; }
  const Graph& graph() const noexcept { return graph_; }

  std::string input(Port port);
  // Makes `value` the graph's output `port.name`.
  void output(const Port& port, const std::string& value);

  // A node with one output, whose type is `type`; returns the output's name.
  std::string node(const std::string& operation, std::vector<std::string> inputs, Attributes attributes = {},
                   ElementType type = ElementType::f32);
  // `value` cut along `axis` into equal parts; asked again, the same parts.
  std::vector<std::string> split(const std::string& value, std::int64_t axis, std::int64_t parts,
                                 std::int64_t part_size);
  std::string cast(const std::string& value, ElementType type);
  // ReduceMean and its kin; opset 18 made an input of the axes. The result keeps `axes` as 1 if `keep`.
  enum class Axes { dropped, kept };
  std::string reduce(const std::string& operation, const std::string& value,
                     const std::vector<std::int64_t>& axes, Axes axes_after);

  // How a parameter is laid out in the graph.
  enum class Form { as_stored, transposed };
  std::string constant(const Parameter& parameter, Form form = Form::as_stored);
  // `parameter` seen in another shape of as many elements.
  std::string constant(const Parameter& parameter, const Shape& shape);
  std::string constant(double value);
  std::string integers(const std::vector<std::int64_t>& values);
  std::string integer(std::int64_t value);  // a scalar
  std::string floats(const std::string& name, const Shape& shape, std::vector<float> values);

  // Nodes to come belong to the layer of this parameter, or to the one around it.
  void enter(const Parameter& parameter);
  void enter_around(const Parameter& parameter);
  void leave_layer();

  // Nodes written while one of these lives stay f32.
  class Exact {
   public:
    explicit Exact(Builder& builder) : builder_(builder), before_(builder.exact_) { builder_.exact_ = true; }
    ~Exact() { builder_.exact_ = before_; }
    Exact(const Exact&) = delete;
    Exact& operator=(const Exact&) = delete;

   private:
    Builder& builder_;
    bool before_;
  };

  // The value that `make` gave when it was first asked for under `key`: what many layers share (masks,
  // positions) is computed once.
  template <typename Make>
  std::string once(const std::string& key, Make make) {
    const auto found = made_.find(key);
    if (found != made_.end()) return found->second;
    const std::string scope = scope_;
    scope_.clear();
    std::string value = make();
    scope_ = scope;
    return made_[key] = std::move(value);
  }

 private:
  std::string unique(const std::string& wanted);
  std::string add(Initializer initializer);

  Graph graph_;
  std::string scope_;
  bool exact_ = false;
  std::map<std::string, int> names_;  // how often each was wanted
  std::map<std::string, std::string> made_;
  std::map<std::string, std::vector<std::string>> split_;
  std::vector<Parameter> used_;  // alive as long as their identities are keys of `made_`
};

}  // namespace moa::onnx
