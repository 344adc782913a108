// Operations that make one row of an item's, or give it more, or fewer.
#include <limits>
#include <string>

#include <moa/error.hpp>

#include "backends/torch/interpreter.hpp"
#include "tensor/checks.hpp"

namespace moa {

Rows TorchInterpreter::mean_rows(const Rows& x, std::int64_t first) {
  const RowsValue& in = see(x);
  for (std::int64_t item = 0; item < in.sequences.items(); ++item) {
    if (first >= 0 && first < in.sequences.length(item)) continue;
    throw Error(ErrorCode::shape_mismatch, "cannot take the mean of rows from " + std::to_string(first) +
                                               " on: found " + std::to_string(in.sequences.length(item)) +
                                               " rows in an item");
  }
  at::Tensor counted = in.box;
  const at::Tensor seen = mask(in.sequences);
  if (seen.defined()) counted = counted.masked_fill(at::logical_not(seen).unsqueeze(-1), 0);
  const at::Tensor sum = counted.narrow(1, first, counted.size(1) - first).sum(1, true);
  return rows(sum / (counts(in.sequences) - static_cast<double>(first)),
              Sequences::uniform(in.sequences.items(), 1));
}

Rows TorchInterpreter::pool_rows(const Rows& x, RowPooling kind) {
  const RowsValue& in = see(x);
  const at::Tensor seen = mask(in.sequences);
  const auto without_padding = [&](double value) {
    return seen.defined() ? in.box.masked_fill(at::logical_not(seen).unsqueeze(-1), value) : in.box;
  };
  const Sequences one = Sequences::uniform(in.sequences.items(), 1);
  if (kind == RowPooling::max) {
    return rows(without_padding(-std::numeric_limits<double>::infinity()).amax(1, true), one);
  }
  const at::Tensor kept = without_padding(0);
  const at::Tensor count = counts(in.sequences);
  if (kind == RowPooling::sum_by_root) return rows(kept.sum(1, true) / count.sqrt(), one);
  const at::Tensor place = at::arange(1, kept.size(1) + 1, kept.options()).reshape({1, -1, 1});
  return rows((kept * place).sum(1, true) / (count * (count + 1) / 2), one);
}

// ---- rows of each item put together or left out

Rows TorchInterpreter::prepend_row(const Rows& x, const Parameter& row) {
  torch::expect_row(row, see(x).width());
  return concatenate(repeat_rows(x, row.reshaped({1, see(x).width()})), x);
}

Rows TorchInterpreter::repeat_rows(const Rows& x, const Parameter& table) {
  expect_table(table, 0);
  const std::int64_t items = see(x).sequences.items();
  const Shape& shape = table.shape();
  return rows(weights_.of(table).unsqueeze(0).expand({items, shape[0], shape[1]}),
              Sequences::uniform(items, shape[0]));
}

Rows TorchInterpreter::concatenate(const Rows& a, const Rows& b) {
  const RowsValue& front = see(a);
  const RowsValue& back = see(b);
  const std::int64_t items = front.sequences.items();
  if (front.width() != back.width() || back.sequences.items() != items) {
    throw Error(ErrorCode::shape_mismatch, "cannot concatenate rows: found " + std::to_string(items) +
                                               " items of width " + std::to_string(front.width()) + " and " +
                                               std::to_string(back.sequences.items()) + " of width " +
                                               std::to_string(back.width()) + ", expected as many, as wide");
  }
  std::vector<std::int64_t> lengths;
  for (std::int64_t item = 0; item < items; ++item) {
    lengths.push_back(front.sequences.length(item) + back.sequences.length(item));
  }
  const Sequences sequences(lengths);
  RowsValue both;
  both.box = at::cat({front.box, back.box}, 1);
  // Where the first have no padding, the rows are in their places already.
  if (!mask(front.sequences).defined()) return rows(both.box, sequences);
  std::vector<std::int64_t> from;
  for (std::int64_t item = 0; item < items; ++item) {
    const std::int64_t begin = item * both.box.size(1);
    for (std::int64_t i = 0; i < front.sequences.length(item); ++i) from.push_back(begin + i);
    for (std::int64_t i = 0; i < back.sequences.length(item); ++i) {
      from.push_back(begin + front.box.size(1) + i);
    }
  }
  return gathered(both, from, sequences);
}

Rows TorchInterpreter::drop_rows_after(const Rows& x, const Tokens& tokens, std::int32_t id) {
  const RowsValue& in = see(x);
  const TokensValue& text = see(tokens);
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> lengths;
  for (std::int64_t item = 0; item < in.sequences.items(); ++item) {
    if (text.sequences.items() != in.sequences.items() ||
        in.sequences.length(item) != text.sequences.length(item) + 1) {
      throw Error(ErrorCode::shape_mismatch,
                  "cannot drop rows after tokens: expected one row more than tokens in each item");
    }
    const std::size_t before = from.size();
    const std::int64_t begin = item * in.box.size(1);
    from.push_back(begin);
    for (std::int64_t i = 0; i < text.sequences.length(item); ++i) {
      if (text.ids[static_cast<std::size_t>(text.sequences.begin(item) + i)] != id) {
        from.push_back(begin + i + 1);
      }
    }
    lengths.push_back(static_cast<std::int64_t>(from.size() - before));
  }
  return gathered(in, from, Sequences(lengths));
}

}  // namespace moa
