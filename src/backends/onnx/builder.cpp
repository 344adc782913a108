#include "backends/onnx/builder.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <moa/error.hpp>

#include "tensor/finite.hpp"

namespace moa::onnx {
namespace {

std::string_view without_last(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(0, dot);
}

// The layer that a parameter belongs to: "a.q_proj" of "a.q_proj.weight", "a.q_proj+k_proj" of two stacked
// ones.
std::string layer_of(const Parameter& parameter) {
  const std::vector<Parameter> parts = parameter.parts();
  std::string layer(without_last(parts.front().name()));
  const std::size_t around = without_last(layer).size() + 1;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = without_last(parts[i].name());
    layer += "+";
    layer += around < part.size() ? part.substr(around) : part;
  }
  return layer;
}

// A view's name ends in "[begin:end]", which a file's reader would have to quote.
std::string constant_name(const Parameter& parameter) {
  std::string name = parameter.parts().size() == 1
                         ? parameter.name()
                         : layer_of(parameter) + std::string(parameter.parts().front().name().substr(
                                                     without_last(parameter.parts().front().name()).size()));
  std::replace(name.begin(), name.end(), '[', '.');
  std::erase(name, ']');
  return name;
}

std::vector<float> transposed(const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
  std::vector<float> turned(values.size());
  constexpr std::int64_t kTile = 32;  // so that neither side is walked line by line of the cache
  for (std::int64_t row = 0; row < rows; row += kTile) {
    for (std::int64_t column = 0; column < columns; column += kTile) {
      for (std::int64_t r = row; r < std::min(row + kTile, rows); ++r) {
        for (std::int64_t c = column; c < std::min(column + kTile, columns); ++c) {
          turned[static_cast<std::size_t>(c * rows + r)] = values[static_cast<std::size_t>(r * columns + c)];
        }
      }
    }
  }
  return turned;
}

std::string key_of(const Parameter& parameter, const std::string& how) {
  std::array<char, 32> address{};
  std::snprintf(address.data(), address.size(), "%p", parameter.identity());
  return "parameter " + std::string(address.data()) + " " + how;
}

}  // namespace

Builder::Builder(std::string name, int opset) {
  if (opset < kLeastOpset || opset > kMostOpset) {
    throw Error(ErrorCode::invalid_argument,
                "cannot write ONNX opset " + std::to_string(opset) + ": expected " +
                    std::to_string(kLeastOpset) + " to " + std::to_string(kMostOpset) +
                    " (Add, Mul, Relu, Reshape, Identity and CumSum are written as 14 "
                    "defines them; LayerNormalization is one node from 17 on, Gelu "
                    "from 20, and several below)");
  }
  graph_.name = std::move(name);
  graph_.opset = opset;
}

std::string Builder::unique(const std::string& wanted) {
  const int before = names_[wanted]++;
  return before == 0 ? wanted : unique(wanted + "_" + std::to_string(before));
}

std::string Builder::input(Port port) {
  graph_.types[port.name] = port.type;
  ++names_[port.name];
  graph_.inputs.push_back(std::move(port));
  return graph_.inputs.back().name;
}

void Builder::output(const Port& port, const std::string& value) {
  graph_.nodes.push_back({"Identity", "/" + port.name, {value}, {port.name}, {}, exact_});
  graph_.types[port.name] = port.type;
  graph_.outputs.push_back(port);
}

std::string Builder::node(const std::string& operation, std::vector<std::string> inputs,
                          Attributes attributes, ElementType type) {
  std::string name = unique(scope_ + "/" + operation);
  if (type != ElementType::f32) graph_.types[name] = type;
  graph_.nodes.push_back({operation, name, std::move(inputs), {name}, std::move(attributes), exact_});
  return name;
}

std::vector<std::string> Builder::split(const std::string& value, std::int64_t axis, std::int64_t parts,
                                        std::int64_t part_size) {
  std::vector<std::string>& outputs =
      split_[value + " " + std::to_string(axis) + " " + std::to_string(part_size)];
  if (!outputs.empty()) return outputs;
  const std::string name = unique(scope_ + "/Split");
  for (std::int64_t i = 0; i < parts; ++i) outputs.push_back(name + ":" + std::to_string(i));
  const std::string sizes = integers(std::vector<std::int64_t>(static_cast<std::size_t>(parts), part_size));
  graph_.nodes.push_back({"Split", name, {value, sizes}, outputs, {{"axis", axis}}, exact_});
  return outputs;
}

std::string Builder::cast(const std::string& value, ElementType type) {
  if (graph_.type_of(value) == type) return value;
  return node("Cast", {value}, {{"to", static_cast<std::int64_t>(type)}}, type);
}

std::string Builder::reduce(const std::string& operation, const std::string& value,
                            const std::vector<std::int64_t>& axes, Axes axes_after) {
  Attributes attributes{{"keepdims", static_cast<std::int64_t>(axes_after == Axes::kept ? 1 : 0)}};
  const int axes_are_input_since = operation == "ReduceSum" ? 13 : 18;
  if (opset() >= axes_are_input_since) return node(operation, {value, integers(axes)}, attributes);
  attributes["axes"] = axes;
  return node(operation, {value}, attributes);
}

std::string Builder::add(Initializer initializer) {
  initializer.name = unique(initializer.name);
  if (initializer.type != ElementType::f32) graph_.types[initializer.name] = initializer.type;
  graph_.initializers.push_back(std::move(initializer));
  return graph_.initializers.back().name;
}

std::string Builder::constant(const Parameter& parameter, Form form) {
  if (form == Form::as_stored) return constant(parameter, parameter.shape());
  return once(key_of(parameter, "transposed"), [&] {
    used_.push_back(parameter);
    const std::int64_t rows = parameter.shape()[0];
    const std::int64_t columns = parameter.shape()[1];
    return add({constant_name(parameter), ElementType::f32, {columns, rows}, [parameter, rows, columns] {
                  std::vector<float> values = transposed(finite_numbers(parameter, "write"), rows, columns);
                  parameter.drop_pages();
                  return values;
                }});
  });
}

std::string Builder::constant(const Parameter& parameter, const Shape& shape) {
  return once(key_of(parameter, to_string(shape)), [&] {
    used_.push_back(parameter);
    return add({constant_name(parameter), ElementType::f32, shape, [parameter] {
                  std::vector<float> values = finite_numbers(parameter, "write");
                  parameter.drop_pages();
                  return values;
                }});
  });
}

std::string Builder::constant(double value) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.9g", value);
  return floats(digits.data(), {}, {static_cast<float>(value)});
}

std::string Builder::integers(const std::vector<std::int64_t>& values) {
  std::string name = "[";
  for (const std::int64_t value : values) name += (name.size() == 1 ? "" : ",") + std::to_string(value);
  name += "]";
  return once("integers " + name, [&] {
    return add({name, ElementType::i64, {static_cast<std::int64_t>(values.size())}, {}, values});
  });
}

std::string Builder::integer(std::int64_t value) {
  return once("integer " + std::to_string(value), [&] {
    return add({"integer " + std::to_string(value), ElementType::i64, {}, {}, {value}});
  });
}

std::string Builder::floats(const std::string& name, const Shape& shape, std::vector<float> values) {
  return once("floats " + name + to_string(shape), [&] {
    return add({name, ElementType::f32, shape, [kept = std::move(values)] { return kept; }});
  });
}

void Builder::enter(const Parameter& parameter) {
  scope_ = "/" + layer_of(parameter);
  std::replace(scope_.begin(), scope_.end(), '.', '/');
}

void Builder::enter_around(const Parameter& parameter) {
  enter(parameter);
  leave_layer();
}

void Builder::leave_layer() {
  const std::size_t slash = scope_.rfind('/');
  scope_.erase(slash == std::string::npos ? 0 : slash);
}

}  // namespace moa::onnx
