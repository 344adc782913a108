// What the evaluations share.
#pragma once

#include <span>

#include <moa/eval.hpp>

namespace moa::train {

// Model::embed_all(), which ends as a whole when it is cancelled. Errors: cancelled.
Vectors embed_or_cancel(const Model& model, std::span<const Input> inputs, const EmbedOptions& options);

// The errors of `vectors`, one a row, and in `sound` the places of the others.
std::vector<std::optional<Error>> errors_of(const Vectors& vectors, std::vector<std::size_t>& sound);

// Errors: invalid_argument if there are no pictures, not one class for each, or a class has no name.
void check(const LabelledPictures& set);

// Error: invalid_argument for a 0 among how many of the best count.
void check_depths(std::span<const std::size_t> top);

// evaluate_zero_shot() for vectors that are there already, one a picture of `set` and one a class.
Evaluation judge_classes(const Vectors& pictures, const Vectors& classes, const LabelledPictures& set,
                         const ZeroShotOptions& options);

// evaluate_retrieval() for vectors that are there already, one a picture and one a caption of `set`.
Evaluation judge_retrieval(const Vectors& pictures, const Vectors& texts, const CaptionedPictures& set,
                           const RetrievalOptions& options, int thread_count);

}  // namespace moa::train
