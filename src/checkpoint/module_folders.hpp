// sentence-transformers' layout: modules.json lists the steps from a text to its vector, each with a folder
// of its own for its configuration and weights; the first may lie in the model's directory itself.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace moa {

inline constexpr std::string_view kModulesName = "modules.json";

struct ModuleFolder {
  std::string kind;    // the last part of its class's name: "Transformer", "Pooling", "Dense", …
  std::string folder;  // below the model's directory, e.g. "1_Pooling"; empty for the directory itself

  // The name of a file of the module's, seen from the model's directory.
  std::string file(std::string_view name) const {
    return folder.empty() ? std::string(name) : folder + "/" + std::string(name);
  }
};

// What configures a module: its class's own file, and, for a Transformer, how it is called.
inline constexpr auto kModuleConfigNames =
    std::to_array<std::string_view>({"config.json", "sentence_bert_config.json",
                                     "sentence_roberta_config.json", "sentence_distilbert_config.json",
                                     "sentence_camembert_config.json", "sentence_xlm-roberta_config.json"});

// The list in modules.json. Errors: corrupt_data (not such a list, none or more than 64 of them, a folder
// that is not one directly below the model's).
std::vector<ModuleFolder> read_module_folders(std::string_view json);

// Whether `name` is that of a file or folder in a directory, without a way out of it.
bool is_plain_name(std::string_view name) noexcept;

}  // namespace moa
