#include "models/openai_clip.hpp"

#include <cmath>
#include <set>
#include <string>
#include <string_view>

#include <moa/error.hpp>

#include "models/open_clip.hpp"

namespace moa {
namespace {

// Reads sizes off the shapes of a checkpoint's tensors.
class Sizes {
 public:
  Sizes(const Weights& weights, const std::string& where) : weights_(weights), where_(where) {
    for (const Parameter& parameter : weights.parameters()) names_.insert(parameter.name());
  }

  std::int64_t extent(const std::string& name, std::size_t axis) const {
    const Shape shape = weights_.shape_of(name);
    if (!weights_.has(name) || axis >= shape.rank()) {
      throw Error(ErrorCode::unsupported, "cannot tell the sizes of the model in " + where_ +
                                              ": found no usable tensor '" + name +
                                              "', expected those of OpenAI's CLIP");
    }
    return shape[axis];
  }
  // Of a square grid of places and one place more.
  std::int64_t grid(const std::string& name) const {
    return std::lround(std::sqrt(static_cast<double>(extent(name, 0) - 1)));
  }
  // How many different parts follow `prefix` in names: "prefix0.…", "prefix1.…" are two.
  std::size_t parts_behind(std::string_view prefix) const {
    std::set<std::string_view> parts;
    for (const std::string& name : names_) {
      if (!name.starts_with(prefix)) continue;
      const std::string_view rest = std::string_view(name).substr(prefix.size());
      parts.insert(rest.substr(0, rest.find('.')));
    }
    return parts.size();
  }

 private:
  const Weights& weights_;
  const std::string& where_;
  std::set<std::string> names_;
};

std::string number(std::string_view key, std::int64_t value) {
  return "\"" + std::string(key) + "\":" + std::to_string(value);
}

std::string vit_config(const Sizes& sizes) {
  const std::int64_t patch_px = sizes.extent("visual.conv1.weight", 3);
  const std::int64_t grid = sizes.grid("visual.positional_embedding");
  const auto layers = static_cast<std::int64_t>(sizes.parts_behind("visual.transformer.resblocks."));
  return number("width", sizes.extent("visual.conv1.weight", 0)) + "," + number("layers", layers) + "," +
         number("patch_size", patch_px) + "," + number("image_size", patch_px * grid);
}

std::string resnet_config(const Sizes& sizes) {
  constexpr std::int64_t kStride = 32;  // of the whole trunk
  std::string stages;
  for (const char* stage : {"visual.layer1.", "visual.layer2.", "visual.layer3.", "visual.layer4."}) {
    stages += (stages.empty() ? "" : ",") + std::to_string(sizes.parts_behind(stage));
  }
  return number("width", sizes.extent("visual.layer1.0.conv1.weight", 0)) + ",\"layers\":[" + stages + "]," +
         number("image_size", kStride * sizes.grid("visual.attnpool.positional_embedding"));
}

}  // namespace

Config openai_clip_config(const Weights& weights, const std::string& where) {
  constexpr std::int64_t kHeadWidth = 64;
  const Sizes sizes(weights, where);
  const std::int64_t text_width = sizes.extent("ln_final.weight", 0);
  const auto text_layers = static_cast<std::int64_t>(sizes.parts_behind("transformer.resblocks."));
  const std::string vision = weights.has("visual.proj") ? vit_config(sizes) : resnet_config(sizes);
  const std::string text = number("context_length", sizes.extent("positional_embedding", 0)) + "," +
                           number("vocab_size", sizes.extent("token_embedding.weight", 0)) + "," +
                           number("width", text_width) + "," + number("heads", text_width / kHeadWidth) +
                           "," + number("layers", text_layers);
  return Config::parse(R"({"model_cfg":{"quick_gelu":true,)" +
                           number("embed_dim", sizes.extent("text_projection", 1)) + ",\"vision_cfg\":{" +
                           vision + "},\"text_cfg\":{" + text + "}}}",
                       where);
}

std::unique_ptr<EmbeddingModel> build_openai_clip(const Config& config, Weights& weights) {
  for (const std::string_view setting : kOpenAiSettings) weights.ignore(setting);
  return build_open_clip(openai_clip_config(weights, config.where()), weights);
}

}  // namespace moa
