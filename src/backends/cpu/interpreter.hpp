// One forward pass on the cpu. The operations are grouped by file: interpreter.cpp (inputs and outputs, what
// all share), products.cpp, rows.cpp, items.cpp, texts.cpp, positions.cpp, attention.cpp, pictures.cpp,
// channels.cpp.
#pragma once

#include <atomic>
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
  Engine(const Kernels& its_kernels, int thread_count, Precision its_precision)
      : kernels(its_kernels),
        precision(its_precision),
        threads(thread_count),
        weights(its_kernels, threads) {}

  const Kernels& kernels;
  const Precision precision;
  ThreadPool threads;
  PreparedWeights weights;
  BlockCache blocks;
  std::atomic<std::int64_t> multiply_adds{0};  // of products, convolutions and attentions so far
};

class CpuInterpreter final : public Interpreter {
 public:
  explicit CpuInterpreter(Engine& engine) : engine_(engine), kernels_(engine.kernels) {}

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
  // Behind a handle. Error: internal if it is empty or another interpreter's.
  const RowsValue& see(const Rows& x);  // computed, if they were only described
  const RowsValue& see_described(const Rows& x) const;
  const TensorValue& see(const Tensor& x) const;
  const TokensValue& see(const Tokens& x) const;
  const PatchesValue& see(const Patches& x) const;

  std::shared_ptr<RowsValue> new_rows(const Sequences& sequences, std::int64_t width);
  std::shared_ptr<TensorValue> new_tensor(std::int64_t batch, std::int64_t height, std::int64_t width,
                                          std::int64_t channels);
  // One row an item, copied from row `pick(item)` of x.
  Rows pick_rows(const RowsValue& x, const std::function<std::int64_t(std::int64_t item)>& pick);

  // Calls piece(begin, end) on parts of [0, count), from several threads if `count * cost` is worth it; cost
  // is in floats touched or multiplied for one element of the range.
  void in_parts(std::int64_t count, std::int64_t cost,
                const std::function<void(std::int64_t begin, std::int64_t end)>& piece);

  // A task's weights, so many columns by the depth that a kernel takes at once, fill a fraction of a usual
  // second-level cache.
  static constexpr std::int64_t kTaskColumns = 256;

  // A product with weights; `a` and `row_scales` as the weights' precision asks for.
  struct Product {
    ConstMatrix a;
    const float* row_scales;
    const PreparedMatrix& weights;
    Epilogue epilogue;
    Matrix out;
  };
  // Rows [row, row + rows) and columns [column, column + columns) of a product, in this thread.
  void part_of_product(const Product& product, std::int64_t row, std::int64_t rows, std::int64_t column,
                       std::int64_t columns) const;
  // How many of `columns` a task takes.
  std::int64_t task_columns(std::int64_t columns, const Products& kernel) const;
  // out[rows, columns] = epilogue(a x weights), cut into tasks that keep weights in cache.
  void product(const Product& product, std::int64_t rows, std::int64_t columns);
  // The same of f32 rows [rows, width], which are narrowed first if the weights are.
  void product(ConstMatrix x, std::int64_t rows, std::int64_t width, const PreparedMatrix& weights,
               std::int64_t columns, const Epilogue& epilogue, Matrix out);
  // epilogue(x x weight), computed if it is for f32, with panels that are packed task by task and not kept.
  void unprepared_product(const RowsValue& x, const Parameter& weight, Precision precision,
                          const Epilogue& epilogue, Matrix out);
  // Whether a matrix of `weight` is stored as two thin ones, and `linear` of such.
  static bool has_thin_parts(const Parameter& weight);
  Rows thin_linear(const Rows& x, const Linear& layer, const LinearOptions& options);
  // Whether the product of `in` with weights should be described rather than computed (RowsValue), and it
  // described.
  bool worth_describing(const RowsValue& in, Precision precision, const LinearOptions& options) const;
  Rows described_product(const RowsValue& in, const PreparedMatrix& weights, const Epilogue& epilogue,
                         std::int64_t columns);
  // x as products in `precision` (not f32) read it; kept until it is asked for in another one.
  const NarrowRows& narrowed(const RowsValue& x, Precision precision);
  NarrowRows room_for_narrow_rows(std::int64_t rows, std::int64_t width, const Products& products);
  // What a product that asks for `asked` runs in, and a convolution over all channels of `input`.
  Precision precision_for(ProductPrecision asked) const;
  Precision precision_for(const TensorValue& input, const ConvolutionOptions& options) const;
  // `whole` says what is the same for every picture; where a picture begins and ends is filled in.
  void depthwise(const TensorValue& x, const DepthwiseTask& whole, TensorValue& out);
  void general_convolution(const TensorValue& x, const Convolution& layer, const ConvolutionOptions& options,
                           const Epilogue& epilogue, TensorValue& out);

  Engine& engine_;
  const Kernels& kernels_;
};

// The rows of `matrix` from `row` on.
Matrix from_row(Matrix matrix, std::int64_t row);
// Error: shape_mismatch "cannot <attempt>: found …, expected …" unless found == expected.
void expect_equal(std::int64_t found, std::int64_t expected, const std::string& attempt);
// Error: shape_mismatch "cannot <attempt>: …" unless they have as many rows for each item, as wide.
void expect_same_rows(const RowsValue& a, const RowsValue& b, const char* attempt);
// Error: shape_mismatch unless `parameter` is [width].
void expect_row(const Parameter& parameter, std::int64_t width, const char* attempt);

}  // namespace moa::cpu
