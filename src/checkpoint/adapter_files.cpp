// Adapters on disk, in the layout of peft: adapter_config.json and adapter_model.safetensors.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <moa/error.hpp>
#include <nlohmann/json.hpp>

#include "base/config.hpp"
#include "base/file.hpp"
#include "checkpoint/adapter.hpp"
#include "checkpoint/identity.hpp"
#include "checkpoint/model_search.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_writer.hpp"

namespace moa {
namespace {

constexpr const char* kConfigName = "adapter_config.json";
constexpr const char* kTensorsName = "adapter_model.safetensors";
constexpr std::int64_t kMostRank = 1 << 14;
constexpr std::uint64_t kMostConfigBytes = 1 << 20;

constexpr struct {
  AdapterKind kind;
  const char* name;
} kKinds[] = {{AdapterKind::lora, "LORA"},
              {AdapterKind::tt_lora, "MOA_TT_LORA"},
              {AdapterKind::tt_matrix, "MOA_TT_MATRIX"},
              {AdapterKind::shared, "MOA_SHARED"}};

AdapterKind kind_of(const std::string& type, const std::string& where) {
  for (const auto& known : kKinds) {
    if (type == known.name) return known.kind;
  }
  throw Error(ErrorCode::unsupported, where + ": 'peft_type' is '" + type +
                                          "', expected LORA, MOA_TT_LORA, MOA_TT_MATRIX or MOA_SHARED");
}

bool is_set(const Config& config, const std::string& key) {
  if (!config.has(key)) return false;
  if (config.is_boolean(key)) return config.boolean(key, true);
  if (config.is_object(key)) return !config.object(key).keys().empty();
  return true;
}

// Options of peft that change what an adapter adds, or what it is added to.
void expect_plain(const Config& config) {
  for (const char* key :
       {"use_dora", "fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora", "rank_pattern",
        "alpha_pattern", "layer_replication", "alora_invocation_tokens", "arrow_config", "kasa_config",
        "monteclora_config", "target_parameters", "trainable_token_indices"}) {
    if (is_set(config, key))
      throw Error(ErrorCode::unsupported, config.where() + ": moa does not know '" + std::string(key) + "'");
  }
  // The others begin by changing the model's own weights.
  constexpr std::array<std::string_view, 3> kHarmless = {"gaussian", "eva", "orthogonal"};
  const char* key = "init_lora_weights";
  const std::string beginning = config.is_string(key) ? config.string(key, "") : std::string(kHarmless[0]);
  if (std::ranges::find(kHarmless, beginning) == kHarmless.end()) {
    throw Error(ErrorCode::unsupported, config.where() + ": '" + key + "' is '" + beginning +
                                            "', which changes the model's own weights; convert the adapter "
                                            "to a plain one when it is saved");
  }
}

// A tensor that moa would leave out is one that the adapter's numbers depend on.
void expect_known(const Adapter& adapter, const std::string& where) {
  const std::span<const std::string_view> endings = tensor_endings(adapter.kind);
  const std::string_view beginning = tensor_beginning(adapter.kind);
  for (const auto& [name, tensor] : adapter.tensors) {
    const bool ends_known = std::ranges::any_of(
        endings, [&stored = name](std::string_view ending) { return stored.ends_with(ending); });
    if (!ends_known || !name.starts_with(beginning)) {
      throw Error(ErrorCode::unsupported, where + ": found '" + name +
                                              "', which is no part of an adapter of kind " +
                                              std::string(moa::name(adapter.kind)) + " on linear layers");
    }
    for (const float value : tensor.read()) {
      if (std::isfinite(value)) continue;
      throw Error(ErrorCode::corrupt_data, where + ": found a number in '" + name + "' that is none");
    }
  }
  const std::vector<std::string> modules = adapter.modules();
  if (modules.empty()) throw Error(ErrorCode::corrupt_data, where + ": found no layer's adapter");
}

}  // namespace

AdapterFiles AdapterFiles::find(const std::filesystem::path& place) {
  std::error_code failed;
  const bool is_folder = std::filesystem::is_directory(place, failed);
  AdapterFiles files{(is_folder ? place : place.parent_path()) / kConfigName,
                     is_folder ? place / kTensorsName : place};
  for (const std::filesystem::path& file : {files.tensors, files.config}) {
    if (std::filesystem::is_regular_file(file, failed)) continue;
    throw Error(ErrorCode::not_found, "cannot open the adapter '" + place.string() + "': '" + file.string() +
                                          "' is not there; expected a folder with " + kConfigName + " and " +
                                          kTensorsName);
  }
  return files;
}

Adapter Adapter::open(const std::filesystem::path& place) {
  const AdapterFiles files = AdapterFiles::find(place);
  const Config config = Config::parse(read_file(files.config, kMostConfigBytes), files.config.string());
  Adapter adapter;
  adapter.kind = kind_of(config.string("peft_type", ""), files.config.string());
  expect_plain(config);
  adapter.rank = config.integer("r", 8, 1, kMostRank);
  const double alpha = config.number("lora_alpha", 8);
  const auto rank = static_cast<double>(adapter.rank);
  adapter.scale = alpha / (config.boolean("use_rslora", false) ? std::sqrt(rank) : rank);
  adapter.place = place.string();
  adapter.base = config.string("base_model_name_or_path", "");
  const SafetensorsFile file = SafetensorsFile::open(files.tensors);
  for (const StoredTensor& stored : file.tensors()) {
    adapter.tensors.emplace(stored.name, file.parameter(stored, stored.name));
  }
  expect_known(adapter, files.tensors.string());
  return adapter;
}

std::string adapter_identity(const std::filesystem::path& place) {
  const AdapterFiles files = AdapterFiles::find(place);
  const std::filesystem::path cache = moa_cache_directory(process_environment());
  return remembered_content_hash(files.config, cache) + remembered_content_hash(files.tensors, cache);
}

void Adapter::write(const std::filesystem::path& folder) const {
  nlohmann::ordered_json config;
  for (const auto& known : kKinds) {
    if (known.kind == kind) config["peft_type"] = known.name;
  }
  config["task_type"] = nullptr;
  config["base_model_name_or_path"] = base.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(base);
  config["r"] = rank;
  config["lora_alpha"] = scale * static_cast<double>(rank);
  config["lora_dropout"] = 0.0;
  config["bias"] = "none";
  config["fan_in_fan_out"] = false;
  config["inference_mode"] = true;
  config["target_modules"] = modules();
  write_file_atomically(folder / kConfigName, config.dump(2) + "\n");
  std::vector<TensorToWrite> all;
  for (const auto& [name, tensor] : tensors) {
    all.push_back({name, DType::f32, tensor.shape(), [kept = tensor](const ByteSink& write) {
                     const std::vector<float> values = kept.read();
                     write(std::as_bytes(std::span(values)));
                   }});
  }
  write_safetensors(folder / kTensorsName, std::move(all));
}

}  // namespace moa
