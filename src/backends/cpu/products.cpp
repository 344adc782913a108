// Products of rows with weights: cut into tasks, and rows made narrow for them.
#include <algorithm>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {

Precision CpuInterpreter::precision_for(ProductPrecision asked) const {
  const Precision of_run = engine_.precision;
  if (asked == ProductPrecision::f32) return Precision::f32;
  return asked == ProductPrecision::bf16 && of_run == Precision::int8 ? Precision::bf16 : of_run;
}

void CpuInterpreter::part_of_product(const Product& product, std::int64_t row, std::int64_t rows,
                                     std::int64_t column, std::int64_t columns) const {
  const PreparedMatrix& weights = product.weights;
  const Epilogue& epilogue = product.epilogue;
  ProductTask task;
  task.a = {product.a.data + row * product.a.stride, product.a.stride};
  task.rows = rows;
  task.depth = weights.depth_words;
  task.columns = columns;
  const std::int64_t packed = column - weights.first_column;
  task.panels = weights.panels + packed * weights.depth_words;
  if (product.row_scales != nullptr) task.scales.row = product.row_scales + row;
  if (weights.scales != nullptr) task.scales.column = weights.scales + packed;
  if (weights.corrections != nullptr) task.scales.correction = weights.corrections + packed;
  task.epilogue.activation = epilogue.activation;
  if (epilogue.bias != nullptr) task.epilogue.bias = epilogue.bias + column;
  if (epilogue.residual.data != nullptr) {
    task.epilogue.residual = {epilogue.residual.data + row * epilogue.residual.stride + column,
                              epilogue.residual.stride};
  }
  task.out = {product.out.data + row * product.out.stride + column, product.out.stride};
  kernels_.products(weights.precision).product(task);
}

std::int64_t CpuInterpreter::task_columns(std::int64_t columns, const Products& kernel) const {
  // With few columns, narrower tasks give every thread some.
  const std::int64_t threads = engine_.threads.threads();
  std::int64_t count = kTaskColumns;
  while (count > kernel.panel_columns && columns < 2 * threads * count) count /= 2;
  return std::max(count, kernel.panel_columns);
}

void CpuInterpreter::unprepared_product(const RowsValue& x, const Parameter& weight, Precision precision,
                                        const Epilogue& epilogue, Matrix out) {
  const Products& kernel = kernels_.products(precision);
  const bool is_f32 = precision == Precision::f32;
  const ConstMatrix a = is_f32 ? x.matrix : narrowed(x, precision).matrix;
  const float* const row_scales = is_f32 ? nullptr : narrowed(x, precision).scales.get();
  const std::int64_t rows = x.rows();
  const std::int64_t columns = weight.shape()[0];
  const std::int64_t width = task_columns(columns, kernel);
  const std::int64_t most_rows = kernel.most_rows(a.stride);
  const std::int64_t piece = most_rows > 0 ? most_rows : rows;
  const auto tasks = static_cast<std::size_t>((columns + width - 1) / width);
  engine_.threads.parallel_for(tasks, [&](std::size_t task) {
    const std::int64_t column = static_cast<std::int64_t>(task) * width;
    const std::int64_t count = std::min(width, columns - column);
    const Block memory = engine_.blocks.take(engine_.weights.columns_size(weight, width, precision));
    const PreparedMatrix packed =
        engine_.weights.pack_columns(weight, column, count, precision, memory.get());
    const Product product{a, row_scales, packed, epilogue, out};
    for (std::int64_t row = 0; row < rows; row += piece) {
      part_of_product(product, row, std::min(piece, rows - row), column, count);
    }
  });
  weight.drop_pages();
}

void CpuInterpreter::product(const Product& product, std::int64_t rows, std::int64_t columns) {
  if (rows == 0) return;
  const Products& kernel = kernels_.products(product.weights.precision);
  const std::int64_t threads = engine_.threads.threads();
  const std::int64_t task_columns = this->task_columns(columns, kernel);
  const std::int64_t column_tasks = (columns + task_columns - 1) / task_columns;
  // Below this many multiplications of words one thread is done before another is awake.
  constexpr std::int64_t kWorthThreads = 1 << 19;
  const bool alone = threads == 1 || rows * product.weights.depth_words * columns < kWorthThreads;
  // For threads, rows are cut only where there are enough of them to make up for reading the weights again.
  constexpr std::int64_t kLeastRows = 48;
  const std::int64_t wanted = (4 * threads + column_tasks - 1) / column_tasks;
  std::int64_t row_tasks = alone ? 1 : std::clamp<std::int64_t>(rows / kLeastRows, 1, wanted);
  const std::int64_t most_rows = kernel.most_rows(product.a.stride);
  if (most_rows > 0) row_tasks = std::max(row_tasks, (rows + most_rows - 1) / most_rows);
  const std::int64_t tile = kernel.tile_rows;
  const std::int64_t task_rows = (rows + row_tasks * tile - 1) / (row_tasks * tile) * tile;

  const std::int64_t row_pieces = (rows + task_rows - 1) / task_rows;
  const auto compute = [&](std::size_t index) {
    const auto task = static_cast<std::int64_t>(index);
    const std::int64_t row = task / column_tasks * task_rows;
    const std::int64_t column = task % column_tasks * task_columns;
    part_of_product(product, row, std::min(task_rows, rows - row), column,
                    std::min(task_columns, columns - column));
  };
  const auto tasks = static_cast<std::size_t>(column_tasks * row_pieces);
  if (alone) {
    for (std::size_t task = 0; task < tasks; ++task) compute(task);
  } else {
    engine_.threads.parallel_for(tasks, compute);
  }
}

void CpuInterpreter::product(ConstMatrix x, std::int64_t rows, std::int64_t width,
                             const PreparedMatrix& weights, std::int64_t columns, const Epilogue& epilogue,
                             Matrix out) {
  engine_.multiply_adds += rows * width * columns;
  if (weights.precision == Precision::f32)
    return product({x, nullptr, weights, epilogue, out}, rows, columns);
  const Products& kernel = kernels_.products(weights.precision);
  const NarrowRows narrow = room_for_narrow_rows(rows, width, kernel);
  in_parts(rows, 2 * width, [&](std::int64_t begin, std::int64_t end) {
    kernel.narrow({x.data + begin * x.stride, x.stride}, end - begin, width,
                  {narrow.words.get() + begin * narrow.matrix.stride, narrow.matrix.stride},
                  narrow.scales.get() + begin);
  });
  product({narrow.matrix, narrow.scales.get(), weights, epilogue, out}, rows, columns);
}

NarrowRows CpuInterpreter::room_for_narrow_rows(std::int64_t rows, std::int64_t width,
                                                const Products& products) {
  const std::int64_t words = products.depth_words(width) * products.row_parts;
  // An odd number of pieces of kNarrowWords: rows a power of two apart would share few sets of the
  // first-level cache.
  const std::int64_t stride = ((words + kNarrowWords - 1) / kNarrowWords | 1) * kNarrowWords;
  NarrowRows narrow;
  narrow.words = engine_.blocks.take((rows + products.tile_rows) * stride);
  narrow.matrix = {narrow.words.get(), stride};
  narrow.scales = engine_.blocks.take(rows);
  return narrow;
}

const NarrowRows& CpuInterpreter::narrowed(const RowsValue& x, Precision precision) {
  if (x.narrow.words && x.narrow.precision == precision) return x.narrow;
  const Products& kernel = kernels_.products(precision);
  NarrowRows narrow = room_for_narrow_rows(x.rows(), x.width, kernel);
  const auto part = [&](ConstMatrix from, std::int64_t begin, std::int64_t end) {
    kernel.narrow(from, end - begin, x.width,
                  {narrow.words.get() + begin * narrow.matrix.stride, narrow.matrix.stride},
                  narrow.scales.get() + begin);
  };
  if (!x.compute) {
    in_parts(x.rows(), 3 * x.width,
             [&](std::int64_t begin, std::int64_t end) { part(from_row(x.matrix, begin), begin, end); });
  } else if (x.rows() > 0) {
    // Whole tiles, and no piece is much lower than the others: it would read all weights for a few rows.
    const std::int64_t threads = engine_.threads.threads();
    std::int64_t pieces = (x.rows() + kernel.described_rows - 1) / kernel.described_rows;
    if (pieces > threads) pieces = (pieces + threads - 1) / threads * threads;
    const std::int64_t tile = kernel.tile_rows;
    const std::int64_t height = (x.rows() + pieces * tile - 1) / (pieces * tile) * tile;
    engine_.threads.parallel_for(static_cast<std::size_t>((x.rows() + height - 1) / height),
                                 [&](std::size_t index) {
                                   const std::int64_t begin = static_cast<std::int64_t>(index) * height;
                                   const std::int64_t end = std::min(begin + height, x.rows());
                                   const Block block = engine_.blocks.take((end - begin) * x.width);
                                   x.compute(begin, end, {block.get(), x.width});
                                   part({block.get(), x.width}, begin, end);
                                 });
  }
  narrow.precision = precision;
  x.narrow = std::move(narrow);
  return x.narrow;
}

}  // namespace moa::cpu
