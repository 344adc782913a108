// The graphs of the onnx interpreter, node by node; what they compute is checked against the references by
// tests/parity/onnx_runtime.py.
#include "backends/onnx/interpreter.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "backends/cpu_fixture.hpp"
#include "backends/onnx/precision.hpp"

namespace moa {
namespace {

using onnx::ElementType;
using onnx::Graph;

Parameter parameter(const std::string& name, const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) - 3;
  return Parameter::from_values(name, shape, std::move(values));
}

OnnxOptions at_opset(int opset) {
  OnnxOptions options;
  options.opset = opset;
  return options;
}

std::vector<std::string> types_of(const Graph& graph) {
  std::vector<std::string> types;
  for (const onnx::Node& node : graph.nodes) types.push_back(node.type);
  return types;
}

std::int64_t count(const Graph& graph, const std::string& type) {
  const std::vector<std::string> types = types_of(graph);
  return std::count(types.begin(), types.end(), type);
}

// Every value is made once and before it is used, and every name is used once.
void expect_sound(const Graph& graph) {
  std::set<std::string> values{""};
  for (const onnx::Port& port : graph.inputs) EXPECT_TRUE(values.insert(port.name).second) << port.name;
  for (const onnx::Initializer& constant : graph.initializers) {
    EXPECT_TRUE(values.insert(constant.name).second) << constant.name;
  }
  std::set<std::string> names;
  for (const onnx::Node& node : graph.nodes) {
    EXPECT_TRUE(names.insert(node.name).second) << node.name;
    for (const std::string& input : node.inputs) EXPECT_TRUE(values.contains(input)) << input;
    for (const std::string& output : node.outputs) EXPECT_TRUE(values.insert(output).second) << output;
  }
  for (const onnx::Port& port : graph.outputs) EXPECT_TRUE(values.contains(port.name)) << port.name;
}

// Of width 4: a small text tower with all that matters.
Graph text_tower(OnnxOptions options, Mask mask) {
  options.name = "text";
  OnnxInterpreter ops(options);
  const Tokens tokens = ops.tokens({}, {}, {});
  Rows x = ops.embedding(tokens, TokenField::id, parameter("text.token_embedding.weight", {9, 4}));
  x = ops.add_positions(x, parameter("text.position_embedding.weight", {6, 4}), 0);
  for (const char* layer : {"text.layers.0", "text.layers.1"}) {
    const std::string at = layer;
    const Rows normed =
        ops.layer_norm(x, {parameter(at + ".norm.weight", {4}), parameter(at + ".norm.bias", {4}), 1e-5});
    const Linear qkv{Parameter::stacked({parameter(at + ".attn.q_proj.weight", {4, 4}),
                                         parameter(at + ".attn.k_proj.weight", {4, 4}),
                                         parameter(at + ".attn.v_proj.weight", {4, 4})}),
                     parameter(at + ".attn.bias", {12})};
    const Rows all = ops.linear(normed, qkv, {});
    x = ops.attention(ops.columns(all, 0, 4), ops.columns(all, 4, 4), ops.columns(all, 8, 4),
                      {.heads = 2, .mask = mask});
  }
  x = ops.row_where(x, tokens, {TokenRule::Kind::first_of, 8});
  x = ops.linear(x, {parameter("text_projection.weight", {3, 4}), {}}, {});
  ops.output("text_embeds", x);
  return ops.graph();
}

TEST(Onnx, NodesBearTheNamesOfTheCheckpoint) {
  const Graph graph = text_tower({}, Mask::causal);
  expect_sound(graph);
  std::set<std::string> names;
  for (const onnx::Node& node : graph.nodes) names.insert(node.name);
  EXPECT_TRUE(names.contains("/text/token_embedding/Gather"));
  EXPECT_TRUE(names.contains("/text/layers/1/norm/LayerNormalization"));
  EXPECT_TRUE(names.contains("/text/layers/0/attn/q_proj+k_proj+v_proj/MatMul"));
  EXPECT_TRUE(names.contains("/text/layers/1/attn/Softmax"));
  EXPECT_TRUE(names.contains("/text_projection/Gemm"));
}

// A list that is meant to be looked at when it changes: what one layer costs, and what all share.
TEST(Onnx, OneLayerIsTheseNodes) {
  const Graph graph = text_tower({}, Mask::causal);
  std::vector<std::string> layer;
  for (const onnx::Node& node : graph.nodes) {
    if (node.name.starts_with("/text/layers/0/")) layer.push_back(node.type);
  }
  EXPECT_EQ(layer,
            (std::vector<std::string>{"LayerNormalization", "MatMul", "Add", "Split", "Reshape", "Transpose",
                                      "Mul", "Reshape", "Transpose", "MatMul", "Add", "Softmax", "Reshape",
                                      "Transpose", "MatMul", "Transpose", "Reshape"}));
  EXPECT_EQ(count(graph, "LessOrEqual"), 1);  // the causal mask is one for all layers
  EXPECT_EQ(count(graph, "Where"), 1);
  EXPECT_EQ(count(graph, "Range"), 1);
}

TEST(Onnx, BatchAndLengthAreDynamic) {
  const Graph graph = text_tower({}, Mask::none);
  ASSERT_EQ(graph.inputs.size(), 2U);
  EXPECT_EQ(graph.inputs[0].name, "input_ids");
  EXPECT_EQ(graph.inputs[0].type, ElementType::i64);
  EXPECT_EQ(graph.inputs[0].shape[0].name, "batch_size");
  EXPECT_EQ(graph.inputs[0].shape[1].name, "sequence_length");
  EXPECT_EQ(graph.inputs[1].name, "attention_mask");
  ASSERT_EQ(graph.outputs.size(), 1U);
  EXPECT_EQ(graph.outputs[0].shape[0].name, "batch_size");
  EXPECT_EQ(graph.outputs[0].shape[1].size, 3);
}

// Their positions are one product with the table, whatever grids a batch has.
TEST(Onnx, PicturesInTheirOwnShapesComeWithAMaskAndTheirGrids) {
  OnnxInterpreter ops({});
  const Patches patches = ops.patches({}, 6, {});
  Rows x = ops.linear(ops.rows_of(patches), {parameter("v.patch.weight", {4, 6}), {}}, {});
  x = ops.add_position_grid(x, patches, {parameter("v.position.weight", {10, 4}), 1, 3, 3});
  x = ops.attention(x, x, x, {.heads = 2});
  ops.output("image_embeds", ops.mean_rows(x, 0));
  const Graph& graph = ops.graph();
  expect_sound(graph);
  ASSERT_EQ(graph.inputs.size(), 3U);
  EXPECT_EQ(graph.inputs[0].shape[1].name, "num_patches");
  EXPECT_EQ(graph.inputs[0].shape[2].size, 6);
  EXPECT_EQ(graph.inputs[1].name, "pixel_attention_mask");
  EXPECT_EQ(graph.inputs[2].name, "spatial_shapes");
  EXPECT_EQ(graph.inputs[2].shape[1].size, 2);
  const auto table = std::ranges::find_if(graph.initializers, [](const onnx::Initializer& constant) {
    return constant.name.starts_with("v.position.weight");
  });
  ASSERT_NE(table, graph.initializers.end());
  EXPECT_EQ(table->shape, (Shape{9, 4}));
  EXPECT_EQ(count(graph, "Where"), 2);  // padding is not looked at; a picture one patch wide has one position
  const Rows one = ops.first_row(x);
  expect_error(ErrorCode::shape_mismatch, [&] {
    ops.add_position_grid(one, patches, {parameter("v.position.weight", {9, 4}), 0, 3, 3});
  });
}

TEST(Onnx, RefusalsNameTheOperationAndTheLayer) {
  OnnxInterpreter ops({});
  const Tokens tokens = ops.tokens({}, {}, {});
  const Rows types = ops.embedding(tokens, TokenField::type, parameter("text.type_embedding.weight", {2, 4}));
  try {
    ops.attention(types, types, types, {.heads = 1});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    const std::string message = error.what();
    EXPECT_NE(message.find("attention"), std::string::npos) << message;
    EXPECT_NE(message.find("text.type_embedding"), std::string::npos) << message;
  }
}

TEST(Onnx, OlderOpsetsGetDecomposedNorms) {
  const Graph newer = text_tower(at_opset(17), Mask::none);
  EXPECT_EQ(count(newer, "LayerNormalization"), 2);
  const Graph older = text_tower(at_opset(16), Mask::none);
  EXPECT_EQ(count(older, "LayerNormalization"), 0);
  EXPECT_EQ(count(older, "Sqrt"), 2);
  expect_sound(older);
}

TEST(Onnx, GeluIsOneNodeFromOpset20On) {
  const auto gelu = [](int opset) {
    OnnxInterpreter ops(at_opset(opset));
    const Rows x = ops.mean_pixels(ops.pixels({}, 1, 3, 2, 2));
    ops.output("y", ops.activation(x, Activation::gelu));
    return count(ops.graph(), "Gelu");
  };
  EXPECT_EQ(gelu(19), 0);
  EXPECT_EQ(gelu(20), 1);
}

TEST(Onnx, AxesOfReductionsAreInputsFromOpset18On) {
  const auto reduction = [](int opset) {
    OnnxInterpreter ops(at_opset(opset));
    const Rows x = ops.mean_pixels(ops.pixels({}, 1, 3, 2, 2));
    ops.output("y", ops.l2_normalize(x, 0));
    for (const onnx::Node& node : ops.graph().nodes) {
      if (node.type == "ReduceL2") return node;
    }
    return onnx::Node{};
  };
  EXPECT_TRUE(reduction(17).attributes.contains("axes"));
  EXPECT_EQ(reduction(17).inputs.size(), 1U);
  EXPECT_FALSE(reduction(18).attributes.contains("axes"));
  EXPECT_EQ(reduction(18).inputs.size(), 2U);
}

TEST(Onnx, RefusesOpsetsThatItCannotWrite) {
  expect_error(ErrorCode::invalid_argument, [] { OnnxInterpreter ops(at_opset(13)); });
  expect_error(ErrorCode::invalid_argument, [] { OnnxInterpreter ops(at_opset(22)); });
}

TEST(Onnx, RefusesShapesThatContradictEachOther) {
  OnnxInterpreter ops({});
  const Tokens tokens = ops.tokens({}, {}, {});
  const Rows x = ops.embedding(tokens, TokenField::id, parameter("table", {9, 4}));
  expect_error(ErrorCode::shape_mismatch, [&] { ops.linear(x, {parameter("w", {2, 5}), {}}, {}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops.add_row(x, parameter("row", {5})); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops.output("y", x); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops.attention(x, x, x, {.heads = 3}); });
  expect_error(ErrorCode::out_of_range, [&] { ops.columns(x, 2, 3); });
  expect_error(ErrorCode::unsupported, [&] { ops.read(x); });
}

TEST(Onnx, KnowsWhetherPaddingWouldBeSeen) {
  OnnxOptions without;
  without.text.mask.clear();
  OnnxInterpreter causal(without);
  Tokens tokens = causal.tokens({}, {}, {});
  Rows x = causal.embedding(tokens, TokenField::id, parameter("table", {9, 4}));
  causal.row_where(causal.attention(x, x, x, {.heads = 1, .mask = Mask::causal}), tokens, {});
  EXPECT_FALSE(causal.needs_mask());
  OnnxInterpreter mean(without);
  tokens = mean.tokens({}, {}, {});
  mean.mean_rows(mean.embedding(tokens, TokenField::id, parameter("table", {9, 4})), 0);
  EXPECT_TRUE(mean.needs_mask());
}

TEST(Onnx, HalvesKeepNormsSoftmaxAndPortsInF32) {
  const Graph graph = onnx::in_f16(text_tower({}, Mask::causal));
  expect_sound(graph);
  for (const onnx::Node& node : graph.nodes) {
    if (node.type == "Softmax" || node.type == "LayerNormalization") {
      EXPECT_EQ(graph.type_of(node.inputs[0]), ElementType::f32) << node.name;
      EXPECT_EQ(graph.type_of(node.outputs[0]), ElementType::f32) << node.name;
    }
    if (node.type == "MatMul" || node.type == "Gemm") {
      EXPECT_EQ(graph.type_of(node.inputs[0]), ElementType::f16) << node.name;
      EXPECT_EQ(graph.type_of(node.inputs[1]), ElementType::f16) << node.name;
    }
  }
  EXPECT_EQ(graph.outputs[0].type, ElementType::f32);
  EXPECT_EQ(graph.type_of(graph.nodes.back().inputs[0]), ElementType::f32);
}

TEST(Onnx, Int8QuantizesMatricesByOutputAndTablesByRow) {
  const Graph whole = text_tower({}, Mask::causal);
  const Graph graph = onnx::in_dynamic_int8(whole);
  expect_sound(graph);
  EXPECT_EQ(count(graph, "MatMulInteger"), 3);
  EXPECT_EQ(count(graph, "DynamicQuantizeLinear"), 0);  // its scale would be one for the whole batch
  EXPECT_EQ(count(graph, "MatMul"), 4);                 // of attention
  for (const onnx::Initializer& constant : graph.initializers) {
    if (constant.type != ElementType::i8) continue;
    const std::string base = constant.name.substr(0, constant.name.size() - 5);
    const auto scale = std::find_if(graph.initializers.begin(), graph.initializers.end(),
                                    [&](const auto& other) { return other.name == base + ".scale"; });
    ASSERT_NE(scale, graph.initializers.end()) << base;
    const std::vector<float> quantized = constant.floats();
    const std::vector<float> scales = scale->floats();
    const auto columns = static_cast<std::size_t>(constant.shape[1]);
    for (std::size_t i = 0; i < quantized.size(); ++i) {
      EXPECT_LE(std::abs(quantized[i]), 127);
      EXPECT_EQ(quantized[i], std::nearbyint(quantized[i]));
      const float step = scales[scale->shape.rank() == 2 ? i / columns : i % columns];
      EXPECT_GT(step, 0);
    }
  }
}

}  // namespace
}  // namespace moa
