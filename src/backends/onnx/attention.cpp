// Attention, decomposed: what a graph's reader fuses again if it can.
#include <cmath>

#include <moa/error.hpp>

#include "backends/onnx/interpreter.hpp"
#include "tensor/relative_position.hpp"

namespace moa {

using onnx::Builder;
using onnx::ElementType;

namespace {

// What is added to the score of a key that is not seen. Its exponential is 0 in every precision beside any
// score that a model gives, and it fits f16. Where no key at all is seen (a padded row) the result is some
// number, not NaN, which would spread.
constexpr double kUnseen = -3e4;

}  // namespace

std::string OnnxInterpreter::seen_keys(const RowsValue& key, Mask mask) {
  if (mask == Mask::none) note_padding(key);
  std::string seen;
  if (mask == Mask::causal) {
    const std::string count = length(key);
    seen = builder_.once("causal " + count, [&] {
      const std::string place = places(count);
      const std::string column =
          builder_.node("Unsqueeze", {place, builder_.integers({1})}, {}, ElementType::i64);
      return builder_.node("LessOrEqual", {place, column}, {}, ElementType::boolean);
    });
  }
  if (key.mask.empty()) return seen;
  std::string counted = builder_.once("seen " + key.mask, [&] {
    return builder_.node("Unsqueeze", {key.mask, builder_.integers({1, 2})}, {}, ElementType::boolean);
  });
  if (seen.empty()) return counted;
  return builder_.once("causal " + counted, [&] {
    return builder_.node("And", {seen, counted}, {}, ElementType::boolean);
  });
}

// [1, heads, queries, keys].
std::string OnnxInterpreter::relative_bias(const RelativeBias& bias, const RowsValue& query,
                                           const RowsValue& key) {
  const Shape& shape = bias.table.shape();
  if (shape.rank() != 2 || shape[0] < 4 || bias.max_distance <= shape[0] / 4) {
    throw Error(ErrorCode::shape_mismatch, "cannot attend with the relative positions of '" +
                                               bias.table.name() + "': found " + to_string(shape) +
                                               ", expected [4 or more buckets, heads]");
  }
  const std::string keys = length(key);
  const std::string queries = length(query);
  const std::string table = builder_.constant(bias.table);
  return builder_.once("relative " + table + keys + queries, [&] {
    const Builder::Exact exact(builder_);
    std::vector<std::int64_t> buckets;  // of every distance; beyond max_distance they do not change
    for (std::int64_t distance = -bias.max_distance; distance <= bias.max_distance; ++distance) {
      buckets.push_back(bucket_of(distance, shape[0], bias.max_distance));
    }
    const std::string column =
        builder_.node("Unsqueeze", {places(queries), builder_.integers({1})}, {}, ElementType::i64);
    std::string distance = builder_.node("Sub", {places(keys), column}, {}, ElementType::i64);
    const auto integers = [&](const char* operation, std::int64_t value) {
      return builder_.node(operation, {distance, builder_.integer(value)}, {}, ElementType::i64);
    };
    distance = integers("Min", bias.max_distance);
    distance = integers("Max", -bias.max_distance);
    distance = integers("Add", bias.max_distance);
    const std::string bucket =
        builder_.node("Gather", {builder_.integers(buckets), distance}, {}, ElementType::i64);
    const std::string values = builder_.node("Gather", {table, bucket});  // [queries, keys, heads]
    const std::string heads_first =
        builder_.node("Transpose", {values}, {{"perm", std::vector<std::int64_t>{2, 0, 1}}});
    return builder_.node("Unsqueeze", {heads_first, builder_.integers({0})});
  });
}

Rows OnnxInterpreter::attention(const Rows& q, const Rows& k, const Rows& v,
                                const AttentionOptions& options) {
  const RowsValue& query = see(q);
  const RowsValue key = own(see(k), "attention");
  const RowsValue value = own(see(v), "attention");
  if (options.heads < 1 || query.width % options.heads != 0 || key.width != query.width ||
      value.width % options.heads != 0) {
    throw Error(ErrorCode::shape_mismatch, "cannot attend with " + std::to_string(options.heads) +
                                               " heads: found widths " + std::to_string(query.width) + ", " +
                                               std::to_string(key.width) + " and " +
                                               std::to_string(value.width));
  }
  if (query.batch_of != key.batch_of && !query.shared) {
    onnx::refuse("attention", query.name,
                 "found rows of '" + query.batch_of + "' that look at those of '" + key.batch_of + "'");
  }
  const std::int64_t head_dim = query.width / options.heads;
  const auto transpose = [&](const std::string& x, std::vector<std::int64_t> perm) {
    return builder_.node("Transpose", {x}, {{"perm", std::move(perm)}});
  };
  // [batch, heads, rows, head_dim], by `perm`, of [batch, rows, width].
  const auto heads_of = [&](const RowsValue& x, std::vector<std::int64_t> perm) {
    const std::int64_t dim = x.width / options.heads;
    if (x.rows == 1) {  // heads and the one row need no exchange
      const std::string split =
          builder_.node("Reshape", {x.name, builder_.integers({0, options.heads, 1, dim})});
      return perm[2] == 1 ? split : transpose(split, {0, 1, 3, 2});
    }
    const std::string split =
        builder_.node("Reshape", {x.name, builder_.integers({0, 0, options.heads, dim})});
    return transpose(split, std::move(perm));
  };
  const double scale = options.scale == 0 ? 1 / std::sqrt(static_cast<double>(head_dim)) : options.scale;
  std::string asking = heads_of(query, {0, 2, 1, 3});
  if (scale != 1) asking = builder_.node("Mul", {asking, builder_.constant(scale)});
  std::string scores = builder_.node("MatMul", {asking, heads_of(key, {0, 2, 3, 1})});
  {
    const Builder::Exact exact(builder_);
    if (options.relative_bias != nullptr) {
      scores = builder_.node("Add", {scores, relative_bias(*options.relative_bias, query, key)});
    }
    const std::string seen = seen_keys(key, options.mask);
    if (!seen.empty()) {
      const std::string bias = builder_.once("unseen " + seen, [&] {
        return builder_.node("Where", {seen, builder_.constant(0.0), builder_.constant(kUnseen)});
      });
      scores = builder_.node("Add", {scores, bias});
    }
    scores = builder_.node("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
  }
  std::string found = builder_.node("MatMul", {scores, heads_of(value, {0, 2, 1, 3})});
  RowsValue out = query;
  out.width = value.width;
  out.shared = false;
  out.batch_of = key.batch_of;
  if (query.rows == 1) return rows(out, builder_.node("Reshape", {found, builder_.integers({0, out.width})}));
  found = transpose(found, {0, 2, 1, 3});
  return rows(out, builder_.node("Reshape", {found, builder_.integers({0, 0, out.width})}));
}

}  // namespace moa
