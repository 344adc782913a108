#include "embed/prompts.hpp"

#include <moa/error.hpp>

namespace moa {

Prompts Prompts::of(const ModelDirectory& directory) {
  Config source = directory.json("config_sentence_transformers.json");
  if (!source.has("prompts")) source = directory.config();
  Prompts prompts;
  const Config named = source.object("prompts");
  for (const std::string& name : named.keys()) prompts.by_name.emplace_back(name, named.string(name, ""));
  prompts.default_name = source.string("default_prompt_name", "");
  for (const auto& [name, words] : prompts.by_name) {
    if (name == prompts.default_name) return prompts;
  }
  if (!prompts.default_name.empty()) {
    throw Error(ErrorCode::corrupt_data, source.where() + ": 'default_prompt_name': found '" +
                                             prompts.default_name + "', expected a name in 'prompts'");
  }
  return prompts;
}

std::string Prompts::words(const std::optional<std::string>& chosen) const {
  const auto named = [this](const std::string& wanted) -> const std::string* {
    for (const auto& [name, words] : by_name) {
      if (name == wanted) return &words;
    }
    return nullptr;
  };
  const std::string* always = named(default_name);
  std::string before = always == nullptr ? "" : *always;
  if (!chosen) return before;
  const std::string* instead = named(*chosen);
  return instead == nullptr ? before + *chosen : *instead;
}

}  // namespace moa
