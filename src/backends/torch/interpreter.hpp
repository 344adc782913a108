// torch: the interpreter that computes with libtorch, with gradients, on a CPU or a GPU. What learns drives
// it (src/train/component); headers of torch are included here and there, nowhere else.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "backends/torch/values.hpp"
#include "backends/torch/weights.hpp"
#include "tensor/interpreter.hpp"
#include "tensor/precision.hpp"

namespace moa {

// Rows are laid out padded, and attention and pooling do not look at the padding. Gradients reach every
// tensor of `weights` that is learned, as long as torch records them.
class TorchInterpreter final : public Interpreter {
 public:
  // `weights` must outlive it. Error: unsupported for int8.
  explicit TorchInterpreter(torch::TorchWeights& weights, Precision precision = Precision::f32);

  // `x`, one row an item, as [items, width]; with its graph. Error: shape_mismatch for several rows.
  static at::Tensor matrix(const Rows& x);
  // The other way: [items, width], one row an item.
  static Rows rows_of_items(const at::Tensor& matrix);

  Tokens tokens(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                const Sequences& sequences) override;
  Tensor pixels(std::span<const float> values, std::int64_t batch, std::int64_t channels,
                std::int64_t height_px, std::int64_t width_px) override;
  Patches patches(std::span<const float> values, std::int64_t width,
                  std::span<const PatchGrid> grids) override;
  std::vector<float> read(const Rows& x) override;

  Rows linear(const Rows& x, const Linear& layer, const LinearOptions& options) override;
  Rows layer_norm(const Rows& x, const LayerNorm& norm) override;
  Rows activation(const Rows& x, Activation kind) override;
  Rows add(const Rows& a, const Rows& b) override;
  Rows add_row(const Rows& x, const Parameter& row) override;
  Rows multiply(const Rows& a, const Rows& b) override;
  Rows multiply_row(const Rows& x, const Parameter& row) override;
  Rows softmax(const Rows& x, double scale) override;
  Rows l2_normalize(const Rows& x, double eps) override;
  Rows columns(const Rows& x, std::int64_t begin, std::int64_t width) override;
  Rows attention(const Rows& q, const Rows& k, const Rows& v, const AttentionOptions& options) override;
  Rows embedding(const Tokens& tokens, TokenField field, const Parameter& table) override;
  Rows add_positions(const Rows& x, const Parameter& table, std::int64_t first) override;
  Rows add_positions_after(const Rows& x, const Tokens& tokens, const Parameter& table,
                           std::int32_t pad) override;
  Rows first_row(const Rows& x) override;
  Rows last_row(const Rows& x) override;
  Rows mean_rows(const Rows& x, std::int64_t first) override;
  Rows pool_rows(const Rows& x, RowPooling kind) override;
  Rows row_where(const Rows& x, const Tokens& tokens, const TokenRule& rule) override;
  Rows prepend_row(const Rows& x, const Parameter& row) override;
  Rows repeat_rows(const Rows& x, const Parameter& table) override;
  Rows concatenate(const Rows& a, const Rows& b) override;
  Rows drop_rows_after(const Rows& x, const Tokens& tokens, std::int32_t id) override;
  Tensor convolution(const Tensor& x, const Convolution& layer, const ConvolutionOptions& options) override;
  Tensor activation(const Tensor& x, Activation kind) override;
  Tensor scale_channels(const Tensor& x, const Rows& factors) override;
  Tensor average_pool(const Tensor& x, std::int64_t size_px) override;
  Tensor add_position_grid(const Tensor& x, const PositionGrid& grid) override;
  Rows rows_of(const Tensor& x) override;
  Rows mean_pixels(const Tensor& x) override;
  Rows rows_of(const Patches& patches) override;
  Rows add_position_grid(const Rows& x, const Patches& patches, const PositionGrid& grid) override;

 private:
  using RowsValue = torch::RowsValue;
  using TensorValue = torch::TensorValue;
  using TokensValue = torch::TokensValue;

  static const RowsValue& see(const Rows& x);
  static const TensorValue& see(const Tensor& x);
  static const TokensValue& see(const Tokens& x);
  static const torch::PatchesValue& see(const Patches& x);
  static Rows rows(at::Tensor box, const Sequences& sequences);
  static Tensor tensor(at::Tensor box);

  // `values` on the device.
  at::Tensor to_device(const at::Tensor& values) const;
  at::Tensor indices(const std::vector<std::int64_t>& values) const;
  // [items, rows], true where a row is an item's and no padding; undefined if all are.
  at::Tensor mask(const Sequences& sequences) const;
  // [items, 1, 1]: how many rows each item has.
  at::Tensor counts(const Sequences& sequences) const;
  // The rows `from` of a box, counted through [items * longest], as those of `sequences`, one after another.
  Rows gathered(const RowsValue& x, const std::vector<std::int64_t>& from, const Sequences& sequences) const;
  // Row `pick(item)` of each item.
  template <typename Pick>
  Rows picked(const RowsValue& x, Pick pick) const;
  // The cells of `grid` as a picture, [1, width, height, width in cells].
  at::Tensor cells(const PositionGrid& grid, std::int64_t width);
  at::Tensor product(const at::Tensor& x, const Linear& layer, ProductPrecision asked);
  // [1, heads, queries, keys].
  at::Tensor relative_bias(const RelativeBias& bias, std::int64_t heads, std::int64_t queries,
                           std::int64_t keys);

  torch::TorchWeights& weights_;
  Precision precision_;
};

namespace torch {

at::Tensor activated(const at::Tensor& x, Activation kind);
void expect_row(const Parameter& row, std::int64_t width);

}  // namespace torch
}  // namespace moa
