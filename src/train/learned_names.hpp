// Which of a model's parameters a training changes.
#pragma once

#include <string>
#include <vector>

#include "models/embedding_model.hpp"
#include "train/engine.hpp"

namespace moa::train {

// From the words of a configuration to names: "all", "text" and "image", or patterns. What `freeze` says (the
// same words) stays as it is. With a tower learns what its cosines are scaled by, of the checkpoint: those of
// `scales`. Error: invalid_argument if the model has no such tower.
TrainableNames names_to_learn(const EmbeddingModel& model, const std::vector<std::string>& learn,
                              const std::vector<std::string>& freeze,
                              const std::vector<std::string>& scales = {});

// Whether a training with these names changes a tower ("text" or "image"), by its own parameters, by an
// adapter on them or by a prompt before its texts.
bool learns_tower(const EmbeddingModel& model, const std::string& tower, const EngineOptions& options);
// Whether anything in front of the tower's head does (EmbeddingModel).
bool learns_trunk(const EmbeddingModel& model, const std::string& tower, const EngineOptions& options);

// Where an adapter sits: the linear layers of the checkpoint, without ".weight", that `words` say ("all",
// "text", "image", or patterns of such names), but for those whose weights `freeze` says. Of "all" and the
// towers, `shared` leaves out what it cannot sit on. Error: invalid_argument for a word that no layer is
// meant by, or if no layer is left.
std::vector<std::string> adapter_targets(const EmbeddingModel& model, AdapterKind kind,
                                         const std::vector<std::string>& words,
                                         const std::vector<std::string>& freeze);

}  // namespace moa::train
