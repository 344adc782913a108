// Handles to what an interpreter computes. A model passes them on and never looks behind them: which numbers,
// how many rows an item has, where they lie, and whether there are any numbers at all, only the interpreter
// knows that made them.
#pragma once

#include <memory>
#include <utility>

namespace moa {

// What an interpreter puts behind a handle. Interpreters derive their own.
class Value {
 public:
  virtual ~Value() = default;
};

template <typename Tag>
class Handle {
 public:
  Handle() = default;
  explicit Handle(std::shared_ptr<const Value> value) : value_(std::move(value)) {}
  // For the interpreter that made it.
  const std::shared_ptr<const Value>& value() const noexcept { return value_; }

 private:
  std::shared_ptr<const Value> value_;
};

// [rows, width]: the tokens or patches of all items of a batch, each item's rows together.
using Rows = Handle<struct RowsTag>;
// [batch, channels, height_px, width_px].
using Tensor = Handle<struct TensorTag>;
// Token ids and token types, one of each a row.
using Tokens = Handle<struct TokensTag>;
// The patches of pictures that keep their own shapes: each picture a grid of its own size.
using Patches = Handle<struct PatchesTag>;

}  // namespace moa
