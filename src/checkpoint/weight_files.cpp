#include "checkpoint/weight_files.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "checkpoint/pytorch_file.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/tensor_names.hpp"
#include "tensor/factored.hpp"

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

// The tensors that `suffixes` are put behind `name` of, taken out of `tensors`; none if not all are there.
template <std::size_t count>
std::vector<Parameter> take_factors(std::map<std::string, Parameter>& tensors, const std::string& name,
                                    const std::array<std::string_view, count>& suffixes) {
  std::vector<Parameter> factors;
  for (const std::string_view suffix : suffixes) {
    const auto found = tensors.find(name + std::string(suffix));
    if (found == tensors.end()) return {};
    factors.push_back(found->second);
  }
  for (const Parameter& factor : factors) tensors.erase(factor.name());
  return factors;
}

// `tensors` with those that are factors of a matrix (factored.hpp) made one.
Weights with_products(std::vector<Parameter> tensors) {
  std::map<std::string, Parameter> by_name;
  std::vector<std::string> names;  // of matrices that may be there in factors
  Weights weights;
  for (Parameter& tensor : tensors) {
    const std::string name = tensor.name();
    for (const std::string_view suffix : {kLowRankSuffixes.front(), kTensorTrainSuffixes.front()}) {
      if (name.ends_with(suffix)) names.push_back(name.substr(0, name.size() - suffix.size()));
    }
    // Of a name that stands twice, which is refused, the second is enough.
    if (const auto [place, is_new] = by_name.try_emplace(name, tensor); !is_new) weights.add(tensor);
  }
  for (const std::string& name : names) {
    if (const auto thin = take_factors(by_name, name, kLowRankSuffixes); !thin.empty()) {
      weights.add(low_rank_matrix(name, thin[0], thin[1]));
    }
    if (const auto cores = take_factors(by_name, name, kTensorTrainSuffixes); !cores.empty()) {
      weights.add(tensor_train_matrix(name, cores[0], cores[1], cores[2]));
    }
  }
  for (auto& [name, tensor] : by_name) weights.add(std::move(tensor));
  return weights;
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

  std::vector<Parameter> tensors;
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
    tensors.push_back(TensorFile::q4_parameter(modern_tensor_name(name), *blocks.file, *blocks.tensor,
                                               *scales->second.file, *scales->second.tensor));
    scales->second.tensor = nullptr;
  }
  for (auto& [stored_name, place] : found) {
    if (place.tensor == nullptr || place.tensor->stored_type != "I8") continue;
    const auto scales = found.find(stored_name + std::string(kScales));
    if (scales == found.end() || scales->second.tensor == nullptr)
      continue;  // refused below: I8 says nothing alone
    tensors.push_back(TensorFile::int8_parameter(modern_tensor_name(stored_name), *place.file, *place.tensor,
                                                 *scales->second.file, *scales->second.tensor));
    scales->second.tensor = nullptr;
    place.tensor = nullptr;
  }
  for (const auto& [stored_name, place] : found) {
    if (place.tensor == nullptr || stored_name.ends_with(kBlocks)) continue;
    tensors.push_back(place.file->parameter(*place.tensor, modern_tensor_name(stored_name)));
  }
  return with_products(std::move(tensors));
}

}  // namespace moa
