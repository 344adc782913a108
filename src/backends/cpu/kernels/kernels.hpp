// The computing parts of the cpu interpreter: one source, compiled once for each instruction-set level, and
// reached through this table. A kernel works on plain memory, in one thread, and knows no tensors. What may
// not enter: standard library code that is not inlined away, which would be compiled with the level's
// instructions and might then be linked into the rest of the program.
//
// Every number is computed by a fixed sequence of operations that depends on its own row (for attention: its
// own item) alone, so its bits do not depend on how work is cut into calls. Levels may differ from each
// other.
#pragma once

#include <cstdint>

#include "tensor/ops.hpp"
#include "tensor/precision.hpp"

namespace moa::cpu {

// Rows of equal width in memory, `stride` floats from one to the next.
struct ConstMatrix {
  const float* data;
  std::int64_t stride;
};
struct Matrix {
  float* data;
  std::int64_t stride;
  operator ConstMatrix() const { return {data, stride}; }
};

// What happens to a product before it is stored: + bias, activation, + residual. Null: absent.
struct Epilogue {
  const float* bias = nullptr;
  Activation activation = Activation::none;
  ConstMatrix residual = {nullptr, 0};
};

// What makes an int8 product's sums numbers again: (sum - correction[column]) * row[row] * column[column].
struct Int8Scales {
  const float* row = nullptr;
  const float* column = nullptr;
  const std::int32_t* correction = nullptr;
};

// out[rows, columns] = epilogue(a[rows, depth] x panels). Depth is counted in words of 32 bits, whatever they
// hold (see Products): `a` and `panels` carry them as floats. `panels` are as Products::pack writes them,
// beginning with the one of the first column; column scales, corrections, bias, residual and out begin at
// that column too, row scales at the first row.
struct ProductTask {
  ConstMatrix a;
  std::int64_t rows, depth, columns;
  const float* panels;
  Int8Scales scales;
  Epilogue epilogue;
  Matrix out;
};

// softmax(q kᵀ scale + mask) v of one head of one item with `tokens` keys, for query rows [begin, end); under
// a causal mask query i sees keys [0, i]. `scratch` holds attention_scratch(tokens, head_dim) floats, 64-byte
// aligned.
struct AttentionTask {
  ConstMatrix q, k, v;
  Matrix out;
  std::int64_t tokens, head_dim;
  std::int64_t begin, end;
  float scale;
  bool causal;
  // Added to the scaled score of query i and key j: bias[j - i], for every distance within the item. Null: 0.
  const float* bias;
  float* scratch;
};

// Rows [begin, end) of one picture's depthwise convolution, channels innermost. `weights` are
// [kernel_height * kernel_width][channels].
struct DepthwiseTask {
  const float* in;
  std::int64_t in_height, in_width, channels;
  const float* weights;
  std::int64_t kernel_height, kernel_width, stride, top, left;
  std::int64_t begin, end, out_width;
  Epilogue epilogue;  // the residual's stride is that of a pixel: `channels`
  float* out;
};

// Products in one precision. Numbers next to each other along the depth share a word of 32 bits: one f32, two
// bf16 or four int8. A row of activations may take more words than a panel's column, where a level has it
// widened beforehand. The depth is filled up with zeros.
struct Products {
  std::int64_t panel_columns;  // columns of a panel
  std::int64_t tile_rows;      // rows computed together; best a divisor of a task's rows. As many may be read
                               // behind the last one
  // Best the most rows of a task, and the most words of them; 0: any number.
  std::int64_t task_rows = 0;
  std::int64_t task_words = 0;
  // Best the rows that are computed and narrowed together, while they are in the second-level cache beside a
  // task's panels; all panels are read once for so many.
  std::int64_t described_rows = 48;
  std::int64_t elements_per_word;  // in a panel: 1, 2 or 4
  std::int64_t row_parts;          // words of a row for a word of a panel's column
  std::int64_t depth_step;         // the words of a column are a multiple of this
  std::int64_t zero_point;         // what an int8 row stores for 0; corrections are this times a column's sum

  // The most rows of a task whose rows have so many words; 0: any number.
  std::int64_t most_rows(std::int64_t words) const {
    if (task_words == 0) return task_rows;
    const std::int64_t tiles = task_words / (words * tile_rows);
    return (tiles > 0 ? tiles : 1) * tile_rows;
  }
  std::int64_t depth_words(std::int64_t depth) const {
    return ((depth + elements_per_word - 1) / elements_per_word + depth_step - 1) / depth_step * depth_step;
  }

  // The columns of as many panels as hold `columns`.
  std::int64_t whole_columns(std::int64_t columns) const {
    return (columns + panel_columns - 1) / panel_columns * panel_columns;
  }

  // Writes rows [0, columns) of w (columns <= panel_columns), each `depth` words long, as one panel:
  // panel[d * panel_columns + c] = w[c][d], zero where c >= columns.
  void (*pack)(ConstMatrix w, std::int64_t columns, std::int64_t depth, float* panel);
  void (*product)(const ProductTask& task);
  // Writes rows of `width` f32 as a product reads them: depth_words(width) * row_parts words a row, and each
  // row's scale (int8 alone; NaN for a row that holds NaN or infinity, which makes all its products NaN). A
  // row of `out` has room for a multiple of kNarrowWords words, and all of them may be written. Null for f32,
  // which is read as it is.
  void (*narrow)(ConstMatrix x, std::int64_t rows, std::int64_t width, Matrix out, float* scales);

  // For int8 at levels that add up products in 16 bits: weights bound so that none overflows
  // (kernels/bound_int8.hpp). Null elsewhere. to_bound_int8 is Kernels::to_int8, of finite numbers, with a
  // scale coarse enough for that; bind_int8 makes it so in a row that was narrowed without it, and returns
  // the row's new scale.
  float (*to_bound_int8)(const float* x, std::int64_t width, std::int8_t* out) = nullptr;
  float (*bind_int8)(std::int8_t* row, std::int64_t width, float scale) = nullptr;
};

constexpr std::int64_t kNarrowWords = 32;

struct Kernels {
  const char* level;  // "portable", "avx2", "avx512", "avx512_bf16", "amx"
  Products f32, bf16, int8;
  const Products& products(Precision precision) const {
    return precision == Precision::f32 ? f32 : precision == Precision::bf16 ? bf16 : int8;
  }

  // Rows of weights in reduced precision, `width` numbers each. bf16: rounded to nearest even. int8: divided
  // by the scale that is returned, the largest magnitude / 127.
  void (*to_bf16)(const float* x, std::int64_t width, std::uint16_t* out);
  float (*to_int8)(const float* x, std::int64_t width, std::int8_t* out);
  bool (*is_finite)(const float* x, std::int64_t count);

  std::int64_t (*attention_scratch)(std::int64_t tokens, std::int64_t head_dim);
  void (*attention)(const AttentionTask& task);
  void (*depthwise)(const DepthwiseTask& task);

  // The following handle `rows` rows of `width` numbers. In and out may be the same memory.
  void (*layer_norm)(ConstMatrix x, std::int64_t rows, std::int64_t width, const float* weight,
                     const float* bias, float eps, Matrix out);
  void (*activation)(ConstMatrix x, std::int64_t rows, std::int64_t width, Activation kind, Matrix out);
  void (*add)(ConstMatrix a, ConstMatrix b, std::int64_t rows, std::int64_t width, Matrix out);
  void (*multiply)(ConstMatrix a, ConstMatrix b, std::int64_t rows, std::int64_t width, Matrix out);
  void (*softmax)(ConstMatrix x, std::int64_t rows, std::int64_t width, float scale, Matrix out);
  void (*l2_normalize)(ConstMatrix x, std::int64_t rows, std::int64_t width, float eps, Matrix out);
  // out[width] = the mean over the rows.
  void (*mean)(ConstMatrix x, std::int64_t rows, std::int64_t width, float* out);
};

const Kernels& portable_kernels();
#if defined(__x86_64__)
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
const Kernels& avx512_bf16_kernels();
const Kernels& amx_kernels();
// The amx kernels on a software model of the tiles, for tests on processors without them. Needs what
// avx512_bf16 needs.
const Kernels& amx_model_kernels();
#endif

}  // namespace moa::cpu
