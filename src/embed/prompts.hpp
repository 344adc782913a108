// Words that a model wants before a text.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/model_directory.hpp"

namespace moa {

// Named in config_sentence_transformers.json, or in the configuration itself: {"prompts": {"query": "query:
// "}, "default_prompt_name": "query"}.
struct Prompts {
  std::vector<std::pair<std::string, std::string>> by_name;
  std::string default_name;  // empty: nothing is put before a text unless asked

  static Prompts of(const ModelDirectory& directory);

  // What to put before a text. Without a choice, what the model always needs; the prompt of that name
  // instead, if `chosen` is one; otherwise `chosen` is words, and they follow what the model always needs.
  std::string words(const std::optional<std::string>& chosen) const;
};

}  // namespace moa
