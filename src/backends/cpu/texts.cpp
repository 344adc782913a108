// Operations that know tokens and items.
#include <algorithm>
#include <cmath>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"
#include "tensor/checks.hpp"

namespace moa::cpu {
namespace {

// The row of `item` that `rule` names.
std::int64_t row_by_rule(const TokensValue& tokens, std::int64_t item, const TokenRule& rule) {
  const auto begin = tokens.ids.begin() + tokens.sequences.begin(item);
  const auto end = tokens.ids.begin() + tokens.sequences.end(item);
  const auto found = rule.kind == TokenRule::Kind::largest_id ? std::max_element(begin, end)
                                                              : std::find(begin, end, rule.id);
  return tokens.sequences.begin(item) + (found == end ? 0 : found - begin);
}

// NaN wins.
float larger(float a, float b) {
  return a > b || std::isnan(a) ? a : b;
}

}  // namespace

Rows CpuInterpreter::embedding(const Tokens& tokens, TokenField field, const Parameter& table) {
  const TokensValue& in = see(tokens);
  expect_table(table);
  const std::int64_t entries = table.shape()[0];
  const std::vector<std::int32_t>& ids = field == TokenField::id ? in.ids : in.types;
  auto out = new_rows(in.sequences, table.shape()[1]);
  for (std::int64_t row = 0; row < out->rows(); ++row) {
    const std::int32_t id = ids.empty() ? 0 : ids[static_cast<std::size_t>(row)];
    if (const auto learned = prompt_row(id, table); learned && field == TokenField::id) {
      prompt_vectors().read_rows(*learned, 1, out->matrix.data + row * out->matrix.stride);
      continue;
    }
    if (id < 0 || id >= entries) {
      throw Error(ErrorCode::out_of_range, "cannot look up a token in '" + table.name() + "': found id " +
                                               std::to_string(id) + ", expected 0 to " +
                                               std::to_string(entries - 1));
    }
    table.read_rows(id, 1, out->matrix.data + row * out->matrix.stride);
  }
  return Rows(std::move(out));
}

Rows CpuInterpreter::pick_rows(const RowsValue& x,
                               const std::function<std::int64_t(std::int64_t item)>& pick) {
  auto out = new_rows(Sequences::uniform(x.sequences.items(), 1), x.width);
  for (std::int64_t item = 0; item < x.sequences.items(); ++item) {
    std::copy_n(x.matrix.data + pick(item) * x.matrix.stride, x.width,
                out->matrix.data + item * out->matrix.stride);
  }
  return Rows(std::move(out));
}

Rows CpuInterpreter::first_row(const Rows& x) {
  const RowsValue& in = see(x);
  return pick_rows(in, [&](std::int64_t item) { return in.sequences.begin(item); });
}

Rows CpuInterpreter::last_row(const Rows& x) {
  const RowsValue& in = see(x);
  return pick_rows(in, [&](std::int64_t item) { return in.sequences.end(item) - 1; });
}

Rows CpuInterpreter::row_where(const Rows& x, const Tokens& tokens, const TokenRule& rule) {
  const RowsValue& in = see(x);
  const TokensValue& ids = see(tokens);
  if (!(in.sequences == ids.sequences)) {
    throw Error(ErrorCode::shape_mismatch, "cannot pick rows by token: found " + std::to_string(in.rows()) +
                                               " rows and " + std::to_string(ids.sequences.rows()) +
                                               " tokens, expected the same items");
  }
  return pick_rows(in, [&](std::int64_t item) { return row_by_rule(ids, item, rule); });
}

Rows CpuInterpreter::mean_rows(const Rows& x, std::int64_t first) {
  const RowsValue& in = see(x);
  const std::int64_t items = in.sequences.items();
  for (std::int64_t item = 0; item < items; ++item) {
    if (first >= 0 && first < in.sequences.length(item)) continue;
    throw Error(ErrorCode::shape_mismatch, "cannot take the mean of rows from " + std::to_string(first) +
                                               " on: found " + std::to_string(in.sequences.length(item)) +
                                               " rows in an item");
  }
  auto out = new_rows(Sequences::uniform(items, 1), in.width);
  in_parts(items, in.width * (in.rows() / std::max<std::int64_t>(items, 1)),
           [&](std::int64_t begin, std::int64_t end) {
             for (std::int64_t item = begin; item < end; ++item) {
               kernels_.mean(
                   {in.matrix.data + (in.sequences.begin(item) + first) * in.matrix.stride, in.matrix.stride},
                   in.sequences.length(item) - first, in.width, out->matrix.data + item * out->matrix.stride);
             }
           });
  return Rows(std::move(out));
}

Rows CpuInterpreter::pool_rows(const Rows& x, RowPooling kind) {
  const RowsValue& in = see(x);
  auto out = new_rows(Sequences::uniform(in.sequences.items(), 1), in.width);
  for (std::int64_t item = 0; item < in.sequences.items(); ++item) {
    const std::int64_t length = in.sequences.length(item);
    const float* row = in.matrix.data + in.sequences.begin(item) * in.matrix.stride;
    float* to = out->matrix.data + item * out->matrix.stride;
    std::copy_n(row, in.width, to);
    for (std::int64_t i = 2; i <= length; ++i) {
      row += in.matrix.stride;
      const float weight = kind == RowPooling::mean_by_place ? static_cast<float>(i) : 1.0F;
      for (std::int64_t c = 0; c < in.width; ++c) {
        to[c] = kind == RowPooling::max ? larger(to[c], row[c]) : to[c] + weight * row[c];
      }
    }
    if (kind == RowPooling::max) continue;
    const auto count = static_cast<float>(length);
    const float divisor = kind == RowPooling::sum_by_root ? std::sqrt(count) : count * (count + 1) / 2;
    for (std::int64_t c = 0; c < in.width; ++c) to[c] /= divisor;
  }
  return Rows(std::move(out));
}

Rows CpuInterpreter::prepend_row(const Rows& x, const Parameter& row) {
  const RowsValue& in = see(x);
  expect_row(row, in.width, "put before each item");
  const float* values = engine_.weights.vector(row);
  const std::int64_t items = in.sequences.items();
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(items));
  for (std::int64_t item = 0; item < items; ++item) {
    lengths[static_cast<std::size_t>(item)] = in.sequences.length(item) + 1;
  }
  auto out = new_rows(Sequences(lengths), in.width);
  for (std::int64_t item = 0; item < items; ++item) {
    float* to = out->matrix.data + out->sequences.begin(item) * out->matrix.stride;
    std::copy_n(values, in.width, to);
    for (std::int64_t i = in.sequences.begin(item); i < in.sequences.end(item); ++i) {
      to += out->matrix.stride;
      std::copy_n(in.matrix.data + i * in.matrix.stride, in.width, to);
    }
  }
  return Rows(std::move(out));
}

Rows CpuInterpreter::repeat_rows(const Rows& x, const Parameter& table) {
  const RowsValue& in = see(x);
  expect_table(table);
  const std::int64_t rows = table.shape()[0];
  const std::int64_t width = table.shape()[1];
  const float* values = engine_.weights.vector(table);
  auto out = new_rows(Sequences::uniform(in.sequences.items(), rows), width);
  for (std::int64_t row = 0; row < out->rows(); ++row) {
    std::copy_n(values + row % rows * width, width, out->matrix.data + row * out->matrix.stride);
  }
  return Rows(std::move(out));
}

}  // namespace moa::cpu
