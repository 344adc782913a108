#include "checkpoint/model_directory.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "checkpoint/layout_choice.hpp"
#include "checkpoint/model_card.hpp"
#include "tensor/factored.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// 21,000 class labels take 1 MiB, the index of 100,000 tensors 10; parsed, a document takes up to 20 times
// that.
constexpr std::uint64_t kMaxJsonBytes = 16u << 20;
constexpr std::uint64_t kMaxTextFileBytes = 64u << 20;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Error: not_found.
LayoutChoice layout_in(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error(ErrorCode::not_found, "cannot open the model '" + path.string() + "': no such directory");
  }
  const auto has = [&](std::string_view name) { return is_file(path / name); };
  const auto yields = [&] {
    const std::string name(kTransformersFiles.config);
    return yields_to_open_clip(Config::parse(read_file(path / name, kMaxJsonBytes), name));
  };
  if (const auto choice = choose_layout(has, yields)) return *choice;
  std::string missing = "no config.json and no open_clip_config.json";
  for (const LayoutFiles* files : {&kTransformersFiles, &kOpenClipFiles}) {
    if (!has(files->config)) continue;
    missing = std::string(files->config) + ", but no " + std::string(files->safetensors.whole) + " and no " +
              std::string(files->pytorch.whole);
    break;
  }
  if (fs::is_directory(path / "onnx", ignored)) missing += "; its ONNX graphs run by '--engine onnxruntime'";
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
                                            shard + "' is not there; put it beside the others");
    }
  }
  if (shards.empty()) {
    throw Error(ErrorCode::corrupt_data, weight_map.where() + ": found no tensors");
  }
  return {shards.begin(), shards.end()};
}

// Modules without a Pooling: a whole model, as a CLIP is, whose vectors nothing but their length is changed
// of.
void refuse_other_modules(const fs::path& path, const std::vector<ModuleFolder>& modules) {
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const std::string& kind = modules[i].kind;
    const bool is_known =
        i == 0 ? kind == "CLIPModel" || kind == "Transformer" : kind == "Normalize" || kind == "Dropout";
    if (is_known) continue;
    throw Error(ErrorCode::unsupported,
                "cannot open the model '" + path.string() + "': modules.json: found the module '" + kind +
                    "' " +
                    (i == 0 ? "first, expected CLIPModel or Transformer"
                            : "and no Pooling, expected nothing but Normalize or Dropout behind the first"));
  }
}

// The tensor files of a repository that was cloned without them. Error: not_found.
void refuse_pointer(const fs::path& path) {
  constexpr std::string_view kBegin = "version https://git-lfs";
  constexpr std::uint64_t kMostBytes = 1024;
  std::error_code ignored;
  if (fs::file_size(path, ignored) > kMostBytes || ignored) return;
  if (!read_file(path, kMostBytes).starts_with(kBegin)) return;
  throw Error(ErrorCode::not_found,
              "cannot open '" + path.string() +
                  "': found a pointer of Git LFS in its place; 'git lfs pull' in its folder, or "
                  "moa pull, fetches the file");
}

}  // namespace

ModelDirectory ModelDirectory::open(const fs::path& path) {
  if (is_file(path)) return open_lone_file(path);
  if (!is_file(path / kModulesName)) return open_plain(path);
  const std::vector<ModuleFolder> modules =
      read_module_folders(read_file(path / kModulesName, kMaxJsonBytes));
  const bool has_pooling =
      std::ranges::find(modules, std::string_view("Pooling"), &ModuleFolder::kind) != modules.end();
  if (has_pooling) return open_modules(path, modules);
  refuse_other_modules(path, modules);
  const std::string& folder = modules.front().folder;
  if (folder.empty()) return open_plain(path);
  ModelDirectory directory = open_plain(path / folder);
  directory.folders_.push_back(path);  // prompts and the model card lie there
  return directory;
}

ModelDirectory ModelDirectory::open_plain(const fs::path& path) {
  const auto [files, weights] = layout_in(path);
  ModelDirectory directory;
  directory.path_ = path;
  directory.folders_ = {path};
  directory.layout_ = files == &kOpenClipFiles ? Layout::open_clip : Layout::transformers;
  directory.config_ =
      Config::parse(read_file(path / files->config, kMaxJsonBytes), std::string(files->config));
  const bool is_safetensors = weights == &files->safetensors;
  directory.add_weights(
      weight_set(path, *weights, is_safetensors ? WeightFormat::safetensors : WeightFormat::pytorch));
  return directory;
}

ModelDirectory ModelDirectory::open_graphs(const fs::path& path, Layout layout, std::vector<fs::path> graphs,
                                           std::vector<fs::path> others) {
  ModelDirectory directory;
  directory.path_ = path;
  directory.folders_ = {path};
  directory.layout_ = layout;
  const LayoutFiles& files = layout == Layout::open_clip ? kOpenClipFiles : kTransformersFiles;
  directory.config_ = directory.json(files.config);
  directory.config_files_ = std::move(others);
  directory.weights_name_ = graphs.front().filename().string();
  directory.weight_files_ = std::move(graphs);
  std::ranges::sort(directory.weight_files_);
  return directory;
}

ModelDirectory ModelDirectory::open_modules(const fs::path& path, const std::vector<ModuleFolder>& modules) {
  ModelDirectory directory;
  directory.path_ = path;
  directory.layout_ = Layout::sentence_transformers;
  directory.folders_ = {path / modules.front().folder, path};
  std::string joined = "{\"modules\":" + read_file(path / kModulesName, kMaxJsonBytes);
  directory.config_files_ = {path / kModulesName};
  for (const ModuleFolder& module : modules) {
    for (const std::string_view config_name : kModuleConfigNames) {
      const std::string name = module.file(config_name);
      if (!is_file(path / name)) continue;
      const std::string content = read_file(path / name, kMaxJsonBytes);
      Config::parse(content, name);  // whole by itself, and an error names the file
      joined += ",\"" + name + "\":" + content;
      directory.config_files_.push_back(path / name);
    }
    if (is_file(path / module.file(kTransformersFiles.safetensors.whole)) ||
        is_file(path / module.file(kTransformersFiles.safetensors.index))) {
      directory.add_weights(
          weight_set(path / module.folder, kTransformersFiles.safetensors, WeightFormat::safetensors));
    } else if (is_file(path / module.file(kTransformersFiles.pytorch.whole)) ||
               is_file(path / module.file(kTransformersFiles.pytorch.index))) {
      directory.add_weights(
          weight_set(path / module.folder, kTransformersFiles.pytorch, WeightFormat::pytorch));
    } else {
      continue;
    }
    directory.weight_sets_.back().prefix = module.file("");
  }
  if (directory.weight_sets_.empty()) {
    throw Error(ErrorCode::not_found, "cannot open the model '" + path.string() +
                                          "': found modules.json, but no model.safetensors and no "
                                          "pytorch_model.bin of a module");
  }
  directory.config_ = Config::parse(joined + "}", "'" + path.string() + "'");
  return directory;
}

ModelDirectory::WeightSet ModelDirectory::weight_set(const fs::path& folder, const WeightNames& names,
                                                     WeightFormat format) {
  WeightSet set;
  set.format = format;
  if (is_file(folder / names.whole)) {
    set.name = names.whole;
    set.files = {folder / names.whole};
  } else {
    set.name = names.index;
    set.map = Config::parse(read_file(folder / names.index, kMaxJsonBytes), set.name).object("weight_map");
    set.files = shards_of(set.map, names, folder);
  }
  return set;
}

void ModelDirectory::add_weights(WeightSet set) {
  for (const fs::path& file : set.files) refuse_pointer(file);
  if (weight_sets_.empty()) {
    weights_name_ = set.name;
    weight_format_ = set.format;
  }
  weight_files_.insert(weight_files_.end(), set.files.begin(), set.files.end());
  std::ranges::sort(weight_files_);
  weight_sets_.push_back(std::move(set));
}

ModelDirectory ModelDirectory::open_lone_file(const fs::path& path) {
  if (path.extension() == ".safetensors") {
    throw Error(ErrorCode::unsupported, "cannot open the model '" + path.string() +
                                            "': found a file of safetensors, expected the directory that it "
                                            "is in, with its configuration");
  }
  ModelDirectory directory;
  directory.path_ = path;
  directory.folders_ = {path.parent_path()};
  directory.layout_ = Layout::openai;
  directory.add_weights({{path}, WeightFormat::pytorch, {}, path.filename().string(), ""});
  directory.config_ = Config::parse("{}", "'" + directory.weights_name_ + "'");
  return directory;
}

fs::path ModelDirectory::find(std::string_view name) const {
  const bool belongs = layout_ != Layout::openai ||
                       std::ranges::find(kLoneFileCompanionNames, name) != kLoneFileCompanionNames.end();
  for (const fs::path& folder : folders_) {
    if (belongs && is_file(folder / name)) return folder / name;
  }
  return {};
}

Weights ModelDirectory::weights() const {
  if (weight_sets_.size() == 1 && weight_sets_.front().prefix.empty()) {
    const WeightSet& set = weight_sets_.front();
    return read_weights(set.files, set.format, set.map, set.name);
  }
  Weights all;
  for (const WeightSet& set : weight_sets_) {
    const Weights weights = read_weights(set.files, set.format, set.map, set.name);
    for (const Parameter& parameter : weights.parameters()) {
      all.add(renamed_with_factors(parameter, set.prefix + parameter.name()));
    }
  }
  return all;
}

std::optional<std::string> ModelDirectory::file(std::string_view name) const {
  const fs::path found = find(name);
  if (found.empty()) return std::nullopt;
  refuse_pointer(found);
  return read_file(found, kMaxTextFileBytes);
}

Config ModelDirectory::json(std::string_view name) const {
  const fs::path found = find(name);
  if (found.empty()) return {};
  return Config::parse(read_file(found, kMaxJsonBytes), std::string(name));
}

std::vector<fs::path> ModelDirectory::identity_files() const {
  std::set<fs::path> files(weight_files_.begin(), weight_files_.end());
  files.insert(config_files_.begin(), config_files_.end());
  for (const std::string_view name : kIdentityFileNames) {
    if (fs::path found = find(name); !found.empty()) files.insert(std::move(found));
  }
  return {files.begin(), files.end()};
}

std::string ModelDirectory::label(const fs::path& file) const {
  return file.lexically_relative(folders_.back()).generic_string();
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
