// Classifying and matching: cosines between pictures and texts, and what a model makes of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <moa/model.hpp>

#include "embed/loaded_model.hpp"

namespace moa {

// Each label in each template, in the place of "{}": all of the first label first. Error: invalid_argument
// for a template without it.
std::vector<std::string> label_texts(std::span<const std::string> labels,
                                     std::span<const std::string> templates);

// What of `texts` was cut; each `templates` of them are one label's.
Truncation truncation_of(const EmbedReport& report, std::span<const Input> texts, std::size_t templates = 1);

// Error: invalid_argument for raw vectors, as `attempt` makes cosines.
void refuse_raw(const EmbedOptions& options, const std::string& attempt);

// Model::embed_labels().
Vectors embed_labels(const LoadedModel& model, std::span<const std::string> labels,
                     const ClassifyOptions& options);
Classification classify_images(const LoadedModel& model, std::span<const Input> images,
                               std::span<const std::string> labels, const ClassifyOptions& options);
MatchResult match_pairs(const LoadedModel& model, std::span<const Input> images,
                        std::span<const std::string> texts, const MatchOptions& options);

}  // namespace moa
