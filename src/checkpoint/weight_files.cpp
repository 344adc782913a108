#include "checkpoint/weight_files.hpp"

#include <map>
#include <string_view>
#include <utility>

#include <moa/error.hpp>

#include "checkpoint/pytorch_file.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/tensor_names.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

TensorFile open_file(const fs::path& path, WeightFormat format) {
  if (format == WeightFormat::safetensors) return SafetensorsFile::open(path);
  return PytorchFile::open(path);
}

// A tensor and the file that it is in.
struct Found {
  const TensorFile* file;
  const StoredTensor* tensor;
};
using FoundByName = std::map<std::string, Found, std::less<>>;

FoundByName find_tensors(const std::vector<TensorFile>& files) {
  FoundByName found;
  for (const TensorFile& file : files) {
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

[[noreturn]] void refuse_place(const std::string& name, const std::string& shard, const std::string& expected,
                               const Config& weight_map) {
  throw Error(ErrorCode::corrupt_data, "tensor '" + name + "': found in '" + shard + "', expected " +
                                           (expected.empty() ? "no such tensor" : "'" + expected + "'") +
                                           " by " + weight_map.where());
}

// Index and shards must tell the same story: a shard of another save, or a tensor moved, is refused.
void check_against_index(const FoundByName& found, const Config& weight_map) {
  for (const auto& [name, place] : found) {
    const std::string expected = weight_map.string(name, "");
    const std::string shard = place.file->path().filename().string();
    if (shard != expected) refuse_place(name, shard, expected, weight_map);
  }
  for (const std::string& name : weight_map.keys()) {
    if (!found.contains(name) && !is_ignorable_tensor(name)) {
      throw Error(ErrorCode::corrupt_data, "tensor '" + name + "': not in '" + weight_map.string(name, "") +
                                               "', where " + weight_map.where() + " says it is");
    }
  }
}

}  // namespace

std::string_view name(WeightFormat format) noexcept {
  return format == WeightFormat::safetensors ? "safetensors" : "PyTorch";
}

Weights read_weights(std::span<const fs::path> paths, WeightFormat format, const Config& weight_map,
                     const std::string& weights_name) {
  std::vector<TensorFile> files;
  files.reserve(paths.size());
  for (const fs::path& path : paths) files.push_back(open_file(path, format));
  FoundByName found = find_tensors(files);
  if (!weight_map.keys().empty()) check_against_index(found, weight_map);

  Weights weights;
  constexpr std::string_view kBlocks = ".q4";
  constexpr std::string_view kScales = ".scale";
  for (const auto& [stored_name, blocks] : found) {  // pairs first, so that scales do not remain as tensors
    if (!stored_name.ends_with(kBlocks)) continue;
    std::string name = stored_name.substr(0, stored_name.size() - kBlocks.size());
    const auto scales = found.find(std::string(name).append(kScales));
    if (scales == found.end()) {
      throw Error(ErrorCode::corrupt_data,
                  "cannot load '" + name + "' from " + weights_name + ": its scales are missing");
    }
    weights.add(TensorFile::q4_parameter(modern_tensor_name(name), *blocks.file, *blocks.tensor,
                                         *scales->second.file, *scales->second.tensor));
    scales->second.tensor = nullptr;
  }
  for (auto& [stored_name, place] : found) {
    if (place.tensor == nullptr || place.tensor->stored_type != "I8") continue;
    const auto scales = found.find(stored_name + std::string(kScales));
    if (scales == found.end() || scales->second.tensor == nullptr)
      continue;  // refused below: I8 says nothing alone
    weights.add(TensorFile::int8_parameter(modern_tensor_name(stored_name), *place.file, *place.tensor,
                                           *scales->second.file, *scales->second.tensor));
    scales->second.tensor = nullptr;
    place.tensor = nullptr;
  }
  for (const auto& [stored_name, place] : found) {
    if (place.tensor == nullptr || stored_name.ends_with(kBlocks)) continue;
    weights.add(place.file->parameter(*place.tensor, modern_tensor_name(stored_name)));
  }
  return weights;
}

}  // namespace moa
