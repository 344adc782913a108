#include "nn/transformer.hpp"

#include <gtest/gtest.h>

#include "backends/recording/recording.hpp"

namespace moa {
namespace {

Parameter zeros(const std::string& name, const Shape& shape) {
  return Parameter::from_values(name, shape, std::vector<float>(static_cast<std::size_t>(shape.elements())));
}

Linear linear(const std::string& name, std::int64_t out, std::int64_t in) {
  return {zeros(name + ".weight", {out, in}), zeros(name + ".bias", {out})};
}

TEST(TransformerBlock, NormsComeBeforeAttentionAndMlpAndBothAddToWhatCameIn) {
  TransformerBlock block;
  block.norm1 = {zeros("norm1.weight", {8}), zeros("norm1.bias", {8}), 1e-5};
  block.attention = {stacked({linear("q", 8, 8), linear("k", 8, 8), linear("v", 8, 8)}), linear("out", 8, 8),
                     8, 2};
  block.norm2 = {zeros("norm2.weight", {8}), zeros("norm2.bias", {8}), 1e-5};
  block.mlp_in = linear("in", 20, 8);
  block.mlp_out = linear("out2", 8, 20);
  block.activation = Activation::gelu;

  RecordingInterpreter ops;
  const Rows x = ops.rows_of(ops.pixels({}, 1, 8, 1, 1));
  block.forward(ops, x, Mask::causal);
  const std::vector<std::string> expected = {
      "%2 = layer_norm(%1, norm1.weight [8], norm1.bias [8], eps=1e-05)",
      "%3 = linear(%2, q.weight+k.weight+v.weight [24, 8], q.bias+k.bias+v.bias [24])",
      "%4 = columns(%3, 0, 8)",
      "%5 = columns(%3, 8, 8)",
      "%6 = columns(%3, 16, 8)",
      "%7 = attention(%4, %5, %6, heads=2, mask=causal)",
      "%8 = linear(%7, out.weight [8, 8], out.bias [8], residual=%1)",
      "%9 = layer_norm(%8, norm2.weight [8], norm2.bias [8], eps=1e-05)",
      "%10 = linear(%9, in.weight [20, 8], in.bias [20], activation=gelu)",
      "%11 = linear(%10, out2.weight [8, 20], out2.bias [8], residual=%8)",
  };
  const std::vector<std::string> found(ops.calls().begin() + 2, ops.calls().end());
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace moa
