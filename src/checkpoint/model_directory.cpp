#include "checkpoint/model_directory.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "checkpoint/file_names.hpp"
#include "checkpoint/model_card.hpp"

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

// What a directory turned out to hold.
struct Contents {
  ModelDirectory::Layout layout;
  std::string_view config;
  WeightNames weights;
  WeightFormat format;
};

// The layout whose configuration and weights are both there; safetensors of any layout before pickles.
Contents find_contents(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error(ErrorCode::not_found, "cannot open the model '" + path.string() + "': no such directory");
  }
  for (const WeightFormat format : {WeightFormat::safetensors, WeightFormat::pytorch}) {
    for (const auto& [layout, files] : kLayouts) {
      const WeightNames& names = format == WeightFormat::safetensors ? files.safetensors : files.pytorch;
      const bool has_weights = is_file(path / names.whole) || is_file(path / names.index);
      if (is_file(path / files.config) && has_weights) return {layout, files.config, names, format};
    }
  }
  std::string missing = "no config.json and no open_clip_config.json";
  for (const auto& [layout, files] : kLayouts) {
    if (!is_file(path / files.config)) continue;
    missing = std::string(files.config) + ", but no " + std::string(files.safetensors.whole) + " and no " +
              std::string(files.pytorch.whole);
    break;
  }
  throw Error(ErrorCode::not_found, "cannot open the model '" + path.string() + "': found " + missing);
}

[[noreturn]] void refuse_shard(const Config& weight_map, const std::string& tensor, const std::string& shard,
                               const WeightNames& names) {
  throw Error(ErrorCode::corrupt_data, weight_map.where() + ": tensor '" + tensor + "': found the file '" +
                                           shard + "', expected the name of a " +
                                           std::string(names.shard_end) + " file");
}

std::vector<fs::path> shards_of(const Config& weight_map, const WeightNames& names,
                                const fs::path& directory) {
  std::set<fs::path> shards;
  for (const std::string& tensor : weight_map.keys()) {
    const std::string shard = weight_map.string(tensor, "");
    if (!names.is_shard(shard)) refuse_shard(weight_map, tensor, shard, names);
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

}  // namespace

ModelDirectory ModelDirectory::open(const fs::path& path) {
  if (is_file(path)) return open_lone_file(path);
  const Contents contents = find_contents(path);
  ModelDirectory directory;
  directory.path_ = path;
  directory.folder_ = path;
  directory.layout_ = contents.layout;
  directory.weight_format_ = contents.format;
  directory.config_ =
      Config::parse(read_file(path / contents.config, kMaxJsonBytes), std::string(contents.config));
  if (is_file(path / contents.weights.whole)) {
    directory.weights_name_ = contents.weights.whole;
    directory.weight_files_ = {path / contents.weights.whole};
  } else {
    directory.weights_name_ = contents.weights.index;
    directory.weight_map_ = directory.json(contents.weights.index).object("weight_map");
    directory.weight_files_ = shards_of(directory.weight_map_, contents.weights, path);
  }
  return directory;
}

ModelDirectory ModelDirectory::open_lone_file(const fs::path& path) {
  if (path.extension() == ".safetensors") {
    throw Error(ErrorCode::unsupported, "cannot open the model '" + path.string() +
                                            "': found a file of safetensors, expected the directory that it "
                                            "is in, with its configuration");
  }
  ModelDirectory directory;
  directory.path_ = path;
  directory.folder_ = path.parent_path();
  directory.layout_ = Layout::openai;
  directory.weight_format_ = WeightFormat::pytorch;
  directory.weights_name_ = path.filename().string();
  directory.weight_files_ = {path};
  directory.config_ = Config::parse("{}", "'" + directory.weights_name_ + "'");
  return directory;
}

bool ModelDirectory::has(std::string_view name) const {
  const bool belongs = layout_ != Layout::openai ||
                       std::ranges::find(kLoneFileCompanionNames, name) != kLoneFileCompanionNames.end();
  return belongs && is_file(folder_ / name);
}

Weights ModelDirectory::weights() const {
  return read_weights(weight_files_, weight_format_, weight_map_, weights_name_);
}

std::optional<std::string> ModelDirectory::file(std::string_view name) const {
  if (!has(name)) return std::nullopt;
  return read_file(folder_ / name, kMaxTextFileBytes);
}

Config ModelDirectory::json(std::string_view name) const {
  if (!has(name)) return {};
  return Config::parse(read_file(folder_ / name, kMaxJsonBytes), std::string(name));
}

std::vector<fs::path> ModelDirectory::identity_files() const {
  std::vector<fs::path> files = weight_files_;
  for (const std::string_view name : kIdentityFileNames) {
    if (has(name)) files.push_back(folder_ / name);
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
