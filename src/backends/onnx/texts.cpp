// Operations that know tokens, positions and items.
#include <moa/error.hpp>

#include "backends/onnx/interpreter.hpp"
#include "tensor/checks.hpp"

namespace moa {

using onnx::Builder;
using onnx::ElementType;

// Every token is of type 0: moa gives texts one by one.
Rows OnnxInterpreter::embedding(const Tokens& tokens, TokenField field, const Parameter& table) {
  expect_table(table, 0);
  const TokensValue& text = see(tokens);
  RowsValue out;
  out.width = table.shape()[1];
  out.rows = text.tokens;
  out.mask = text.mask;
  out.batch_of = text.batch_of;
  out.length_of = text.ids;
  builder_.enter(table);
  std::string name;
  if (field == TokenField::id) {
    name = builder_.node("Gather", {builder_.constant(table), text.ids});
  } else {
    const Parameter first = table.rows(0, 1);
    name = builder_.constant(first, {1, 1, out.width});
    out.shared = true;
    out.rows = 0;
    out.mask.clear();
  }
  builder_.leave_layer();
  return rows(out, name);
}

Rows OnnxInterpreter::add_positions(const Rows& x, const Parameter& table, std::int64_t first) {
  const RowsValue& in = see(x);
  expect_table(table, in.width);
  builder_.enter(table);
  std::string positions;
  if (in.rows > 0) {
    const bool is_whole = first == 0 && table.shape()[0] == in.rows;
    const Parameter part = is_whole ? table : table.rows(first, first + in.rows);
    positions = builder_.constant(part);
  } else {
    const std::string begin = builder_.integers({first});
    std::string end = length(in);
    if (first != 0) end = builder_.node("Add", {end, begin}, {}, ElementType::i64);
    positions = builder_.node("Slice", {builder_.constant(table), begin, end, builder_.integers({0})});
  }
  const std::string sum = builder_.node("Add", {in.name, positions});
  builder_.leave_layer();
  return rows(in, sum);
}

Rows OnnxInterpreter::add_positions_after(const Rows& x, const Tokens& tokens, const Parameter& table,
                                          std::int32_t pad) {
  const RowsValue& in = see(x);
  expect_table(table, in.width);
  builder_.enter(table);
  const std::string ids = builder_.cast(see(tokens).ids, ElementType::i64);
  const auto node = [&](const char* operation, std::vector<std::string> inputs, ElementType type) {
    return builder_.node(operation, std::move(inputs), {}, type);
  };
  // Counted in f32, which TensorRT's CumSum takes; i64 it does not.
  const auto count = [&] {
    const Builder::Exact exact(builder_);
    const std::string is_pad = node("Equal", {ids, builder_.integer(pad)}, ElementType::boolean);
    const std::string counts = builder_.cast(node("Not", {is_pad}, ElementType::boolean), ElementType::f32);
    const std::string before = node("CumSum", {counts, builder_.integer(1)}, ElementType::f32);
    return node("Mul", {before, counts}, ElementType::f32);  // 0 where there is padding
  };
  const std::string place = builder_.cast(count(), ElementType::i64);
  const std::string index = node("Add", {place, builder_.integer(pad)}, ElementType::i64);
  const std::string positions = builder_.node("Gather", {builder_.constant(table), index});
  const std::string sum = builder_.node("Add", {in.name, positions});
  builder_.leave_layer();
  return rows(in, sum);
}

// ---- one row an item

Rows OnnxInterpreter::pick(const RowsValue& x, const std::string& index) {
  return item(x, builder_.node("GatherND", {x.name, index}, {{"batch_dims", std::int64_t{1}}}));
}

Rows OnnxInterpreter::first_row(const Rows& x) {
  const RowsValue& in = see(x);
  if (in.rows == 1) return x;
  return item(in, builder_.node("Gather", {in.name, builder_.integer(0)}, {{"axis", std::int64_t{1}}}));
}

Rows OnnxInterpreter::last_row(const Rows& x) {
  const RowsValue& in = see(x);
  note_padding(in);
  if (in.rows == 1) return x;
  if (in.mask.empty()) {
    return item(in, builder_.node("Gather", {in.name, builder_.integer(-1)}, {{"axis", std::int64_t{1}}}));
  }
  // The largest place that counts; rows left out between others may stand in front of it.
  const std::string index = builder_.once("last " + in.mask, [&] {
    const Builder::Exact exact(builder_);
    const std::string counts = builder_.cast(in.mask, ElementType::f32);
    const std::string place = builder_.cast(places(length(in)), ElementType::f32);
    const std::string next = builder_.node("Add", {place, builder_.constant(1.0)});
    return builder_.node("ArgMax", {builder_.node("Mul", {counts, next})}, {{"axis", std::int64_t{1}}},
                         ElementType::i64);
  });
  return pick(in, index);
}

// ArgMax takes the first of several; it is asked in f32, which holds every id exactly, because TensorRT knows
// no other.
Rows OnnxInterpreter::row_where(const Rows& x, const Tokens& tokens, const TokenRule& rule) {
  const RowsValue& in = see(x);
  const TokensValue& text = see(tokens);
  if (in.rows != text.tokens || in.batch_of != text.batch_of) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot pick rows of '" + in.name + "' by token: expected as many rows as tokens");
  }
  const bool is_largest = rule.kind == TokenRule::Kind::largest_id;
  const std::string key =
      "row where " + text.ids + (is_largest ? " largest" : " is " + std::to_string(rule.id));
  const std::string index = builder_.once(key, [&] {
    const Builder::Exact exact(builder_);
    std::string rank;
    if (is_largest) {
      rank = builder_.cast(text.ids, ElementType::f32);
    } else {
      const std::string ids = builder_.cast(text.ids, ElementType::i64);
      rank = builder_.cast(builder_.node("Equal", {ids, builder_.integer(rule.id)}, {}, ElementType::boolean),
                           ElementType::f32);
    }
    if (!text.mask.empty()) rank = builder_.node("Mul", {rank, builder_.cast(text.mask, ElementType::f32)});
    return builder_.node("ArgMax", {rank}, {{"axis", std::int64_t{1}}}, ElementType::i64);
  });
  return pick(in, index);
}

Rows OnnxInterpreter::mean_rows(const Rows& x, std::int64_t first) {
  const RowsValue& in = see(x);
  note_padding(in);
  const Builder::Exact exact(builder_);
  if (in.rows == 1 && first == 0) return x;
  if (first != 0) {
    if (!in.mask.empty() || in.rows == 0 || first < 0 || first >= in.rows) {
      onnx::refuse("mean_rows", in.name,
                   "from row " + std::to_string(first) + " on: expected items of one length");
    }
    const std::string kept = builder_.node(
        "Slice", {in.name, builder_.integers({first}), builder_.integers({in.rows}), builder_.integers({1})});
    return item(in, builder_.reduce("ReduceMean", kept, {1}, Builder::Axes::dropped));
  }
  if (in.mask.empty()) return item(in, builder_.reduce("ReduceMean", in.name, {1}, Builder::Axes::dropped));
  const std::string weights = counting(in);
  const std::string count = builder_.reduce("ReduceSum", weights, {1}, Builder::Axes::dropped);
  const std::string kept = builder_.node("Mul", {in.name, weights});
  const std::string sum = builder_.reduce("ReduceSum", kept, {1}, Builder::Axes::dropped);
  return item(in, builder_.node("Div", {sum, count}));
}

Rows OnnxInterpreter::pool_rows(const Rows& x, RowPooling kind) {
  const RowsValue& in = see(x);
  const Builder::Exact exact(builder_);
  const std::string box = boxed(in);
  if (kind == RowPooling::max) {
    note_padding(in);
    std::string kept = box;
    if (!in.mask.empty()) {
      const std::string mask =
          builder_.node("Unsqueeze", {in.mask, builder_.integers({-1})}, {}, ElementType::boolean);
      kept = builder_.node("Where", {mask, box, builder_.constant(-3.4e38)});
    }
    return item(in, builder_.reduce("ReduceMax", kept, {1}, Builder::Axes::dropped));
  }
  std::string weights = counting(in);
  if (kind == RowPooling::mean_by_place) {
    const std::string place = builder_.node("CumSum", {weights, builder_.integer(1)});
    weights = builder_.node("Mul", {weights, place});
  }
  const std::string kept = builder_.node("Mul", {box, weights});
  const std::string sum = builder_.reduce("ReduceSum", kept, {1}, Builder::Axes::dropped);
  std::string divisor = builder_.reduce("ReduceSum", weights, {1}, Builder::Axes::dropped);
  if (kind == RowPooling::sum_by_root) divisor = builder_.node("Sqrt", {divisor});
  return item(in, builder_.node("Div", {sum, divisor}));
}

// ---- rows of each item put together or left out

Rows OnnxInterpreter::prepend_row(const Rows& x, const Parameter& row) {
  return concatenate(repeat_rows(x, row.reshaped({1, see(x).width})), x);
}

Rows OnnxInterpreter::repeat_rows(const Rows& x, const Parameter& table) {
  expect_table(table, 0);
  builder_.enter_around(table);
  RowsValue out = see(x);
  out.rows = table.shape()[0];
  out.width = table.shape()[1];
  out.mask.clear();
  out.shared = true;
  const Shape shape = out.rows == 1 ? Shape{1, out.width} : Shape{1, out.rows, out.width};
  return rows(out, builder_.constant(table, shape));
}

Rows OnnxInterpreter::concatenate(const Rows& a, const Rows& b) {
  const RowsValue front = own(see(a), "concatenate");
  const RowsValue back = own(see(b), "concatenate");
  if (front.width != back.width || front.batch_of != back.batch_of) {
    throw Error(ErrorCode::shape_mismatch, "cannot concatenate rows: found '" + front.name + "' of width " +
                                               std::to_string(front.width) + " and '" + back.name +
                                               "' of width " + std::to_string(back.width));
  }
  const onnx::Attributes along_rows{{"axis", std::int64_t{1}}};
  RowsValue out = front;
  out.rows = front.rows > 0 && back.rows > 0 ? front.rows + back.rows : 0;
  if (!front.mask.empty() || !back.mask.empty()) {
    out.mask =
        builder_.node("Concat", {mask_or_ones(front), mask_or_ones(back)}, along_rows, ElementType::boolean);
  }
  out.length_of = builder_.node("Concat", {boxed(front), boxed(back)}, along_rows);
  return rows(out, out.length_of);
}

// The rows stay where they are and count no more.
Rows OnnxInterpreter::drop_rows_after(const Rows& x, const Tokens& tokens, std::int32_t id) {
  const RowsValue& in = see(x);
  const TokensValue& text = see(tokens);
  const std::string ids = builder_.cast(text.ids, ElementType::i64);
  const std::string equal = builder_.node("Equal", {ids, builder_.integer(id)}, {}, ElementType::boolean);
  const std::string kept = builder_.node("Not", {equal}, {}, ElementType::boolean);
  RowsValue first;
  first.rows = 1;
  first.batch_of = text.batch_of;
  const std::string keeps =
      builder_.node("Concat", {mask_or_ones(first), kept}, {{"axis", std::int64_t{1}}}, ElementType::boolean);
  RowsValue out = in;
  out.mask = in.mask.empty() ? keeps : builder_.node("And", {in.mask, keeps}, {}, ElementType::boolean);
  return rows(out, in.name);
}

}  // namespace moa
