// Ops: the vocabulary in which models are written. A model is a composition of these calls; an interpreter
// decides what a call does: compute it on a CPU (backends/cpu), write it down (backends/recording), and
// others to come.
//
// Mathematics, for every interpreter: statistics of norms, softmax, l2_normalize and sums are f32 or better,
// whatever the precision of the run. Shapes are checked against the parameters: shape_mismatch. An id outside
// its table is out_of_range.
//
// The precision of a run (precision.hpp) concerns products with weights alone: `linear`, unless its options
// ask for f32, and `convolution` over all channels of anything but the pixels themselves (the first
// convolution sees what a picture is; a rounding there is in everything that follows). All else is f32:
// attention, norms, sums, embeddings, residuals, depthwise convolutions.
#pragma once

#include <cstdint>

#include "tensor/parameter.hpp"
#include "tensor/value.hpp"

namespace moa {

// none: x.  quick_gelu: x sigmoid(1.702 x).  gelu: x (1 + erf(x / sqrt 2)) / 2.  gelu_tanh: its tanh
// approximation. silu: x sigmoid(x).  relu6: min(max(x, 0), 6).
enum class Activation { none, quick_gelu, gelu, gelu_tanh, relu, relu6, silu, tanh, sigmoid };

// y = x weightᵀ + bias; weight [out, in], bias [out] or absent.
struct Linear {
  Parameter weight;
  Parameter bias;
};

// (x - mean) / sqrt(variance + eps) * weight + bias over the last axis, population variance; weight and bias
// [width].
struct LayerNorm {
  Parameter weight;
  Parameter bias;
  double eps = 1e-5;
};

// weight [out, in / groups, kernel height, kernel width], bias [out] or absent.
struct Convolution {
  Parameter weight;
  Parameter bias;
};

// The precision that a product asks for: the run's; the run's, but not less than bf16; or f32 in every run.
// bf16 is for activations with a few columns far larger than the others, which leave the rest of a row few of
// int8's steps. f32 is for what stands at the end, where no later layer averages an error out (the projection
// into the shared space), and for what sees pixels.
enum class ProductPrecision { of_run, bf16, f32 };

struct LinearOptions {
  Activation activation = Activation::none;  // applied to x weightᵀ + bias
  const Rows* residual = nullptr;            // added last, if given
  ProductPrecision precision = ProductPrecision::of_run;
};

// Which rows of its own item a row attends to.
enum class Mask { none, causal };

// What each head adds to the score of a key by its distance from the query, d = key - query, in either
// direction: row bucket(d) of `table` [buckets, heads]. One half of the buckets is for keys in front, the
// other for those behind; in a half of n, the distances below n / 2 have a bucket each, and the others share
// them logarithmically up to `max_distance`. Raffel et al. 2020 (arXiv 1910.10683), section 2.1.
struct RelativeBias {
  Parameter table;
  std::int64_t max_distance = 128;
};

struct AttentionOptions {
  std::int64_t heads = 1;  // divides the width of q, k and v
  double scale = 0;        // 0: 1 / sqrt(head width)
  Mask mask = Mask::none;
  const RelativeBias* relative_bias = nullptr;  // added to q kᵀ scale, if given
};

struct PixelPadding {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;  // zeros around the picture
};

struct ConvolutionOptions {
  std::int64_t stride = 1;
  PixelPadding padding = {};
  std::int64_t groups = 1;  // 1, or the number of channels (depthwise)
  Activation activation = Activation::none;
  const Tensor* residual = nullptr;                       // added last, if given
  ProductPrecision precision = ProductPrecision::of_run;  // of one over all channels
};

enum class TokenField { id, type };

// Which row of an item stands for the whole text.
struct TokenRule {
  // first_of: the first row whose id is `id`, row 0 if there is none.  largest_id: the first row that holds
  // the item's largest id.
  enum class Kind { first_of, largest_id };
  Kind kind = Kind::first_of;
  std::int32_t id = 0;
};

// How the rows of an item become one, number by number. max: the largest.  sum_by_root: the sum divided by
// the square root of their number.  mean_by_place: the mean in which the i-th row, from 1, counts i times.
enum class RowPooling { max, sum_by_root, mean_by_place };

// A position table of `height` x `width` rows, in reading order from row `first` on.
struct PositionGrid {
  Parameter table;
  std::int64_t first = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

class Ops {
 public:
  virtual ~Ops() = default;

  // ---- rows in, rows out, item by item unchanged in number
  virtual Rows linear(const Rows& x, const Linear& layer, const LinearOptions& options = {}) = 0;
  virtual Rows layer_norm(const Rows& x, const LayerNorm& norm) = 0;
  virtual Rows activation(const Rows& x, Activation kind) = 0;
  virtual Rows add(const Rows& a, const Rows& b) = 0;
  // x + row, the same row [width] to every row.
  virtual Rows add_row(const Rows& x, const Parameter& row) = 0;
  // Element by element.
  virtual Rows multiply(const Rows& a, const Rows& b) = 0;
  // x * row, the same row [width] to every row.
  virtual Rows multiply_row(const Rows& x, const Parameter& row) = 0;
  // softmax(scale x) along each row.
  virtual Rows softmax(const Rows& x, double scale) = 0;
  // x / max(|x|, eps) for each row; eps 0 divides by |x| itself.
  virtual Rows l2_normalize(const Rows& x, double eps) = 0;
  // Columns [begin, begin + width) of every row.
  virtual Rows columns(const Rows& x, std::int64_t begin, std::int64_t width) = 0;
  // softmax(q kᵀ scale + mask) v, per head, within each item. k and v have as many rows for each item; so has
  // q under a causal mask, else q may have its own number (cross-attention, a learned query), and n times as
  // many items: items n i to n i + n - 1 then ask keys i (several texts about one picture).
  virtual Rows attention(const Rows& q, const Rows& k, const Rows& v, const AttentionOptions& options) = 0;

  // ---- texts
  // The table's row for each token's id (or type); table [entries, width].
  virtual Rows embedding(const Tokens& tokens, TokenField field, const Parameter& table) = 0;
  // Adds table row `first + i` to the i-th row of each item; table [positions, width]. Error: out_of_range
  // past its end.
  virtual Rows add_positions(const Rows& x, const Parameter& table, std::int64_t first = 0) = 0;
  // RoBERTa's positions: a token whose id is not `pad` is given table row `pad + n`, where n is how many such
  // tokens of its item there are up to itself; a token `pad` is given row `pad`. Error: out_of_range past the
  // table's end.
  virtual Rows add_positions_after(const Rows& x, const Tokens& tokens, const Parameter& table,
                                   std::int32_t pad) = 0;

  // ---- one row an item
  virtual Rows first_row(const Rows& x) = 0;
  virtual Rows last_row(const Rows& x) = 0;
  // Of each item's rows from `first` on, of which there must be one (shape_mismatch).
  virtual Rows mean_rows(const Rows& x, std::int64_t first = 0) = 0;
  virtual Rows pool_rows(const Rows& x, RowPooling kind) = 0;
  virtual Rows row_where(const Rows& x, const Tokens& tokens, const TokenRule& rule) = 0;
  // `row` [width] put before the rows of each item.
  virtual Rows prepend_row(const Rows& x, const Parameter& row) = 0;
  // The rows of `table` [rows, width] for each item of x: what a tower asks every item with (learned
  // queries).
  virtual Rows repeat_rows(const Rows& x, const Parameter& table) = 0;

  // ---- rows of each item put together or left out
  // The rows of each item of a, then those of the same item of b.
  virtual Rows concatenate(const Rows& a, const Rows& b) = 0;
  // x has one row more than there are tokens, for each item. Keeps the first row and every row whose
  // predecessor's token is not `id`: the keys that CoCa's texts look at.
  virtual Rows drop_rows_after(const Rows& x, const Tokens& tokens, std::int32_t id) = 0;

  // ---- pictures
  virtual Tensor convolution(const Tensor& x, const Convolution& layer,
                             const ConvolutionOptions& options) = 0;
  virtual Tensor activation(const Tensor& x, Activation kind) = 0;
  // Each channel of a picture times the picture's own factor for it; `factors` has one row an item, as wide
  // as x has channels.
  virtual Tensor scale_channels(const Tensor& x, const Rows& factors) = 0;
  // The mean of each size_px x size_px square, side by side; what does not fill a square at the right and at
  // the bottom is left out. Error: shape_mismatch if not one fits.
  virtual Tensor average_pool(const Tensor& x, std::int64_t size_px) = 0;
  // x plus a position for each pixel. Where x has another size than the grid, the grid is resized to it:
  // bicubic, A = -0.75, pixel centres at halves, edges repeated, not smoothed when it shrinks (torch's
  // interpolate).
  virtual Tensor add_position_grid(const Tensor& x, const PositionGrid& grid) = 0;
  // Each pixel position becomes a row of `channels` values, in reading order.
  virtual Rows rows_of(const Tensor& x) = 0;
  // The mean over all pixel positions: one row of `channels` values an item.
  virtual Rows mean_pixels(const Tensor& x) = 0;

  // ---- pictures of their own shapes
  // Each patch becomes a row of its values, in reading order.
  virtual Rows rows_of(const Patches& patches) = 0;
  // x plus a position for each of its rows, which belong to the patches. The grid is resized to that of each
  // picture: bilinear, pixel centres at halves, smoothed where it shrinks (torch's interpolate with
  // antialias; what it does to pictures one patch wide, repeats_first_row in tensor/position_grid.hpp says).
  virtual Rows add_position_grid(const Rows& x, const Patches& patches, const PositionGrid& grid) = 0;
};

}  // namespace moa
