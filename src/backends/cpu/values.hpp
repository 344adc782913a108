// What is behind the handles of the cpu interpreter.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "backends/cpu/block_cache.hpp"
#include "backends/cpu/kernels/kernels.hpp"
#include "tensor/interpreter.hpp"
#include "tensor/precision.hpp"
#include "tensor/sequences.hpp"
#include "tensor/value.hpp"

namespace moa::cpu {

// `owner` is the interpreter that made the value.
struct OwnedValue : Value {
  explicit OwnedValue(const void* its_owner) : owner(its_owner) {}
  const void* owner;
};

// Rows as a product in bf16 or int8 reads them.
struct NarrowRows {
  Block words;
  ConstMatrix matrix{nullptr, 0};
  Block scales;  // one a row
  Precision precision = Precision::f32;
};

// Rows in a block; several values may see the same block (column views, a picture's pixels).
//
// Rows may also be described before they are computed: what only products in bf16 or int8 will read is
// computed a few rows at a time and narrowed while it is in cache, and never stands in memory as f32.
// `matrix` and `narrow` are filled when they are first asked for (CpuInterpreter::see,
// CpuInterpreter::narrowed).
struct RowsValue final : OwnedValue {
  using OwnedValue::OwnedValue;
  mutable Block block;
  mutable Matrix matrix{nullptr, 0};
  std::int64_t width = 0;
  Sequences sequences;
  // Writes rows [begin, end) to `out`, in one thread. Empty once `matrix` is there.
  mutable std::function<void(std::int64_t begin, std::int64_t end, Matrix out)> compute;
  mutable NarrowRows narrow;

  std::int64_t rows() const { return sequences.rows(); }
};

// [batch, height, width, channels]: channels innermost, without gaps.
struct TensorValue final : OwnedValue {
  using OwnedValue::OwnedValue;
  Block block;
  std::int64_t batch = 0, height = 0, width = 0, channels = 0;
  bool is_pixels = false;  // an input of the model, nothing that it computed

  std::int64_t pixels() const { return batch * height * width; }
};

struct PatchesValue final : OwnedValue {
  using OwnedValue::OwnedValue;
  Rows rows;
  std::vector<PatchGrid> grids;  // one an item
};

struct TokensValue final : OwnedValue {
  using OwnedValue::OwnedValue;
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;  // empty: all 0
  Sequences sequences;
};

}  // namespace moa::cpu
