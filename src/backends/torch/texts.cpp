// Operations that know tokens and positions.
#include <algorithm>
#include <string>

#include <moa/error.hpp>

#include "backends/torch/interpreter.hpp"
#include "tensor/checks.hpp"

namespace moa {
namespace torch {
namespace {

void expect_entry(const Parameter& table, std::int64_t entry) {
  if (entry >= 0 && entry < table.shape()[0]) return;
  throw Error(ErrorCode::out_of_range, "cannot look up a token in '" + table.name() + "': found " +
                                           std::to_string(entry) + ", expected 0 to " +
                                           std::to_string(table.shape()[0] - 1));
}

// One entry a row, laid out as a box of `sequences`; 0 in the padding.
std::vector<std::int64_t> boxed(const std::vector<std::int64_t>& entries, const Sequences& sequences) {
  const std::int64_t longest = sequences.longest();
  std::vector<std::int64_t> box(static_cast<std::size_t>(sequences.items() * longest));
  for (std::int64_t item = 0; item < sequences.items(); ++item) {
    std::copy(entries.begin() + sequences.begin(item), entries.begin() + sequences.end(item),
              box.begin() + item * longest);
  }
  return box;
}

// The row of `item`, counted from its first, that `rule` names.
std::int64_t row_by_rule(const TokensValue& tokens, std::int64_t item, const TokenRule& rule) {
  const auto begin = tokens.ids.begin() + tokens.sequences.begin(item);
  const auto end = tokens.ids.begin() + tokens.sequences.end(item);
  const auto found = rule.kind == TokenRule::Kind::largest_id ? std::max_element(begin, end)
                                                              : std::find(begin, end, rule.id);
  return found == end ? 0 : found - begin;
}

}  // namespace
}  // namespace torch

Rows TorchInterpreter::embedding(const Tokens& tokens, TokenField field, const Parameter& table) {
  const TokensValue& in = see(tokens);
  expect_table(table, 0);
  const std::vector<std::int32_t>& ids = field == TokenField::id ? in.ids : in.types;
  std::vector<std::int64_t> entries(static_cast<std::size_t>(in.sequences.rows()));
  std::copy(ids.begin(), ids.end(), entries.begin());  // of types, there may be none
  std::vector<std::int64_t> learned(entries.size());   // rows of prompt vectors, from 1; 0: none
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto row = prompt_row(static_cast<std::int32_t>(entries[i]), table);
    if (row && field == TokenField::id) {
      learned[i] = *row + 1;
      entries[i] = 0;
    }
    torch::expect_entry(table, entries[i]);
  }
  const auto box = [&](const std::vector<std::int64_t>& values) {
    return indices(torch::boxed(values, in.sequences))
        .reshape({in.sequences.items(), in.sequences.longest()});
  };
  const at::Tensor found = at::embedding(weights_.of(table), box(entries));
  if (std::ranges::none_of(learned, [](std::int64_t row) { return row > 0; }))
    return rows(found, in.sequences);
  const at::Tensor places = box(learned);
  const at::Tensor vectors = at::embedding(weights_.of(prompt_vectors()), (places - 1).clamp_min(0));
  return rows(at::where((places > 0).unsqueeze(-1), vectors, found), in.sequences);
}

Rows TorchInterpreter::add_positions(const Rows& x, const Parameter& table, std::int64_t first) {
  const RowsValue& in = see(x);
  expect_table(table, in.width());
  const std::int64_t longest = in.box.size(1);
  if (first < 0 || first > table.shape()[0] - longest) {
    throw Error(ErrorCode::out_of_range, "cannot add positions of '" + table.name() + "': found rows " +
                                             std::to_string(first) + " to " +
                                             std::to_string(first + longest) + ", expected at most " +
                                             std::to_string(table.shape()[0]));
  }
  return rows(in.box + weights_.of(table).narrow(0, first, longest), in.sequences);
}

Rows TorchInterpreter::add_positions_after(const Rows& x, const Tokens& tokens, const Parameter& table,
                                           std::int32_t pad) {
  const RowsValue& in = see(x);
  const TokensValue& text = see(tokens);
  expect_table(table, in.width());
  if (!(in.sequences == text.sequences)) {
    throw Error(ErrorCode::shape_mismatch, "cannot add positions of '" + table.name() +
                                               "': expected as many rows as tokens in each item");
  }
  std::vector<std::int64_t> entries;
  for (std::int64_t item = 0; item < text.sequences.items(); ++item) {
    std::int64_t before = 0;
    for (std::int64_t row = text.sequences.begin(item); row < text.sequences.end(item); ++row) {
      const bool is_pad = text.ids[static_cast<std::size_t>(row)] == pad;
      if (!is_pad) ++before;
      entries.push_back(is_pad ? pad : pad + before);
      torch::expect_entry(table, entries.back());
    }
  }
  const at::Tensor places =
      indices(torch::boxed(entries, in.sequences)).reshape({in.box.size(0), in.box.size(1)});
  return rows(in.box + at::embedding(weights_.of(table), places), in.sequences);
}

// ---- one row an item

template <typename Pick>
Rows TorchInterpreter::picked(const RowsValue& x, Pick pick) const {
  std::vector<std::int64_t> from;
  for (std::int64_t item = 0; item < x.sequences.items(); ++item) {
    from.push_back(item * x.box.size(1) + pick(item));
  }
  return gathered(x, from, Sequences::uniform(x.sequences.items(), 1));
}

Rows TorchInterpreter::first_row(const Rows& x) {
  return rows(see(x).box.narrow(1, 0, 1), Sequences::uniform(see(x).sequences.items(), 1));
}

Rows TorchInterpreter::last_row(const Rows& x) {
  const RowsValue& in = see(x);
  return picked(in, [&](std::int64_t item) { return in.sequences.length(item) - 1; });
}

Rows TorchInterpreter::row_where(const Rows& x, const Tokens& tokens, const TokenRule& rule) {
  const RowsValue& in = see(x);
  const TokensValue& text = see(tokens);
  if (!(in.sequences == text.sequences)) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot pick rows by token: expected as many rows as tokens in each item");
  }
  return picked(in, [&](std::int64_t item) { return torch::row_by_rule(text, item, rule); });
}

}  // namespace moa
