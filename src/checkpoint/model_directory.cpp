#include "checkpoint/model_directory.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "checkpoint/file_names.hpp"
#include "checkpoint/model_card.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/tensor_names.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// 21,000 class labels take 1 MiB, the index of 100,000 tensors 10; parsed, a document takes up to 20 times
// that.
constexpr std::uint64_t kMaxJsonBytes = 16u << 20;
constexpr std::uint64_t kMaxTextFileBytes = 64u << 20;

struct KnownLayout {
  ModelDirectory::Layout layout;
  LayoutFiles files;
};

constexpr std::array kLayouts = {KnownLayout{ModelDirectory::Layout::transformers, kTransformersFiles},
                                 KnownLayout{ModelDirectory::Layout::open_clip, kOpenClipFiles}};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// The layout whose configuration and weights are both there.
const KnownLayout& find_layout(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error(ErrorCode::not_found, "cannot open the model '" + path.string() + "': no such directory");
  }
  for (const KnownLayout& known : kLayouts) {
    const bool has_weights = is_file(path / known.files.weights) || is_file(path / known.files.index);
    if (is_file(path / known.files.config) && has_weights) return known;
  }
  std::string missing = "no config.json and no open_clip_config.json";
  for (const auto& [layout, files] : kLayouts) {
    if (!is_file(path / files.config)) continue;
    if (is_file(path / files.pickle)) {
      throw Error(ErrorCode::unsupported, "cannot open the model '" + path.string() + "': found weights as " +
                                              std::string(files.pickle) + ", expected " +
                                              std::string(files.weights));
    }
    missing = std::string(files.config) + ", but no " + std::string(files.weights);
    break;
  }
  throw Error(ErrorCode::not_found, "cannot open the model '" + path.string() + "': found " + missing);
}

std::vector<fs::path> shards_of(const Config& weight_map, const fs::path& directory) {
  std::set<fs::path> shards;
  for (const std::string& tensor : weight_map.keys()) {
    const std::string shard = weight_map.string(tensor, "");
    if (!is_shard_name(shard)) {
      throw Error(ErrorCode::corrupt_data, weight_map.where() + ": tensor '" + tensor +
                                               "': found the file '" + shard +
                                               "', expected the name of a .safetensors file");
    }
    if (!shards.insert(directory / shard).second) continue;
    if (!is_file(directory / shard)) {
      throw Error(ErrorCode::not_found, "cannot open the model '" + directory.string() + "': its shard '" +
                                            shard + "' is not there");
    }
  }
  if (shards.empty()) {
    throw Error(ErrorCode::corrupt_data, weight_map.where() + ": found no tensors");
  }
  return {shards.begin(), shards.end()};
}

// A tensor and the file that it is in.
struct Found {
  const SafetensorsFile* file;
  const StoredTensor* tensor;
};
using FoundByName = std::map<std::string, Found, std::less<>>;

FoundByName find_tensors(const std::vector<SafetensorsFile>& files) {
  FoundByName found;
  for (const SafetensorsFile& file : files) {
    for (const StoredTensor& tensor : file.tensors()) {
      if (is_ignorable_tensor(tensor.name)) continue;
      if (!found.try_emplace(tensor.name, Found{&file, &tensor}).second) {
        throw Error(
            ErrorCode::corrupt_data,
            "tensor '" + tensor.name + "' stands in two files, the second '" + file.path().string() + "'");
      }
    }
  }
  return found;
}

// Index and shards must tell the same story: a shard of another save, or a tensor moved, is refused.
void check_against_index(const FoundByName& found, const Config& weight_map) {
  for (const auto& [name, place] : found) {
    const std::string expected = weight_map.string(name, "");
    const std::string shard = place.file->path().filename().string();
    if (shard != expected) {
      throw Error(ErrorCode::corrupt_data, "tensor '" + name + "': found in '" + shard + "', expected " +
                                               (expected.empty() ? "no such tensor" : "'" + expected + "'") +
                                               " by " + weight_map.where());
    }
  }
  for (const std::string& name : weight_map.keys()) {
    if (!found.contains(name) && !is_ignorable_tensor(name)) {
      throw Error(ErrorCode::corrupt_data, "tensor '" + name + "': not in '" + weight_map.string(name, "") +
                                               "', where " + weight_map.where() + " says it is");
    }
  }
}

}  // namespace

ModelDirectory ModelDirectory::open(const fs::path& path) {
  const auto& [layout, files] = find_layout(path);
  ModelDirectory directory;
  directory.path_ = path;
  directory.layout_ = layout;
  directory.config_ = Config::parse(read_file(path / files.config, kMaxJsonBytes), std::string(files.config));
  if (is_file(path / files.weights)) {
    directory.weights_name_ = files.weights;
    directory.weight_files_ = {path / files.weights};
  } else {
    directory.weights_name_ = files.index;
    directory.weight_map_ = directory.json(files.index).object("weight_map");
    directory.weight_files_ = shards_of(directory.weight_map_, path);
  }
  return directory;
}

Weights ModelDirectory::weights() const {
  std::vector<SafetensorsFile> files;
  files.reserve(weight_files_.size());
  for (const fs::path& path : weight_files_) files.push_back(SafetensorsFile::open(path));
  FoundByName found = find_tensors(files);
  if (!weight_map_.keys().empty()) check_against_index(found, weight_map_);

  Weights weights;
  constexpr std::string_view kBlocks = ".q4";
  constexpr std::string_view kScales = ".scale";
  for (const auto& [stored_name, blocks] : found) {  // pairs first, so that scales do not remain as tensors
    if (!stored_name.ends_with(kBlocks)) continue;
    std::string name = stored_name.substr(0, stored_name.size() - kBlocks.size());
    const auto scales = found.find(name + std::string(kScales));
    if (scales == found.end()) {
      throw Error(ErrorCode::corrupt_data,
                  "cannot load '" + name + "' from " + weights_name_ + ": its scales are missing");
    }
    weights.add(SafetensorsFile::q4_parameter(modern_tensor_name(name), *blocks.file, *blocks.tensor,
                                              *scales->second.file, *scales->second.tensor));
    scales->second.tensor = nullptr;
  }
  for (const auto& [stored_name, place] : found) {
    if (place.tensor == nullptr || stored_name.ends_with(kBlocks)) continue;
    weights.add(place.file->parameter(*place.tensor, modern_tensor_name(stored_name)));
  }
  return weights;
}

std::optional<std::string> ModelDirectory::file(std::string_view name) const {
  if (!is_file(path_ / name)) return std::nullopt;
  return read_file(path_ / name, kMaxTextFileBytes);
}

Config ModelDirectory::json(std::string_view name) const {
  if (!is_file(path_ / name)) return {};
  return Config::parse(read_file(path_ / name, kMaxJsonBytes), std::string(name));
}

std::vector<fs::path> ModelDirectory::identity_files() const {
  std::vector<fs::path> files = weight_files_;
  for (const std::string_view name : kIdentityFileNames) {
    if (is_file(path_ / name)) files.push_back(path_ / name);
  }
  std::ranges::sort(files);
  return files;
}

std::optional<std::string> ModelDirectory::licence() const {
  for (const std::string_view name : kModelCardNames) {
    const std::optional<std::string> card = file(name);
    std::optional<std::string> licence = card ? licence_of_model_card(*card) : std::nullopt;
    if (licence) return licence;
  }
  if (config_.is_string("license")) return config_.string("license", "");
  return std::nullopt;
}

}  // namespace moa
