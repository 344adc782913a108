#include "export/published_directory.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <moa/error.hpp>
#include <nlohmann/json.hpp>

#include "backends/cpu/level.hpp"
#include "base/file.hpp"
#include "base/half.hpp"
#include "checkpoint/company.hpp"
#include "checkpoint/file_names.hpp"
#include "checkpoint/safetensors_writer.hpp"
#include "models/openai_clip.hpp"
#include "tensor/factored.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// Integers with a scale for each row are floats in fewer bits; the others count something.
bool is_of_floats(const Parameter& tensor) {
  switch (tensor.dtype()) {
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f64:
    case DType::q4:
      return true;
    case DType::i8:
      return tensor.pieces().size() != 1;
    case DType::i64:
    case DType::i32:
    case DType::u8:
      break;
  }
  return false;
}

DType stored_type(const Parameter& tensor, std::optional<DType> wanted) {
  if (!is_of_floats(tensor)) return tensor.dtype();
  if (wanted) return *wanted;
  const bool is_plain = tensor.dtype() == DType::f16 || tensor.dtype() == DType::bf16;
  return is_plain ? tensor.dtype() : DType::f32;
}

std::vector<std::uint16_t> as_f16(const Parameter& tensor, std::span<const float> values) {
  std::vector<std::uint16_t> halves;
  halves.reserve(values.size());
  for (const float value : values) {
    if (std::abs(value) >= kFirstBeyondF16 && !std::isinf(value)) {
      throw Error(ErrorCode::out_of_range, "cannot write '" + tensor.name() + "' in f16: found " +
                                               std::to_string(value) + ", expected numbers up to 65504");
    }
    halves.push_back(narrow_f16(value));
  }
  return halves;
}

void write_values(const Parameter& tensor, DType to, std::span<const float> values, const ByteSink& write) {
  if (to == DType::f32) return write(std::as_bytes(values));
  std::vector<std::uint16_t> narrow;
  if (to == DType::f16) {
    narrow = as_f16(tensor, values);
  } else {
    narrow.resize(values.size());
    cpu::chosen_kernels().to_bf16(values.data(), static_cast<std::int64_t>(values.size()), narrow.data());
  }
  write(std::as_bytes(std::span(narrow)));
}

TensorToWrite tensor_to_write(const Parameter& tensor, std::optional<DType> wanted, std::string name) {
  const DType to = stored_type(tensor, wanted);
  const auto content = [tensor, to](const ByteSink& write) {
    const std::vector<StoredPiece> pieces = tensor.pieces();
    if (pieces.size() == 1 && pieces.front().dtype == to) {
      write(pieces.front().bytes);
    } else if (tensor.shape().rank() < 2) {
      write_values(tensor, to, tensor.read(), write);
    } else {
      std::vector<float> row(static_cast<std::size_t>(tensor.shape().elements_per_row()));
      for (std::int64_t i = 0; i < tensor.shape()[0]; ++i) {
        tensor.read_rows(i, 1, row.data());
        write_values(tensor, to, row, write);
      }
    }
    tensor.drop_pages();
  };
  return {std::move(name), to, tensor.shape(), content};
}

// Blocks as they are.
void add_kept(const Parameter& tensor, std::optional<DType> wanted, std::vector<TensorToWrite>& out) {
  if (tensor.dtype() != DType::q4) return out.push_back(tensor_to_write(tensor, wanted, tensor.name()));
  for (TensorToWrite& piece : as_stored(tensor)) out.push_back(std::move(piece));
}

// One file of weights for each folder that tensors are named behind: "2_Dense/linear.weight".
void write_weights(const ModelDirectory& model, std::span<const Parameter> tensors,
                   const PublishedTypes& types, NewDirectory& directory) {
  const bool is_open_clip =
      model.layout() == ModelDirectory::Layout::open_clip || model.layout() == ModelDirectory::Layout::openai;
  const LayoutFiles& files = is_open_clip ? kOpenClipFiles : kTransformersFiles;
  std::map<std::string, std::vector<TensorToWrite>> by_folder;
  for (const Parameter& tensor : tensors) {
    const std::string& name = tensor.name();
    const bool is_setting = model.layout() == ModelDirectory::Layout::openai &&
                            std::ranges::find(kOpenAiSettings, name) != kOpenAiSettings.end();
    if (is_setting) continue;
    const std::size_t slash = name.rfind('/');
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    std::vector<TensorToWrite>& part = by_folder[name.substr(0, begin)];
    const std::size_t first = part.size();
    if (types.keeps_blocks) {
      for (const Parameter& stored : stored_tensors({tensor})) add_kept(stored, types.wanted, part);
    } else {
      part.push_back(tensor_to_write(tensor, types.wanted, name));
    }
    for (std::size_t i = first; i < part.size(); ++i) part[i].name.erase(0, begin);
  }
  for (auto& [folder, part] : by_folder) {
    write_safetensors(directory.file(folder + std::string(files.safetensors.whole)), std::move(part), {},
                      directory.cancelled());
  }
}

// transformers loads a model in the type that its configuration names.
std::string with_dtype(const std::string& config, DType wanted) {
  const char* torch_name = wanted == DType::f32 ? "float32" : wanted == DType::f16 ? "float16" : "bfloat16";
  ordered_json parsed = ordered_json::parse(config);
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (parsed.contains(key)) parsed[key] = torch_name;
  }
  return parsed.dump(2) + "\n";
}

// As open_clip has it of a model that was OpenAI's.
std::string open_clip_config_of(const ModelDirectory& model) {
  const Config config = openai_clip_config(model.weights(), model.weights_name());
  ordered_json whole = ordered_json::parse(config.dump());
  whole["preprocess_cfg"] = {{"mean", {0.48145466, 0.4578275, 0.40821073}},
                             {"std", {0.26862954, 0.26130258, 0.27577711}},
                             {"interpolation", "bicubic"},
                             {"resize_mode", "shortest"}};
  return whole.dump(2) + "\n";
}

void write_company(const ModelDirectory& model, std::optional<DType> wanted, NewDirectory& directory) {
  copy_company(model, directory);
  constexpr std::uint64_t kMostConfigBytes = std::uint64_t{16} << 20;
  const fs::path config = directory.path() / kTransformersFiles.config;
  if (std::error_code absent; wanted && fs::exists(config, absent)) {
    directory.write(kTransformersFiles.config, with_dtype(read_file(config, kMostConfigBytes), *wanted));
  }
  if (model.layout() == ModelDirectory::Layout::openai) {
    directory.write(kOpenClipFiles.config, open_clip_config_of(model));
  }
}

}  // namespace

void write_published(const ModelDirectory& model, std::span<const Parameter> tensors,
                     const PublishedTypes& types, NewDirectory& directory) {
  write_weights(model, tensors, types, directory);
  write_company(model, types.wanted, directory);
}

}  // namespace moa
