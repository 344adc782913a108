// Adapters on disk, in the layout of peft: adapter_config.json and adapter_model.safetensors.
#include <cmath>
#include <span>

#include <moa/error.hpp>
#include <nlohmann/json.hpp>

#include "base/config.hpp"
#include "base/file.hpp"
#include "checkpoint/adapter.hpp"
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

// Options of peft that change what an adapter adds.
void expect_plain(const Config& config) {
  for (const char* key : {"use_dora", "fan_in_fan_out", "lora_bias", "use_qalora"}) {
    if (config.has(key) && (!config.is_boolean(key) || config.boolean(key, false))) {
      throw Error(ErrorCode::unsupported, config.where() + ": moa does not know '" + key + "'");
    }
  }
  for (const char* key : {"rank_pattern", "alpha_pattern"}) {
    if (config.has(key) && (!config.is_object(key) || !config.object(key).keys().empty())) {
      throw Error(ErrorCode::unsupported, config.where() + ": moa does not know '" + key + "'");
    }
  }
}

}  // namespace

Adapter Adapter::open(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kConfigName;
  const Config config = Config::parse(read_file(file, kMostConfigBytes), file.string());
  expect_plain(config);
  Adapter adapter;
  adapter.kind = kind_of(config.string("peft_type", ""), file.string());
  adapter.rank = config.integer("r", 8, 1, kMostRank);
  const double alpha = config.number("lora_alpha", 8);
  const auto rank = static_cast<double>(adapter.rank);
  adapter.scale = alpha / (config.boolean("use_rslora", false) ? std::sqrt(rank) : rank);
  const SafetensorsFile tensors = SafetensorsFile::open(folder / kTensorsName);
  for (const StoredTensor& stored : tensors.tensors()) {
    adapter.tensors.emplace(stored.name, tensors.parameter(stored, stored.name));
  }
  if (adapter.modules().empty()) {
    throw Error(ErrorCode::corrupt_data, (folder / kTensorsName).string() + ": found no layer's adapter");
  }
  return adapter;
}

void Adapter::write(const std::filesystem::path& folder) const {
  nlohmann::ordered_json config;
  for (const auto& known : kKinds) {
    if (known.kind == kind) config["peft_type"] = known.name;
  }
  config["task_type"] = nullptr;
  config["base_model_name_or_path"] = nullptr;
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
