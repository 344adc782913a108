#include "train/learned_names.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <moa/error.hpp>

#include "backends/recording/recording.hpp"
#include "base/name_pattern.hpp"
#include "models/tower_walk.hpp"

namespace moa::train {
namespace {

// The name of the layer that `weight` is the weight of; empty if it is not called so.
std::string_view module_of(const Parameter& weight) {
  constexpr std::string_view kEnding = ".weight";
  const std::string_view name = weight.name();
  return name.ends_with(kEnding) ? name.substr(0, name.size() - kEnding.size()) : std::string_view();
}

enum class Part { whole, trunk };

// The tower's operations, written down.
RecordingInterpreter recorded(const EmbeddingModel& model, const std::string& tower, Part part) {
  RecordingInterpreter recording;
  const bool is_whole = part == Part::whole;
  if (tower == "text" && model.text() != nullptr) {
    (is_whole ? walk_text : walk_text_trunk)(model, recording);
  } else if (tower == "image" && model.image() != nullptr) {
    (is_whole ? walk_image : walk_image_trunk)(model, recording);
  } else {
    throw Error(ErrorCode::invalid_argument, "cannot learn '" + tower + "': the model has no such tower");
  }
  return recording;
}

std::set<std::string> tower_names(const RecordingInterpreter& recording) {
  std::set<std::string> names;
  for (const Parameter& parameter : recording.parameters()) {
    for (const Parameter& origin : origins_of(parameter)) names.insert(origin.name());
  }
  return names;
}

std::vector<std::string> patterns(const EmbeddingModel& model, const std::vector<std::string>& words) {
  std::set<std::string> all;
  for (const std::string& word : words) {
    if (word == "all") {
      all.insert("*");
    } else if (word == "text" || word == "image") {
      all.merge(tower_names(recorded(model, word, Part::whole)));
    } else {
      all.insert(word);
    }
  }
  return {all.begin(), all.end()};
}

// A linear layer of the checkpoint whose weight is whole there.
struct LinearLayer {
  std::string module;  // its weight's name without ".weight"
  std::string tower;
  Shape weight;
};

std::vector<LinearLayer> linear_layers(const EmbeddingModel& model) {
  std::vector<LinearLayer> layers;
  std::set<std::string> seen;
  for (const char* tower : {"text", "image"}) {
    const bool is_there = std::string_view(tower) == "text"
                              ? model.text() != nullptr
                              : model.image() != nullptr && !model.image()->takes_patches();
    if (!is_there) continue;
    for (const Parameter& weight : recorded(model, tower, Part::whole).whole_linears()) {
      const std::string module(module_of(weight));
      if (module.empty() || !seen.insert(module).second) continue;
      layers.push_back({module, tower, weight.shape()});
    }
  }
  return layers;
}

}  // namespace

std::vector<std::string> adapter_targets(const EmbeddingModel& model, AdapterKind kind,
                                         const std::vector<std::string>& words,
                                         const std::vector<std::string>& freeze) {
  const std::vector<std::string> frozen = patterns(model, freeze);
  std::vector<std::string> targets;
  std::set<std::string> unmet(words.begin(), words.end());
  for (const LinearLayer& layer : linear_layers(model)) {
    bool is_target = false;
    for (const std::string& word : words) {
      const bool is_word = word == "all" || word == "text" || word == "image";
      const bool names_it = is_word ? (word == "all" || word == layer.tower) : fits(word, layer.module);
      if (!names_it) continue;
      unmet.erase(word);
      // A word is for what can be done; a name is meant.
      if (!is_word || kind != AdapterKind::shared || is_shareable(layer.weight)) is_target = true;
    }
    if (is_target && !fits_any(frozen, layer.module + ".weight")) targets.push_back(layer.module);
  }
  if (!unmet.empty()) {
    throw Error(ErrorCode::invalid_argument, "cannot put an adapter on '" + *unmet.begin() +
                                                 "': the model has no linear layer of that name");
  }
  if (targets.empty())
    throw Error(ErrorCode::invalid_argument, "cannot put an adapter on the model: every layer is frozen");
  return targets;
}

TrainableNames names_to_learn(const EmbeddingModel& model, const std::vector<std::string>& learn,
                              const std::vector<std::string>& freeze,
                              const std::vector<std::string>& scales) {
  TrainableNames names{patterns(model, learn), patterns(model, freeze)};
  const bool learns_tower =
      std::ranges::any_of(learn, [](const std::string& word) { return word == "text" || word == "image"; });
  if (learns_tower) names.include.insert(names.include.end(), scales.begin(), scales.end());
  return names;
}

namespace {

bool learns(const RecordingInterpreter& recording, const EngineOptions& options) {
  if (std::ranges::any_of(tower_names(recording),
                          [&](const std::string& name) { return options.trainable.has(name); })) {
    return true;
  }
  return options.adapter && std::ranges::any_of(recording.whole_linears(), [&](const Parameter& weight) {
           const std::string_view module = module_of(weight);
           return !module.empty() && fits_any(options.adapter->targets, module);
         });
}

// Texts behind a prompt that learns move with it, from their first layer on.
bool learns_prompt(const std::string& tower, const EngineOptions& options) {
  return tower == "text" && options.prompt_vectors;
}

}  // namespace

bool learns_tower(const EmbeddingModel& model, const std::string& tower, const EngineOptions& options) {
  return learns_prompt(tower, options) || learns(recorded(model, tower, Part::whole), options);
}

bool learns_trunk(const EmbeddingModel& model, const std::string& tower, const EngineOptions& options) {
  return learns_prompt(tower, options) || learns(recorded(model, tower, Part::trunk), options);
}

}  // namespace moa::train
