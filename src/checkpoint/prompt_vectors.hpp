// Prompt vectors: learned rows that stand before a text in place of words (CoOp: Zhou et al. 2022, arXiv
// 2109.01134). On disk they are one safetensors file: "prompt_vectors" [vectors, width] in f32, and metadata
// that say what they belong to.
#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/model_directory.hpp"
#include "tensor/parameter.hpp"

namespace moa {

inline constexpr std::string_view kPromptVectors = "prompt_vectors";

struct PromptVectors {
  Parameter vectors;           // kPromptVectors [vectors, width of the model's table of tokens]
  std::string base;            // the model that they were learned for, as it was named
  std::string base_files;      // prompt_base() of its directory
  std::string initial;         // the words that they began as; empty: none
  std::string label_template;  // with "{}": what follows them when a class is named

  // Errors: not_found; corrupt_data (no prompt vectors, a number that is none, metadata that are missing).
  static PromptVectors open(const std::filesystem::path& place);
  // Appears whole or not at all. Error: io_error.
  void write(const std::filesystem::path& place) const;
  // Error: model_mismatch, naming both, if they were learned for other files than those of `directory`.
  void expect_model(const ModelDirectory& directory, const std::filesystem::path& place) const;
};

// What tells the files of a model from all others, whatever they are computed with.
std::string prompt_base(const ModelDirectory& directory);
// What decides what prompt vectors do, as one word: a hash of their file. Errors: not_found, io_error.
std::string prompt_identity(const std::filesystem::path& place);

}  // namespace moa
