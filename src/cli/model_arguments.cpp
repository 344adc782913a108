#include "cli/model_arguments.hpp"

#include <filesystem>

#include <moa/error.hpp>

#include "checkpoint/model_search.hpp"
#include "cli/interrupt.hpp"

namespace moa::cli {

std::string model_name(const Arguments& arguments) {
  constexpr const char* kDefault = "moa-mini";
  if (std::optional<std::string> named = arguments.value("model")) return *named;
  std::error_code ignored;
  if (!std::filesystem::exists(kDefault, ignored)) return kDefault;
  // Something in the current directory is called so, and nobody asked for it.
  const std::filesystem::path bundled = bundled_model(kDefault, ModelSearch::standard());
  if (bundled.empty()) {
    throw Error(ErrorCode::not_found,
                "the bundled model '" + std::string(kDefault) + "' is not there; expected --model M");
  }
  return bundled.string();
}

std::string model_label(const Arguments& arguments) {
  const std::optional<std::string> adapter = arguments.value("adapter");
  const std::optional<std::string> vectors = arguments.value("prompt-vectors");
  return model_name(arguments) + (adapter ? " with " + *adapter : std::string()) +
         (vectors ? " behind " + *vectors : std::string());
}

LoadOptions load_options(const Arguments& arguments) {
  LoadOptions options;
  const auto take = [&](auto& option, std::string_view name) {
    if (!arguments.knows(name)) return;
    if (const std::optional<std::string> value = arguments.value(name)) option = *value;
  };
  take(options.device, "device");
  take(options.dtype, "dtype");
  take(options.engine, "engine");
  take(options.provider, "provider");
  if (options.engine == "moa" && arguments.knows("provider") && arguments.has("provider")) {
    fail_usage(arguments.command(), "--provider: expected --engine onnxruntime beside it");
  }
  options.threads = static_cast<int>(arguments.integer("threads", 0, 0, 1024));
  options.fast_decode = arguments.has("fast-decode");
  take(options.text_model, "text-model");
  take(options.adapter, "adapter");
  take(options.prompt_vectors, "prompt-vectors");
  std::string text_cache = "off";
  take(text_cache, "text-cache");
  options.text_cache_on_disk = text_cache == "on";
  return options;
}

Model load_model(const Arguments& arguments, Console& console) {
  Model model = Model::load(model_name(arguments), load_options(arguments));
  if (const std::string engine = model.engine(); engine != "moa") console.note(engine);
  return model;
}

std::string json_dtype(const std::string& dtype) {
  return dtype == "f32" ? std::string() : ",\"dtype\":\"" + dtype + "\"";
}

EmbedOptions embed_options(const Arguments& arguments) {
  EmbedOptions options;
  options.batch = arguments.integer("batch", 0, 0, 65536);
  if (const std::optional<double> megapixels = arguments.number("max-megapixels")) {
    if (*megapixels <= 0) fail_usage(arguments.command(), "--max-megapixels: expected more than 0");
    options.max_megapixels = *megapixels;
  }
  options.cancelled = &interrupted();
  return options;
}

}  // namespace moa::cli
