// One forward pass on the cpu. The operations are grouped by file: interpreter.cpp (inputs and outputs, what
// all share), rows.cpp, items.cpp, texts.cpp, positions.cpp, attention.cpp, pictures.cpp, channels.cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backends/cpu/block_cache.hpp"
#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/prepared_weights.hpp"
#include "backends/cpu/values.hpp"
#include "base/thread_pool.hpp"
#include "tensor/interpreter.hpp"

namespace moa::cpu {

// What forward passes share.
struct Engine {
  Engine(const Kernels& its_kernels, int thread_count)
      : kernels(its_kernels), threads(thread_count), weights(its_kernels, threads) {}

  const Kernels& kernels;
  ThreadPool threads;
  PreparedWeights weights;
  BlockCache blocks;
};

class CpuInterpreter final : public Interpreter {
 public:
  explicit CpuInterpreter(Engine& engine) : engine_(engine), kernels_(engine.kernels) {}

  Tokens tokens(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                const Sequences& sequences) override;
  Tensor pixels(std::span<const float> values, std::int64_t batch, std::int64_t channels,
                std::int64_t height_px, std::int64_t width_px) override;
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
  Rows mean_rows(const Rows& x) override;
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

 private:
  // Behind a handle. Error: internal if it is empty or another interpreter's.
  const RowsValue& see(const Rows& x) const;
  const TensorValue& see(const Tensor& x) const;
  const TokensValue& see(const Tokens& x) const;

  std::shared_ptr<RowsValue> new_rows(const Sequences& sequences, std::int64_t width);
  std::shared_ptr<TensorValue> new_tensor(std::int64_t batch, std::int64_t height, std::int64_t width,
                                          std::int64_t channels);
  // One row an item, copied from row `pick(item)` of x.
  Rows pick_rows(const RowsValue& x, const std::function<std::int64_t(std::int64_t item)>& pick);

  // Calls piece(begin, end) on parts of [0, count), from several threads if `count * cost` is worth it; cost
  // is in floats touched or multiplied for one element of the range.
  void in_parts(std::int64_t count, std::int64_t cost,
                const std::function<void(std::int64_t begin, std::int64_t end)>& piece);
  // out = epilogue(a[rows, depth] x panels[depth, columns]), cut into tasks that keep weights in cache.
  void product(ConstMatrix a, std::int64_t rows, std::int64_t depth, std::int64_t columns,
               const float* panels, const Epilogue& epilogue, Matrix out);
  // `whole` says what is the same for every picture; where a picture begins and ends is filled in.
  void depthwise(const TensorValue& x, const DepthwiseTask& whole, TensorValue& out);
  void general_convolution(const TensorValue& x, const Convolution& layer, const ConvolutionOptions& options,
                           const Epilogue& epilogue, TensorValue& out);

  Engine& engine_;
  const Kernels& kernels_;
};

// Error: shape_mismatch "cannot <attempt>: found …, expected …" unless found == expected.
void expect_equal(std::int64_t found, std::int64_t expected, const std::string& attempt);
// Error: shape_mismatch unless `table` is a matrix.
void expect_table(const Parameter& table);
// Error: shape_mismatch unless `parameter` is [width].
void expect_row(const Parameter& parameter, std::int64_t width, const char* attempt);

}  // namespace moa::cpu
