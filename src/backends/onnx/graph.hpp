// onnx: the interpreter that writes a model down as a portable ONNX graph. The graph is plain data, so that
// this room needs no protobuf; the component moa-onnx turns it into a file (writer.hpp). Specification:
// github.com/onnx/onnx, docs/IR.md and docs/Operators.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tensor/shape.hpp"

namespace moa::onnx {

// The numbers are those of TensorProto.DataType.
enum class ElementType { f32 = 1, u8 = 2, i8 = 3, i32 = 6, i64 = 7, boolean = 9, f16 = 10 };

using Attribute = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>>;
using Attributes = std::map<std::string, Attribute>;

// An operator of the standard domain. An empty input is one that is left out.
struct Node {
  std::string type;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  Attributes attributes = {};
  // Part of what stays f32 whatever the precision of the run: norms, softmax, pooling.
  bool exact = false;
};

// A size, or the name of one that is known only when the graph runs.
struct Dimension {
  std::int64_t size = 0;
  std::string name = {};
};

// What goes into the graph or comes out of it.
struct Port {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<Dimension> shape;
};

// A constant. Its numbers are made when they are asked for, so that a graph of gigabytes is small.
struct Initializer {
  std::string name;
  ElementType type = ElementType::f32;
  Shape shape;
  std::function<std::vector<float>()> floats;  // for f32, f16, and i8 and u8, in which they are whole
  std::vector<std::int64_t> integers = {};     // for i64

  std::int64_t bytes() const;
};

struct Graph {
  std::string name;
  int opset = 17;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::vector<Node> nodes;  // each after those whose outputs it takes
  std::vector<Initializer> initializers;
  std::map<std::string, ElementType> types;  // of every value; an absent one is f32
  std::map<std::string, std::string> metadata;

  ElementType type_of(const std::string& value) const;
};

// Opsets that the interpreter can write: what came before 14 lacks parts of it, what came after 21 is
// untried.
inline constexpr int kLeastOpset = 14;
inline constexpr int kMostOpset = 21;
inline constexpr int kDefaultOpset = 17;

}  // namespace moa::onnx
