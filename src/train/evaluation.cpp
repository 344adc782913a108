#include "train/evaluation.hpp"

#include <algorithm>
#include <string>

#include <moa/error.hpp>

#include "base/cancellation.hpp"

namespace moa {

double Evaluation::value(std::string_view name) const {
  for (const Metric& metric : metrics) {
    if (metric.name == name) return metric.value;
  }
  std::string names;
  for (const Metric& metric : metrics) names += (names.empty() ? "" : ", ") + metric.name;
  throw Error(ErrorCode::not_found,
              "the evaluation has no metric '" + std::string(name) + "', expected one of " + names);
}

namespace train {

Vectors embed_or_cancel(const Model& model, std::span<const Input> inputs, const EmbedOptions& options) {
  Vectors vectors = model.embed_all(inputs, options);
  if (is_raised(options.cancelled))
    throw Error(ErrorCode::cancelled, "interrupted while embedding what is evaluated");
  return vectors;
}

std::vector<std::optional<Error>> errors_of(const Vectors& vectors, std::vector<std::size_t>& sound) {
  std::vector<std::optional<Error>> errors(vectors.size());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (const Error* error = vectors.error(i)) {
      errors[i] = *error;
    } else {
      sound.push_back(i);
    }
  }
  return errors;
}

void check_depths(std::span<const std::size_t> top) {
  if (std::ranges::find(top, std::size_t{0}) == top.end()) return;
  throw Error(ErrorCode::invalid_argument, "cannot evaluate the best 0, expected numbers from 1 on in `top`");
}

void check(const LabelledPictures& set) {
  const auto refuse = [](const std::string& found) {
    throw Error(ErrorCode::invalid_argument, "cannot evaluate: " + found);
  };
  if (set.pictures.empty()) refuse("found no pictures");
  if (set.classes.size() != set.pictures.size()) {
    refuse("found " + std::to_string(set.classes.size()) + " classes for " +
           std::to_string(set.pictures.size()) + " pictures, expected one for each");
  }
  const std::size_t last = std::ranges::max(set.classes);
  if (last >= set.class_names.size()) {
    refuse("found a picture of class " + std::to_string(last) + ", but " +
           std::to_string(set.class_names.size()) + " class names");
  }
}

}  // namespace train
}  // namespace moa
