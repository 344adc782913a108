#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"
#include "tensor/relative_position.hpp"

namespace moa::cpu {
namespace {

// One line a head: what it adds at each distance from -reach to reach.
std::vector<float> biases_by_distance(const RelativeBias& bias, std::int64_t heads, std::int64_t reach) {
  const Shape& shape = bias.table.shape();
  if (shape.rank() != 2 || shape[1] != heads || shape[0] < 4 || bias.max_distance <= shape[0] / 4) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot attend with the relative positions of '" + bias.table.name() + "': found " +
                    to_string(shape) + ", expected [4 or more buckets, " + std::to_string(heads) + "]");
  }
  const std::vector<float> table = bias.table.read();
  std::vector<float> lines(static_cast<std::size_t>(heads * (2 * reach + 1)));
  for (std::int64_t distance = -reach; distance <= reach; ++distance) {
    const std::int64_t bucket = bucket_of(distance, shape[0], bias.max_distance);
    for (std::int64_t head = 0; head < heads; ++head) {
      lines[static_cast<std::size_t>(head * (2 * reach + 1) + reach + distance)] =
          table[static_cast<std::size_t>(bucket * heads + head)];
    }
  }
  return lines;
}

}  // namespace

Rows CpuInterpreter::attention(const Rows& q, const Rows& k, const Rows& v, const AttentionOptions& options) {
  const RowsValue& query = see(q);
  const RowsValue& key = see(k);
  const RowsValue& value = see(v);
  const Sequences& queries = query.sequences;
  const Sequences& keys = key.sequences;
  const bool causal = options.mask == Mask::causal;
  const std::int64_t heads = options.heads;
  // So many items of queries share an item's keys.
  const std::int64_t asking = keys.items() == 0 ? 0 : queries.items() / keys.items();
  if (!(value.sequences == keys) || queries.items() != asking * keys.items() ||
      (causal && !(queries == keys)) || key.width != query.width) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot attend: found queries " + to_string(Shape{query.rows(), query.width}) + " of " +
                    std::to_string(queries.items()) + " items, keys " +
                    to_string(Shape{key.rows(), key.width}) + " and values " +
                    to_string(Shape{value.rows(), value.width}) + " of " + std::to_string(keys.items()) +
                    ", expected " + (causal ? "the same rows for each item" : "as many items, or n times"));
  }
  if (heads < 1 || query.width % heads != 0 || value.width != query.width) {
    throw Error(ErrorCode::shape_mismatch, "cannot attend with " + std::to_string(heads) +
                                               " heads: found widths " + std::to_string(query.width) +
                                               " and " + std::to_string(value.width) +
                                               ", expected equal multiples of it");
  }
  const std::int64_t head_dim = query.width / heads;
  const double scale = options.scale == 0 ? 1.0 / std::sqrt(static_cast<double>(head_dim)) : options.scale;
  auto out = new_rows(queries, query.width);

  // Long items are cut by queries too, so that a single one keeps many threads busy; each cut packs the keys
  // again, which is little beside this many queries.
  constexpr std::int64_t kQueries = 252;  // whole tiles
  const std::int64_t most_queries = queries.longest();
  const std::int64_t most_keys = keys.longest();
  const std::int64_t cuts = (most_queries + kQueries - 1) / kQueries;
  const std::int64_t tasks = queries.items() * heads * cuts;
  const std::int64_t reach = std::max(most_queries, most_keys);
  const std::vector<float> biases = options.relative_bias == nullptr
                                        ? std::vector<float>()
                                        : biases_by_distance(*options.relative_bias, heads, reach);
  const std::int64_t scratch_size = kernels_.attention_scratch(most_keys, head_dim);
  const std::int64_t cost = std::min(most_queries, kQueries) * most_keys * head_dim / 4;
  std::int64_t pairs = 0;
  for (std::int64_t item = 0; item < queries.items(); ++item) {
    const std::int64_t tokens = queries.length(item);
    pairs += causal ? tokens * (tokens + 1) / 2 : tokens * keys.length(item / asking);
  }
  engine_.multiply_adds += 2 * pairs * query.width;
  in_parts(tasks, cost, [&](std::int64_t begin, std::int64_t end) {
    const Block scratch = engine_.blocks.take(scratch_size);
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t item = index / (heads * cuts);
      const std::int64_t head = index / cuts % heads;
      const std::int64_t column = head * head_dim;
      const auto part = [&](const Matrix& matrix, std::int64_t row) {
        return Matrix{matrix.data + row * matrix.stride + column, matrix.stride};
      };
      AttentionTask task;
      task.q = part(query.matrix, queries.begin(item));
      task.k = part(key.matrix, keys.begin(item / asking));
      task.v = part(value.matrix, keys.begin(item / asking));
      task.out = part(out->matrix, queries.begin(item));
      task.tokens = keys.length(item / asking);
      task.head_dim = head_dim;
      task.begin = std::min(index % cuts * kQueries, queries.length(item));
      task.end = std::min(task.begin + kQueries, queries.length(item));
      task.scale = static_cast<float>(scale);
      task.causal = causal;
      task.bias = biases.empty() ? nullptr : biases.data() + head * (2 * reach + 1) + reach;
      task.scratch = scratch.get();
      if (task.begin < task.end) kernels_.attention(task);
    }
  });
  return Rows(std::move(out));
}

}  // namespace moa::cpu
