// Operations that give an item more rows, or fewer.
#include <algorithm>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {
namespace {

// Copies `count` rows of x from row `from` to row `to` of out.
void copy_rows(const RowsValue& x, std::int64_t from, std::int64_t count, RowsValue& out, std::int64_t to) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::copy_n(x.matrix.data + (from + i) * x.matrix.stride, x.width,
                out.matrix.data + (to + i) * out.matrix.stride);
  }
}

}  // namespace

Rows CpuInterpreter::concatenate(const Rows& a, const Rows& b) {
  const RowsValue& front = see(a);
  const RowsValue& back = see(b);
  const std::int64_t items = front.sequences.items();
  if (front.width != back.width || back.sequences.items() != items) {
    throw Error(ErrorCode::shape_mismatch, "cannot concatenate rows: found " + std::to_string(items) +
                                               " items of width " + std::to_string(front.width) + " and " +
                                               std::to_string(back.sequences.items()) + " of width " +
                                               std::to_string(back.width) + ", expected as many, as wide");
  }
  std::vector<std::int64_t> lengths;
  for (std::int64_t item = 0; item < items; ++item) {
    lengths.push_back(front.sequences.length(item) + back.sequences.length(item));
  }
  auto out = new_rows(Sequences(lengths), front.width);
  for (std::int64_t item = 0; item < items; ++item) {
    const std::int64_t begin = out->sequences.begin(item);
    const std::int64_t length = front.sequences.length(item);
    copy_rows(front, front.sequences.begin(item), length, *out, begin);
    copy_rows(back, back.sequences.begin(item), back.sequences.length(item), *out, begin + length);
  }
  return Rows(std::move(out));
}

Rows CpuInterpreter::drop_rows_after(const Rows& x, const Tokens& tokens, std::int32_t id) {
  const RowsValue& in = see(x);
  const TokensValue& text = see(tokens);
  const std::int64_t items = in.sequences.items();
  expect_equal(text.sequences.items(), items, "drop rows by the tokens of as many items");
  std::vector<std::int64_t> kept;
  std::vector<std::int64_t> lengths;
  for (std::int64_t item = 0; item < items; ++item) {
    expect_equal(in.sequences.length(item), text.sequences.length(item) + 1, "drop rows after tokens");
    const std::size_t before = kept.size();
    kept.push_back(in.sequences.begin(item));
    for (std::int64_t i = 0; i < text.sequences.length(item); ++i) {
      if (text.ids[static_cast<std::size_t>(text.sequences.begin(item) + i)] != id) {
        kept.push_back(in.sequences.begin(item) + i + 1);
      }
    }
    lengths.push_back(static_cast<std::int64_t>(kept.size() - before));
  }
  auto out = new_rows(Sequences(lengths), in.width);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    copy_rows(in, kept[i], 1, *out, static_cast<std::int64_t>(i));
  }
  return Rows(std::move(out));
}

}  // namespace moa::cpu
