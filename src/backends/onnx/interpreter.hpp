// The interpreter that computes nothing and writes every call into an ONNX graph.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/onnx/builder.hpp"
#include "tensor/interpreter.hpp"

namespace moa {

// How texts come into the graph. The names are those that its reader asks for.
struct OnnxTextInput {
  std::string ids = "input_ids";
  std::string mask = "attention_mask";  // 1 for a token, 0 for padding behind it; empty: there is none
  onnx::ElementType type = onnx::ElementType::i64;  // i64 or i32
  std::string batch = "batch_size";                 // what the dynamic sizes are called
  std::string length = "sequence_length";
  std::int64_t tokens = 0;  // a fixed length; 0: dynamic
};

// What a byte of each channel becomes: byte * scale + shift.
struct OnnxPixelValues {
  std::array<float, 3> scale{};
  std::array<float, 3> shift{};
};

struct OnnxImageInput {
  std::string pixels = "pixel_values";
  std::string batch = "batch_size";
  // If there, the graph takes bytes [batch, height, width, channels] as a decoder gives them, and does the
  // rest itself; else it takes what a processor makes of them, [batch, channels, height, width].
  std::optional<OnnxPixelValues> values = {};
  // Of pictures in their own shapes, which come as patches, [batch, patches, width]: 1 for a patch, 0 for
  // padding behind them, [batch, patches]; and how many patches each has down and across, [batch, 2].
  std::string mask = "pixel_attention_mask";
  std::string shapes = "spatial_shapes";
  std::string patches = "num_patches";  // what the dynamic size is called
};

struct OnnxOptions {
  std::string name = "moa";  // of the graph
  int opset = onnx::kDefaultOpset;
  OnnxTextInput text = {};
  OnnxImageInput image = {};
};

namespace onnx {

// Behind Rows: a value [batch, rows, width]; [batch, width] where each item has one row.
struct RowsValue final : Value {
  std::string name;
  std::int64_t width = 0;
  std::int64_t rows =
      0;             // of each item; 0: as many as its text has ids or its picture patches, padding included
  std::string mask;  // [batch, rows], boolean: which rows count; empty: all
  std::string batch_of;   // the graph's input whose first dimension is the number of items
  std::string length_of;  // where rows is 0: a value whose second dimension that is
  // One for all items: [1, rows, width] or [1, width]; where rows is 0, [1, 1, width] for every row of
  // theirs.
  bool shared = false;
};

// Behind Tensor: [batch, channels, height, width].
struct TensorValue final : Value {
  std::string name;
  std::int64_t channels = 0, height = 0, width = 0;
  std::string batch_of;
};

struct PatchesValue final : Value {
  RowsValue rows;
  std::string shapes;  // [batch, 2]
};

struct TokensValue final : Value {
  std::string ids;   // [batch, length]
  std::string mask;  // as in RowsValue
  std::string batch_of;
  std::int64_t tokens = 0;  // a fixed length, or 0
};

// Error: unsupported, naming the operation of Ops and the value, whose name is that of its layer.
[[noreturn]] void refuse(std::string_view operation, std::string_view value, std::string_view why);

}  // namespace onnx

// Rows are laid out padded, and a mask says which of them count: attention does not look at the others,
// pooling leaves them out. Their values mean nothing. What a graph computes for an item is what the cpu
// interpreter does, in the order of summation of whoever runs it.
//
// Errors beside those of Ops: unsupported, naming operation and layer, for what has no form in ONNX yet.
class OnnxInterpreter final : public Interpreter {
 public:
  // Error: out_of_range for an opset that it cannot write.
  explicit OnnxInterpreter(const OnnxOptions& options);

  // `x`, one row an item, as the output `name`.
  void output(const std::string& name, const Rows& x);
  // The scores of every pair, [images, texts] and transposed: scale * cosine + bias of rows on the unit
  // sphere.
  struct Scores {
    double scale = 1;
    double bias = 0;
    std::string per_image = "logits_per_image";
    std::string per_text = "logits_per_text";
  };
  void output_scores(const Rows& images, const Rows& texts, const Scores& scores);
  const onnx::Graph& graph() const noexcept { return builder_.graph(); }
  // Makes all rows of each item the output `name` [batch, rows, width]. Error: shape_mismatch if items have
  // rows of different numbers.
  void output_rows(const std::string& name, const Rows& x);
  // An input `name` of rows such as `like` has, which another interpreter made; one item for each text.
  Rows rows_beside(const Tokens& texts, const std::string& name, const Rows& like);
  // Whether what stands behind a text's own tokens would change its vector if there were no mask.
  bool needs_mask() const noexcept { return needs_mask_; }

  // The arguments are not looked at, but for the size of pictures and the width of patches.
  Tokens tokens(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                const Sequences& sequences) override;
  Tensor pixels(std::span<const float> values, std::int64_t batch, std::int64_t channels,
                std::int64_t height_px, std::int64_t width_px) override;
  Patches patches(std::span<const float> values, std::int64_t width,
                  std::span<const PatchGrid> grids) override;
  // Error: unsupported.
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
  using RowsValue = onnx::RowsValue;
  using TensorValue = onnx::TensorValue;
  using PatchesValue = onnx::PatchesValue;
  using TokensValue = onnx::TokensValue;

  static const RowsValue& see(const Rows& x);
  static const TensorValue& see(const Tensor& x);
  static const TokensValue& see(const Tokens& x);
  static const PatchesValue& see(const Patches& x);
  // `like` with another value behind it.
  static Rows rows(const RowsValue& like, std::string name);
  static Tensor tensor(const TensorValue& like, std::string name);
  // One row an item.
  static Rows item(const RowsValue& of, std::string name);

  // [batch, channels, height, width] of bytes [batch, height, width, channels].
  std::string values_of_bytes(const std::string& bytes, const OnnxPixelValues& values);
  std::string cell_weights(const std::string& place, const std::string& size, std::int64_t cells);
  std::string activate(const std::string& value, Activation kind);
  std::string relative_bias(const RelativeBias& bias, const RowsValue& query, const RowsValue& key);
  // Which keys are seen, broadcast to [batch, heads, queries, keys]; empty: all.
  std::string seen_keys(const RowsValue& key, Mask mask);
  // `x` with items, and rows, of its own where it was shared.
  RowsValue own(const RowsValue& x, const char* operation);
  // [batch, rows, width], also of one row an item.
  std::string boxed(const RowsValue& x);
  std::string batch(const std::string& batch_of);  // the number of items, [1]
  std::string length(const RowsValue& x);          // how many rows each item has, [1]
  // 1 where a row counts, f32, [batch, rows, 1]; counts as needing the mask.
  std::string counting(const RowsValue& x);
  std::string places(const std::string& count);  // 0, 1, ..., i64
  // The row of each item at `index` [batch, 1].
  Rows pick(const RowsValue& x, const std::string& index);
  void note_padding(const RowsValue& x);
  std::string mask_or_ones(const RowsValue& x);

  OnnxOptions options_;
  onnx::Builder builder_;
  bool needs_mask_ = false;
};

}  // namespace moa
