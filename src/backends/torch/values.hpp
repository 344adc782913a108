// What is behind the handles of the torch interpreter.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "tensor/interpreter.hpp"
#include "tensor/sequences.hpp"
#include "tensor/value.hpp"

namespace moa::torch {

// [items, longest, width]: the rows of an item, then padding. What stands in the padding means nothing, is
// finite, and never reaches a row.
struct RowsValue final : Value {
  at::Tensor box;
  Sequences sequences;

  std::int64_t width() const { return box.size(2); }
};

// [batch, channels, height, width].
struct TensorValue final : Value {
  at::Tensor box;
  bool is_pixels = false;  // an input of the model, nothing that it computed
};

struct PatchesValue final : Value {
  Rows rows;
  std::vector<PatchGrid> grids;  // one an item
};

struct TokensValue final : Value {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;  // empty: all 0
  Sequences sequences;
};

}  // namespace moa::torch
