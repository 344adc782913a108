#include "checkpoint/company.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <moa/error.hpp>

#include "checkpoint/file_names.hpp"

namespace moa {

void copy_company(const ModelDirectory& model, NewDirectory& directory) {
  namespace fs = std::filesystem;
  // Beside a lone file lies whatever its folder is for.
  const bool is_alone = model.layout() == ModelDirectory::Layout::openai;
  const fs::path folder = is_alone ? model.path().parent_path() : model.path();
  std::set<std::string> names;
  if (!is_alone) {
    names.insert(kModelCardNames.begin(), kModelCardNames.end());
    names.insert(kLicenceNames.begin(), kLicenceNames.end());
  }
  const std::vector<fs::path>& weights = model.weight_files();
  for (const fs::path& file : model.identity_files()) {
    if (std::ranges::find(weights, file) == weights.end()) names.insert(model.label(file));
  }
  names.erase(std::string(kQuantizationName));
  for (const std::string& name : names) {
    const fs::path from = folder / name;
    std::error_code failed;
    if (!fs::is_regular_file(from, failed)) continue;
    const fs::path copy = directory.file(name);
    fs::copy_file(from, copy, failed);
    if (failed) throw Error(ErrorCode::io_error, "cannot write '" + copy.string() + "': " + failed.message());
  }
}

}  // namespace moa
