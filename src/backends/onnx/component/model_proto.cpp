#include "component/model_proto.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <moa/error.hpp>

#include "base/half.hpp"

namespace moa::onnx {
namespace {

// What a reader must know at least for an opset: github.com/onnx/onnx, docs/Versioning.md.
int ir_version(int opset) {
  if (opset >= 21) return 10;
  if (opset >= 19) return 9;
  return opset >= 15 ? 8 : 7;
}

template <typename Stored, typename Values, typename Convert>
std::string stored(const Values& values, Convert convert) {
  std::string bytes(values.size() * sizeof(Stored), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Stored value = convert(values[i]);
    std::memcpy(bytes.data() + i * sizeof(Stored), &value, sizeof(Stored));
  }
  return bytes;
}

void set_port(::onnx::ValueInfoProto& info, const Port& port) {
  info.set_name(port.name);
  ::onnx::TypeProto_Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(port.type));
  ::onnx::TensorShapeProto& shape = *type.mutable_shape();  // also of a lone number, which has none
  for (const Dimension& dimension : port.shape) {
    ::onnx::TensorShapeProto_Dimension& size = *shape.add_dim();
    if (dimension.name.empty()) {
      size.set_dim_value(dimension.size);
    } else {
      size.set_dim_param(dimension.name);
    }
  }
}

void set_attribute(::onnx::AttributeProto& proto, const std::string& name, const Attribute& attribute) {
  proto.set_name(name);
  std::visit(
      [&](const auto& value) {
        using Type = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Type, std::int64_t>) {
          proto.set_type(::onnx::AttributeProto::INT);
          proto.set_i(value);
        } else if constexpr (std::is_same_v<Type, double>) {
          proto.set_type(::onnx::AttributeProto::FLOAT);
          proto.set_f(static_cast<float>(value));
        } else if constexpr (std::is_same_v<Type, std::string>) {
          proto.set_type(::onnx::AttributeProto::STRING);
          proto.set_s(value);
        } else {
          proto.set_type(::onnx::AttributeProto::INTS);
          for (const std::int64_t number : value) proto.add_ints(number);
        }
      },
      attribute);
}

// The bits of a number of `initializer` in 16.
std::uint16_t in_f16(const Initializer& initializer, float value) {
  if (std::abs(value) < kFirstBeyondF16) return narrow_f16(value);
  throw Error(ErrorCode::out_of_range, "cannot write '" + initializer.name + "': found " +
                                           std::to_string(value) + ", expected numbers up to 65504");
}

}  // namespace

std::string raw_bytes(const Initializer& initializer) {
  const auto check = [&](std::string bytes) {
    if (static_cast<std::int64_t>(bytes.size()) != initializer.bytes()) {
      throw Error(ErrorCode::internal, "'" + initializer.name + "': found " + std::to_string(bytes.size()) +
                                           " bytes, expected " + std::to_string(initializer.bytes()));
    }
    return bytes;
  };
  switch (initializer.type) {
    case ElementType::f32:
      return check(stored<float>(initializer.floats(), [](float value) { return value; }));
    case ElementType::f16:
      return check(stored<std::uint16_t>(initializer.floats(),
                                         [&](float value) { return in_f16(initializer, value); }));
    case ElementType::i8:
      return check(stored<std::int8_t>(initializer.floats(),
                                       [](float value) { return static_cast<std::int8_t>(value); }));
    case ElementType::u8:
      return check(stored<std::uint8_t>(initializer.floats(),
                                        [](float value) { return static_cast<std::uint8_t>(value); }));
    case ElementType::i64:
      return check(stored<std::int64_t>(initializer.integers, [](std::int64_t value) { return value; }));
    case ElementType::i32:
    case ElementType::boolean:
      break;
  }
  throw Error(ErrorCode::internal, "'" + initializer.name + "': constants of this type are not written");
}

::onnx::ModelProto model_proto(const Graph& graph) {
  ::onnx::ModelProto model;
  model.set_ir_version(ir_version(graph.opset));
  model.set_producer_name("moa");
  model.set_producer_version(MOA_VERSION);
  model.add_opset_import()->set_version(graph.opset);
  for (const auto& [key, value] : graph.metadata) {
    ::onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  ::onnx::GraphProto& proto = *model.mutable_graph();
  proto.set_name(graph.name);
  for (const Port& port : graph.inputs) set_port(*proto.add_input(), port);
  for (const Port& port : graph.outputs) set_port(*proto.add_output(), port);
  for (const Node& node : graph.nodes) {
    ::onnx::NodeProto& written = *proto.add_node();
    written.set_op_type(node.type);
    written.set_name(node.name);
    for (const std::string& input : node.inputs) written.add_input(input);
    for (const std::string& output : node.outputs) written.add_output(output);
    for (const auto& [name, attribute] : node.attributes) {
      set_attribute(*written.add_attribute(), name, attribute);
    }
  }
  for (const Initializer& initializer : graph.initializers) {
    ::onnx::TensorProto& tensor = *proto.add_initializer();
    tensor.set_name(initializer.name);
    tensor.set_data_type(static_cast<int>(initializer.type));
    for (std::size_t axis = 0; axis < initializer.shape.rank(); ++axis) {
      tensor.add_dims(initializer.shape[axis]);
    }
  }
  return model;
}

}  // namespace moa::onnx
