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
  const std::string& wanted = chosen ? *chosen : default_name;
  for (const auto& [name, words] : by_name) {
    if (name == wanted) return words;
  }
  return wanted;
}

}  // namespace moa
