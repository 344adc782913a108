// What is behind the handles of the cpu interpreter.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/block_cache.hpp"
#include "backends/cpu/kernels/kernels.hpp"
#include "tensor/sequences.hpp"
#include "tensor/value.hpp"

namespace moa::cpu {

// `owner` is the interpreter that made the value.
struct OwnedValue : Value {
  explicit OwnedValue(const void* its_owner) : owner(its_owner) {}
  const void* owner;
};

// Rows in a block; several values may see the same block (column views, a picture's pixels).
struct RowsValue final : OwnedValue {
  using OwnedValue::OwnedValue;
  Block block;
  Matrix matrix{nullptr, 0};
  std::int64_t width = 0;
  Sequences sequences;

  std::int64_t rows() const { return sequences.rows(); }
};

// [batch, height, width, channels]: channels innermost, without gaps.
struct TensorValue final : OwnedValue {
  using OwnedValue::OwnedValue;
  Block block;
  std::int64_t batch = 0, height = 0, width = 0, channels = 0;

  std::int64_t pixels() const { return batch * height * width; }
};

struct TokensValue final : OwnedValue {
  using OwnedValue::OwnedValue;
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;  // empty: all 0
  Sequences sequences;
};

}  // namespace moa::cpu
