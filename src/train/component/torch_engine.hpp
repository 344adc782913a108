// The training engine that the component gives to whoever opens it.
#pragma once

#include <memory>
#include <vector>

#include "train/engine.hpp"

namespace moa::train {

// As make_training_engine says.
std::unique_ptr<TrainingEngine> make_torch_engine(const EmbeddingModel& model,
                                                  const std::vector<Parameter>& parameters,
                                                  const EngineOptions& options);

}  // namespace moa::train
