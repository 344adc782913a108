#include "checkpoint/tensor_names.hpp"

#include <array>
#include <utility>

namespace moa {
namespace {

constexpr std::array<std::string_view, 7> kIgnorable = {
    "position_ids", "embeddings.token_type_ids", "num_batches_tracked",  "relative_position_index",
    "attn_mask",    "rotary_emb.inv_freq",       "relative_coords_table"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kRenames = {
    {{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}}};

// "a.b.c" ends in "b.c" and in "a.b.c", not in ".c" or "xb.c".
bool ends_in(std::string_view name, std::string_view parts) {
  return name.ends_with(parts) &&
         (name.size() == parts.size() || name[name.size() - parts.size() - 1] == '.');
}

}  // namespace

bool is_ignorable_tensor(std::string_view name) noexcept {
  for (const std::string_view parts : kIgnorable) {
    if (ends_in(name, parts)) return true;
  }
  return false;
}

std::string modern_tensor_name(std::string_view name) {
  for (const auto& [old_end, new_end] : kRenames) {
    if (ends_in(name, old_end)) {
      return std::string(name.substr(0, name.size() - old_end.size())) + std::string(new_end);
    }
  }
  return std::string(name);
}

}  // namespace moa
