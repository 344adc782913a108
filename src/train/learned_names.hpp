// Which of a model's parameters a training changes.
#pragma once

#include <string>
#include <vector>

#include "models/embedding_model.hpp"
#include "train/engine.hpp"

namespace moa::train {

// From the words of a configuration to names: "all", "text" and "image" (a tower's own parameters, and the
// logit scale and bias), or patterns. What `freeze` says (the same words) stays as it is. Error:
// invalid_argument if the model has no such tower.
TrainableNames names_to_learn(const EmbeddingModel& model, const std::vector<std::string>& learn,
                              const std::vector<std::string>& freeze);

// Whether a training with these names changes a tower ("text" or "image"), by its own parameters or by an
// adapter on them.
bool learns_tower(const EmbeddingModel& model, const std::string& tower, const EngineOptions& options);

}  // namespace moa::train
