// Operations that treat every row alike.
#include <algorithm>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {
namespace {

Matrix from_row(Matrix matrix, std::int64_t row) {
  return {matrix.data + row * matrix.stride, matrix.stride};
}

void expect_same_rows(const RowsValue& a, const RowsValue& b, const char* attempt) {
  if (a.width == b.width && a.sequences == b.sequences) return;
  throw Error(ErrorCode::shape_mismatch,
              std::string("cannot ") + attempt + ": found " + to_string(Shape{a.rows(), a.width}) + " and " +
                  to_string(Shape{b.rows(), b.width}) + ", expected as many rows for each item, as wide");
}

}  // namespace

void CpuInterpreter::product(ConstMatrix a, std::int64_t rows, std::int64_t depth, std::int64_t columns,
                             const float* panels, const Epilogue& epilogue, Matrix out) {
  const std::int64_t threads = engine_.threads.threads();
  // A task's weights, 256 columns by the depth that a kernel takes at once, fill half of a usual second-level
  // cache; with fewer rows than that is worth, narrower tasks give every thread some.
  std::int64_t task_columns = 256;
  while (task_columns > kernels_.panel_columns && columns < 2 * threads * task_columns) task_columns /= 2;
  task_columns = std::max(task_columns, kernels_.panel_columns);
  const std::int64_t column_tasks = (columns + task_columns - 1) / task_columns;
  // Rows are cut only where there are enough of them to make up for reading the weights again.
  constexpr std::int64_t kLeastRows = 48;
  const std::int64_t wanted = (4 * threads + column_tasks - 1) / column_tasks;
  const std::int64_t row_tasks = std::clamp<std::int64_t>(rows / kLeastRows, 1, wanted);
  const std::int64_t tile = kernels_.tile_rows;
  const std::int64_t task_rows = (rows + row_tasks * tile - 1) / (row_tasks * tile) * tile;

  const auto run = [&](std::int64_t row, std::int64_t row_count, std::int64_t column, std::int64_t width) {
    ProductTask task;
    task.a = {a.data + row * a.stride, a.stride};
    task.rows = row_count;
    task.depth = depth;
    task.columns = width;
    task.panels = panels + column * depth;
    task.epilogue = epilogue;
    if (epilogue.bias != nullptr) task.epilogue.bias += column;
    if (epilogue.residual.data != nullptr) {
      task.epilogue.residual.data += row * epilogue.residual.stride + column;
    }
    task.out = {out.data + row * out.stride + column, out.stride};
    kernels_.product(task);
  };
  // Below this many multiplications one thread is done before another is awake.
  constexpr std::int64_t kWorthThreads = 1 << 19;
  if (threads == 1 || rows * depth * columns < kWorthThreads) {
    for (std::int64_t column = 0; column < columns; column += task_columns) {
      run(0, rows, column, std::min(task_columns, columns - column));
    }
    return;
  }
  const std::int64_t row_pieces = (rows + task_rows - 1) / task_rows;
  engine_.threads.parallel_for(static_cast<std::size_t>(column_tasks * row_pieces), [&](std::size_t index) {
    const auto task = static_cast<std::int64_t>(index);
    const std::int64_t row = task % row_pieces * task_rows;
    const std::int64_t column = task / row_pieces * task_columns;
    run(row, std::min(task_rows, rows - row), column, std::min(task_columns, columns - column));
  });
}

Rows CpuInterpreter::linear(const Rows& x, const Linear& layer, const LinearOptions& options) {
  const RowsValue& in = see(x);
  const Shape& shape = layer.weight.shape();
  if (shape.rank() != 2 || shape[1] != in.width) {
    throw Error(ErrorCode::shape_mismatch, "cannot apply '" + layer.weight.name() + "' " + to_string(shape) +
                                               ": found rows of width " + std::to_string(in.width) +
                                               ", expected [out, " + std::to_string(in.width) + "]");
  }
  if (layer.bias) expect_row(layer.bias, shape[0], "add the bias");
  auto out = new_rows(in.sequences, shape[0]);
  Epilogue epilogue;
  epilogue.bias = engine_.weights.vector(layer.bias);
  epilogue.activation = options.activation;
  if (options.residual != nullptr) {
    const RowsValue& residual = see(*options.residual);
    expect_same_rows(*out, residual, "add a residual");
    epilogue.residual = residual.matrix;
  }
  product(in.matrix, in.rows(), in.width, out->width, engine_.weights.matrix(layer.weight), epilogue,
          out->matrix);
  return Rows(std::move(out));
}

Rows CpuInterpreter::layer_norm(const Rows& x, const LayerNorm& norm) {
  const RowsValue& in = see(x);
  expect_row(norm.weight, in.width, "normalise with");
  expect_row(norm.bias, in.width, "normalise with");
  const float* weight = engine_.weights.vector(norm.weight);
  const float* bias = engine_.weights.vector(norm.bias);
  auto out = new_rows(in.sequences, in.width);
  in_parts(in.rows(), 3 * in.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.layer_norm(from_row(in.matrix, begin), end - begin, in.width, weight, bias,
                        static_cast<float>(norm.eps), from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::activation(const Rows& x, Activation kind) {
  const RowsValue& in = see(x);
  auto out = new_rows(in.sequences, in.width);
  in_parts(in.rows(), 4 * in.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.activation(from_row(in.matrix, begin), end - begin, in.width, kind,
                        from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::add(const Rows& a, const Rows& b) {
  const RowsValue& left = see(a);
  const RowsValue& right = see(b);
  expect_same_rows(left, right, "add rows");
  auto out = new_rows(left.sequences, left.width);
  in_parts(left.rows(), 2 * left.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.add(from_row(left.matrix, begin), from_row(right.matrix, begin), end - begin, left.width,
                 from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::add_row(const Rows& x, const Parameter& row) {
  const RowsValue& in = see(x);
  expect_row(row, in.width, "add");
  const float* values = engine_.weights.vector(row);
  auto out = new_rows(in.sequences, in.width);
  in_parts(in.rows(), in.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.add(from_row(in.matrix, begin), {values, 0}, end - begin, in.width,
                 from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::multiply(const Rows& a, const Rows& b) {
  const RowsValue& left = see(a);
  const RowsValue& right = see(b);
  expect_same_rows(left, right, "multiply rows");
  auto out = new_rows(left.sequences, left.width);
  in_parts(left.rows(), 2 * left.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.multiply(from_row(left.matrix, begin), from_row(right.matrix, begin), end - begin, left.width,
                      from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::multiply_row(const Rows& x, const Parameter& row) {
  const RowsValue& in = see(x);
  expect_row(row, in.width, "multiply by");
  const float* values = engine_.weights.vector(row);
  auto out = new_rows(in.sequences, in.width);
  in_parts(in.rows(), in.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.multiply(from_row(in.matrix, begin), {values, 0}, end - begin, in.width,
                      from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::softmax(const Rows& x, double scale) {
  const RowsValue& in = see(x);
  auto out = new_rows(in.sequences, in.width);
  in_parts(in.rows(), 4 * in.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.softmax(from_row(in.matrix, begin), end - begin, in.width, static_cast<float>(scale),
                     from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::l2_normalize(const Rows& x, double eps) {
  const RowsValue& in = see(x);
  auto out = new_rows(in.sequences, in.width);
  in_parts(in.rows(), 2 * in.width, [&](std::int64_t begin, std::int64_t end) {
    kernels_.l2_normalize(from_row(in.matrix, begin), end - begin, in.width, static_cast<float>(eps),
                          from_row(out->matrix, begin));
  });
  return Rows(std::move(out));
}

Rows CpuInterpreter::columns(const Rows& x, std::int64_t begin, std::int64_t width) {
  const RowsValue& in = see(x);
  if (begin < 0 || width < 1 || begin > in.width - width) {
    throw Error(ErrorCode::shape_mismatch, "cannot take columns " + std::to_string(begin) + " to " +
                                               std::to_string(begin + width) + " of rows of width " +
                                               std::to_string(in.width));
  }
  auto view = std::make_shared<RowsValue>(in);
  view->matrix.data += begin;
  view->width = width;
  return Rows(std::move(view));
}

}  // namespace moa::cpu
