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

// out[rows, columns] = epilogue(a[rows, depth] x panels). `panels` are as Kernels::pack writes them,
// beginning with the one of the first column; bias, residual and out begin at that column too.
struct ProductTask {
  ConstMatrix a;
  std::int64_t rows, depth, columns;
  const float* panels;
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

struct Kernels {
  const char* level;           // "portable", "avx2", "avx512"
  std::int64_t panel_columns;  // columns of a panel
  std::int64_t tile_rows;      // rows that a product computes together; best a divisor of a task's rows

  // Writes rows [0, columns) of w (columns <= panel_columns), each `depth` long, as one panel:
  // panel[d * panel_columns + c] = w[c][d], zero where c >= columns.
  void (*pack)(ConstMatrix w, std::int64_t columns, std::int64_t depth, float* panel);
  void (*product)(const ProductTask& task);
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
#endif

}  // namespace moa::cpu
