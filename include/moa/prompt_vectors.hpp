// Prompt vectors: rows that were learned to stand before a text in place of words
// (LoadOptions::prompt_vectors).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <moa/export.hpp>

namespace moa {

// What `moa inspect` shows of them.
struct PromptVectorsInfo {
  std::string path;
  std::int64_t vectors = 0;
  std::int64_t width = 0;      // of each; that of the model's table of tokens
  std::string initial;         // the words that they began as; empty: none
  std::string label_template;  // how a class is named behind them, "{}" being its name
  std::string base;            // the model that they were learned for, as it was named
  std::int64_t bytes = 0;      // of the file
};

// Whether `place` is a file of prompt vectors, sound or not.
MOA_API bool is_prompt_vectors(const std::filesystem::path& place) noexcept;

// Errors: not_found; corrupt_data.
MOA_API PromptVectorsInfo inspect_prompt_vectors(const std::filesystem::path& place);

}  // namespace moa
