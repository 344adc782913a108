#include <algorithm>
#include <cmath>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {

Rows CpuInterpreter::attention(const Rows& q, const Rows& k, const Rows& v, const AttentionOptions& options) {
  const RowsValue& query = see(q);
  const RowsValue& key = see(k);
  const RowsValue& value = see(v);
  const Sequences& sequences = query.sequences;
  const std::int64_t heads = options.heads;
  if (!(key.sequences == sequences) || !(value.sequences == sequences) || key.width != query.width) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot attend: found queries " + to_string(Shape{query.rows(), query.width}) + ", keys " +
                    to_string(Shape{key.rows(), key.width}) + " and values " +
                    to_string(Shape{value.rows(), value.width}) + ", expected the same rows for each item");
  }
  if (heads < 1 || query.width % heads != 0 || value.width != query.width) {
    throw Error(ErrorCode::shape_mismatch, "cannot attend with " + std::to_string(heads) +
                                               " heads: found widths " + std::to_string(query.width) +
                                               " and " + std::to_string(value.width) +
                                               ", expected equal multiples of it");
  }
  const std::int64_t head_dim = query.width / heads;
  const double scale = options.scale == 0 ? 1.0 / std::sqrt(static_cast<double>(head_dim)) : options.scale;
  auto out = new_rows(sequences, query.width);

  // Long items are cut by queries too, so that a single one keeps many threads busy; each cut packs the keys
  // again, which is little beside this many queries.
  constexpr std::int64_t kQueries = 252;  // whole tiles
  std::int64_t longest = 0;
  for (std::int64_t item = 0; item < sequences.items(); ++item) {
    longest = std::max(longest, sequences.length(item));
  }
  const std::int64_t cuts = (longest + kQueries - 1) / kQueries;
  const std::int64_t tasks = sequences.items() * heads * cuts;
  const std::int64_t scratch_size = kernels_.attention_scratch(longest, head_dim);
  const std::int64_t cost = std::min(longest, kQueries) * longest * head_dim / 4;
  in_parts(tasks, cost, [&](std::int64_t begin, std::int64_t end) {
    const Block scratch = engine_.blocks.take(scratch_size);
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t item = index / (heads * cuts);
      const std::int64_t column = index / cuts % heads * head_dim;
      const std::int64_t row = sequences.begin(item);
      const auto part = [&](const Matrix& matrix) {
        return Matrix{matrix.data + row * matrix.stride + column, matrix.stride};
      };
      AttentionTask task;
      task.q = part(query.matrix);
      task.k = part(key.matrix);
      task.v = part(value.matrix);
      task.out = part(out->matrix);
      task.tokens = sequences.length(item);
      task.head_dim = head_dim;
      task.begin = std::min(index % cuts * kQueries, task.tokens);
      task.end = std::min(task.begin + kQueries, task.tokens);
      task.scale = static_cast<float>(scale);
      task.causal = options.mask == Mask::causal;
      task.scratch = scratch.get();
      if (task.begin < task.end) kernels_.attention(task);
    }
  });
  return Rows(std::move(out));
}

}  // namespace moa::cpu
