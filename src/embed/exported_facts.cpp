#include "embed/exported_facts.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <moa/error.hpp>
#include <nlohmann/json.hpp>

namespace moa {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kMostPixels = 8192;  // of an edge, so that a picture stays below 1 GB

template <typename Value>
struct Named {
  Value value;
  std::string_view name;
};

constexpr std::array kScores = {Named<ScoreRule::Kind>{ScoreRule::Kind::softmax, "softmax"},
                                Named<ScoreRule::Kind>{ScoreRule::Kind::sigmoid, "sigmoid"},
                                Named<ScoreRule::Kind>{ScoreRule::Kind::cosine, "cosine"}};

constexpr std::array kCheckpointLayouts = {CheckpointLayout::transformers, CheckpointLayout::open_clip,
                                           CheckpointLayout::openai, CheckpointLayout::sentence_transformers};

[[noreturn]] void refuse(const Config& config, std::string_view key, const std::string& found) {
  throw Error(ErrorCode::corrupt_data,
              config.where() + ": '" + std::string(key) + "': found '" + found + "'");
}

CheckpointLayout layout_in(const Config& config) {
  const std::string found = config.string("layout", "");
  for (const CheckpointLayout layout : kCheckpointLayouts) {
    if (name(layout) == found) return layout;
  }
  refuse(config, "layout", found);
}

ScoreRule score_in(const Config& config) {
  const std::string found = config.string("kind", "");
  for (const auto& [kind, kind_name] : kScores) {
    if (kind_name == found) return {kind, config.number("scale", 1), config.number("bias", 0)};
  }
  refuse(config, "kind", found);
}

// Every size is one that a tensor could have.
TextTowerFacts text_in(const Config& config) {
  TextTowerFacts text;
  text.description = config.string("description", "");
  text.context_tokens = config.integer("context_tokens", 0, 1, 1 << 20);
  text.vocabulary = config.integer("vocabulary", 0, 1);
  text.limits_texts_alone = config.boolean("limits_texts_alone", false);
  text.lowercases = config.boolean("lowercases", false);
  text.pools_prompts = config.boolean("pools_prompts", true);
  if (config.has("padded_to")) {
    text.padding = TextPadding{config.integer("padded_to", 0, 1, 1 << 20), std::nullopt};
    if (config.has("padding_id")) {
      text.padding->id = static_cast<std::int32_t>(config.integer("padding_id", 0));
    }
  }
  return text;
}

ImageTowerFacts image_in(const Config& config) {
  ImageTowerFacts image;
  image.description = config.string("description", "");
  image.channels = config.integer("channels", 3, 3, 3);
  image.patch_px = config.integer("patch_px", 0, 0, kMostPixels);
  const std::int64_t least = image.takes_patches() ? 0 : 1;
  image.height_px = config.integer("height_px", 0, least, kMostPixels);
  image.width_px = config.integer("width_px", 0, least, kMostPixels);
  image.takes_any_size = config.boolean("takes_any_size", false);
  image.most_at_once = config.integer("most_at_once", 0, 0, 1 << 16);
  return image;
}

}  // namespace

ExportedFacts ExportedFacts::of(const ModelFacts& facts, std::string_view architecture,
                                CheckpointLayout layout) {
  Values values;
  values.architecture = architecture;
  values.layout = layout;
  values.dim = facts.dim();
  values.normalize_eps = facts.normalize_eps();
  values.score_rule = facts.score_rule();
  if (facts.text() != nullptr) values.text = *facts.text();
  if (facts.image() != nullptr) values.image = *facts.image();
  return ExportedFacts(std::move(values));
}

ExportedFacts ExportedFacts::parse(const Config& config) {
  if (config.integer("format", 0) != kFormat) {
    throw Error(ErrorCode::unsupported, config.where() + ": 'format': found " +
                                            std::to_string(config.integer("format", 0)) + ", expected " +
                                            std::to_string(kFormat));
  }
  Values values;
  values.architecture = config.string("architecture", "");
  values.layout = layout_in(config);
  values.dim = config.integer("dim", 0, 1, 1 << 20);
  values.normalize_eps = config.number("normalize_eps", 0);
  values.score_rule = score_in(config.object("score"));
  if (config.is_object("text")) values.text = text_in(config.object("text"));
  if (config.is_object("image")) values.image = image_in(config.object("image"));
  return ExportedFacts(std::move(values));
}

// Built of no tensors, every one of them zeros: a network is the same whatever its weights are, but for the
// numbers that it is to scale cosines by.
ExportedFacts ExportedFacts::from_configuration(const Config& config, CheckpointLayout layout) {
  const Architecture& architecture = architecture_of(config, layout);
  Weights none;
  ExportedFacts facts = of(*architecture.build(config, none), architecture.name, layout);
  facts.values_.knows_scale = facts.values_.score_rule.kind == ScoreRule::Kind::cosine;
  return facts;
}

ExportedFacts ExportedFacts::with_towers(bool text, bool image) const {
  Values values = values_;
  if (!text) values.text.reset();
  if (!image) values.image.reset();
  return ExportedFacts(std::move(values));
}

std::string ExportedFacts::json() const {
  nlohmann::json out = {{"format", kFormat},
                        {"architecture", values_.architecture},
                        {"layout", name(values_.layout)},
                        {"dim", values_.dim},
                        {"normalize_eps", values_.normalize_eps}};
  const auto* kind = std::ranges::find(kScores, values_.score_rule.kind, &Named<ScoreRule::Kind>::value);
  out["score"] = {
      {"kind", kind->name}, {"scale", values_.score_rule.scale}, {"bias", values_.score_rule.bias}};
  if (const TextTowerFacts* text = this->text()) {
    out["text"] = {{"description", text->description}, {"context_tokens", text->context_tokens},
                   {"vocabulary", text->vocabulary},   {"limits_texts_alone", text->limits_texts_alone},
                   {"lowercases", text->lowercases},   {"pools_prompts", text->pools_prompts}};
    if (text->padding) out["text"]["padded_to"] = text->padding->tokens;
    if (text->padding && text->padding->id) out["text"]["padding_id"] = *text->padding->id;
  }
  if (const ImageTowerFacts* image = this->image()) {
    out["image"] = {{"description", image->description},       {"channels", image->channels},
                    {"height_px", image->height_px},           {"width_px", image->width_px},
                    {"takes_any_size", image->takes_any_size}, {"most_at_once", image->most_at_once}};
    if (image->takes_patches()) out["image"]["patch_px"] = image->patch_px;
  }
  return out.dump(2) + "\n";
}

}  // namespace moa
