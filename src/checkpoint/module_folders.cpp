#include "checkpoint/module_folders.hpp"

#include <moa/error.hpp>

#include "base/config.hpp"

namespace moa {

bool is_plain_name(std::string_view name) noexcept {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t kMaxLength = 128;
  return !name.empty() && name.size() <= kMaxLength && name.front() != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::vector<ModuleFolder> read_module_folders(std::string_view json) {
  constexpr std::size_t kMaxModules = 64;
  // The document is a list; Config reads objects.
  const Config document = Config::parse("{\"modules\":" + std::string(json) + "}", std::string(kModulesName));
  std::vector<ModuleFolder> modules;
  for (const Config& module : document.objects("modules")) {
    const std::string type = module.string("type", "");
    ModuleFolder found{type.substr(type.rfind('.') + 1), module.string("path", "")};
    if (!found.folder.empty() && !is_plain_name(found.folder)) {
      throw Error(ErrorCode::corrupt_data, module.where() + ": 'path': found '" + found.folder +
                                               "', expected the name of a folder in the model's directory");
    }
    modules.push_back(std::move(found));
  }
  const bool is_one_list = document.keys().size() == 1;
  if (!is_one_list || modules.empty() || modules.size() > kMaxModules) {
    throw Error(ErrorCode::corrupt_data, document.where() + ": found " + std::to_string(modules.size()) +
                                             " modules, expected 1 to 64");
  }
  return modules;
}

}  // namespace moa
