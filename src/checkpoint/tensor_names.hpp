// What published checkpoints call their tensors, as far as it is the same for every architecture.
#pragma once

#include <string>
#include <string_view>

namespace moa {

// A buffer that a file may hold and no model needs: position ids, counters, masks that are computed anyway.
bool is_ignorable_tensor(std::string_view name) noexcept;

// The name that today's models give to a tensor: "LayerNorm.gamma" and "LayerNorm.beta" of the first BERT
// files become "LayerNorm.weight" and "LayerNorm.bias".
std::string modern_tensor_name(std::string_view name);

}  // namespace moa
