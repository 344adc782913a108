// Operations that treat every row alike.
#include <algorithm>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {
void expect_same_rows(const RowsValue& a, const RowsValue& b, const char* attempt) {
  if (a.width == b.width && a.sequences == b.sequences) return;
  throw Error(ErrorCode::shape_mismatch,
              std::string("cannot ") + attempt + ": found " + to_string(Shape{a.rows(), a.width}) + " and " +
                  to_string(Shape{b.rows(), b.width}) + ", expected as many rows for each item, as wide");
}

Rows CpuInterpreter::linear(const Rows& x, const Linear& layer, const LinearOptions& options) {
  const RowsValue& in = see_described(x);
  const Shape& shape = layer.weight.shape();
  if (shape.rank() != 2 || shape[1] != in.width) {
    throw Error(ErrorCode::shape_mismatch, "cannot apply '" + layer.weight.name() + "' " + to_string(shape) +
                                               ": found rows of width " + std::to_string(in.width) +
                                               ", expected [out, " + std::to_string(in.width) + "]");
  }
  if (layer.bias) expect_row(layer.bias, shape[0], "add the bias");
  if (has_thin_parts(layer.weight)) return thin_linear(x, layer, options);
  Epilogue epilogue;
  epilogue.bias = engine_.weights.vector(layer.bias);
  epilogue.activation = options.activation;
  const Precision precision = precision_for(options.precision);
  engine_.multiply_adds += in.rows() * in.width * shape[0];
  const bool described = worth_describing(in, precision, options);
  const PreparedMatrix* weights = described ? &engine_.weights.matrix(layer.weight, precision)
                                            : engine_.weights.matrix_used_before(layer.weight, precision);
  if (described && weights->precision == precision) {
    return described_product(in, *weights, epilogue, shape[0]);
  }
  auto out = new_rows(in.sequences, shape[0]);
  if (options.residual != nullptr) {
    const RowsValue& residual = see(*options.residual);
    expect_same_rows(*out, residual, "add a residual");
    epilogue.residual = residual.matrix;
  }
  if (weights == nullptr) {
    unprepared_product(precision == Precision::f32 ? see(x) : in, layer.weight, precision, epilogue,
                       out->matrix);
  } else if (weights->precision == Precision::f32) {
    product({see(x).matrix, nullptr, *weights, epilogue, out->matrix}, in.rows(), out->width);
  } else {
    const NarrowRows& narrow = narrowed(in, weights->precision);
    product({narrow.matrix, narrow.scales.get(), *weights, epilogue, out->matrix}, in.rows(), out->width);
  }
  return Rows(std::move(out));
}

bool CpuInterpreter::worth_describing(const RowsValue& in, Precision precision,
                                      const LinearOptions& options) const {
  // The hidden layer of an MLP: an activation, and a product next. With fewer rows it is better to share out
  // columns, so that each weight is read by one thread only.
  const std::int64_t threads = engine_.threads.threads();
  return precision != Precision::f32 && options.activation != Activation::none &&
         options.residual == nullptr &&
         in.rows() >= 2 * threads * kernels_.products(precision).described_rows;
}

Rows CpuInterpreter::described_product(const RowsValue& in, const PreparedMatrix& weights,
                                       const Epilogue& epilogue, std::int64_t columns) {
  auto out = std::make_shared<RowsValue>(this);
  out->width = columns;
  out->sequences = in.sequences;
  out->compute = [this, narrow = narrowed(in, weights.precision), &weights, epilogue, columns](
                     std::int64_t begin, std::int64_t end, Matrix to) {
    const ConstMatrix a{narrow.matrix.data + begin * narrow.matrix.stride, narrow.matrix.stride};
    const Product product{a, narrow.scales.get() + begin, weights, epilogue, to};
    for (std::int64_t column = 0; column < columns; column += kTaskColumns) {
      part_of_product(product, 0, end - begin, column, std::min(kTaskColumns, columns - column));
    }
  };
  return Rows(std::move(out));
}

Rows CpuInterpreter::layer_norm(const Rows& x, const LayerNorm& norm) {
  const RowsValue& in = see(x);
  expect_row(norm.weight, in.width, "normalise with");
  expect_row(norm.bias, in.width, "normalise with");
  const float* weight = engine_.weights.vector(norm.weight);
  const float* bias = engine_.weights.vector(norm.bias);
  // A block's products alone read it, so it is not computed before it is known as what.
  auto out = std::make_shared<RowsValue>(this);
  out->width = in.width;
  out->sequences = in.sequences;
  out->compute = [this, x, weight, bias, eps = static_cast<float>(norm.eps)](std::int64_t begin,
                                                                             std::int64_t end, Matrix to) {
    const RowsValue& from = see_described(x);
    kernels_.layer_norm(from_row(from.matrix, begin), end - begin, from.width, weight, bias, eps, to);
  };
  Rows described(std::move(out));
  if (engine_.precision == Precision::f32) see(described);
  return described;
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
  view->narrow = {};
  view->matrix.data += begin;
  view->width = width;
  return Rows(std::move(view));
}

}  // namespace moa::cpu
