#include <algorithm>
#include <map>
#include <optional>

#include <moa/error.hpp>
#include <moa/quantize.hpp>

#include "embed/scoring.hpp"

namespace moa {
namespace {

Vectors embed_all(const Model& model, std::span<const Input> inputs, const EmbedOptions& options) {
  Vectors vectors = model.embed_all(inputs, options);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Error* error = vectors.error(i);
    if (error != nullptr && error->code() == ErrorCode::cancelled) throw *error;
  }
  return vectors;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// Of the items that both models embedded; why the others were not goes to `errors`.
std::optional<Agreement> agreement(const Vectors& reference, const Vectors& vectors,
                                   std::vector<std::optional<Error>>& errors) {
  Agreement result;
  result.least_cosine = 1;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const Error* error = reference.error(i) != nullptr ? reference.error(i) : vectors.error(i);
    errors.push_back(error == nullptr ? std::nullopt : std::optional(*error));
    if (error != nullptr) continue;
    const double value = cosine(reference.row(i), vectors.row(i));
    ++result.items;
    result.mean_cosine += value;
    result.least_cosine = std::min(result.least_cosine, value);
  }
  if (result.items == 0) return std::nullopt;
  result.mean_cosine /= static_cast<double>(result.items);
  return result;
}

// `classes[i]` is picture i's place among `labels`. A picture whose class failed has no part.
LabelScores scores(const Vectors& images, const std::vector<std::size_t>& classes, const Vectors& labels) {
  LabelScores result;
  std::size_t pictures = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images.error(i) != nullptr || labels.error(classes[i]) != nullptr) continue;
    ++pictures;
    const std::vector<Hit> nearest = top(labels, images.row(i), 1);
    if (!nearest.empty() && nearest.front().index == classes[i]) result.top1 += 1;
  }
  for (std::size_t label = 0; label < labels.size(); ++label) {
    if (labels.error(label) != nullptr) continue;
    const std::vector<Hit> nearest = top(images, labels.row(label), 1);
    if (!nearest.empty() && classes[nearest.front().index] == label) result.retrieval += 1;
  }
  if (pictures > 0) result.top1 /= static_cast<double>(pictures);
  result.retrieval /= static_cast<double>(labels.size() - labels.failures());
  return result;
}

}  // namespace

Comparison compare(const Model& reference, const Model& model, const ComparisonItems& items,
                   const EmbedOptions& options) {
  refuse_raw(options, "compare");
  if (!items.labels.empty() && items.labels.size() != items.images.size()) {
    throw Error(ErrorCode::invalid_argument, "cannot compare: found " + std::to_string(items.labels.size()) +
                                                 " labels for " + std::to_string(items.images.size()) +
                                                 " pictures, expected as many");
  }
  if (reference.dim() != model.dim()) {
    throw Error(ErrorCode::shape_mismatch, "cannot compare: found vectors of " + std::to_string(model.dim()) +
                                               " dimensions, expected " + std::to_string(reference.dim()));
  }
  const auto both = [&](std::span<const Input> inputs) {
    return std::pair(embed_all(reference, inputs, options), embed_all(model, inputs, options));
  };
  Comparison result;
  const auto [reference_images, images] = both(items.images);
  result.images = agreement(reference_images, images, result.image_errors);
  if (!items.texts.empty()) {
    std::vector<Input> texts;
    for (const std::string& text : items.texts) texts.push_back(Input::text(text));
    const auto [reference_texts, model_texts] = both(texts);
    result.texts = agreement(reference_texts, model_texts, result.text_errors);
  }

  std::map<std::string, std::size_t> places;
  for (const std::string& label : items.labels) places.try_emplace(label, 0);
  if (places.size() < 2) return result;
  const std::string form = reference.info().templates.front();
  std::vector<Input> prompts;
  for (auto& [label, place] : places) {
    place = prompts.size();
    std::string prompt = form;
    prompts.push_back(Input::text(prompt.replace(prompt.find("{}"), 2, label)));
  }
  std::vector<std::size_t> classes;
  for (const std::string& label : items.labels) classes.push_back(places.at(label));
  const auto [reference_labels, model_labels] = both(prompts);
  const std::optional<Agreement> sound = agreement(reference_labels, model_labels, result.label_errors);
  if (!result.images || !sound || sound->items < 2) return result;
  result.classes = sound->items;
  result.reference_scores = scores(reference_images, classes, reference_labels);
  result.model_scores = scores(images, classes, model_labels);
  return result;
}

}  // namespace moa
