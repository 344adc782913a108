// What an adapter adds to one matrix of a model.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "checkpoint/adapter.hpp"

namespace moa {

// Computed row by row, so that nothing of the matrix's own size is kept. Immutable; safe from any thread.
class AdapterDelta {
 public:
  virtual ~AdapterDelta() = default;
  // Adds rows [first, first + count) to `rows`, row-major. A row does not depend on those beside it.
  virtual void add_rows(std::int64_t first, std::int64_t count, float* rows) const = 0;
};

// Of `adapter` for the weight [out, in] of `module`; `used` receives the names of the tensors that it is made
// of. Errors: corrupt_data for a tensor that is missing; shape_mismatch, naming the tensor or the layer.
std::shared_ptr<const AdapterDelta> adapter_delta(const Adapter& adapter, const std::string& module,
                                                  const Shape& weight, std::set<std::string>& used);

}  // namespace moa
