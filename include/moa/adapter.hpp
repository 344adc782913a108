// Adapters: few numbers that were learned in place of a model's matrices, and are added to them
// (LoadOptions::adapter, merge_adapter).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <moa/export.hpp>

namespace moa {

// What `moa inspect` shows of one.
struct AdapterInfo {
  std::string path;
  std::string kind;  // "lora", "tt_lora", "tt_matrix" or "shared"
  std::int64_t rank = 0;
  double scale = 0;  // what its product is multiplied with: alpha / rank
  std::int64_t parameters = 0;
  std::vector<std::string> layers;  // that it sits on
  std::string base;                 // the model that it was learned for, as it says; empty: it does not
  std::int64_t bytes = 0;           // of its tensors' file
};

// Whether `place` is an adapter's folder, or its file of tensors, and not a model.
MOA_API bool is_adapter(const std::filesystem::path& place) noexcept;

// Errors: not_found; corrupt_data; unsupported (a kind of adapter, or an option of peft, that moa does not
// know).
MOA_API AdapterInfo inspect_adapter(const std::filesystem::path& place);

}  // namespace moa
