// The loop of training, over whatever computes and whatever the pairs are.
#pragma once

#include <functional>
#include <vector>

#include <moa/train.hpp>

#include "train/engine.hpp"
#include "train/mixed_loader.hpp"
#include "train/train_config.hpp"

namespace moa::train {

// What the loop works with. All of it must outlive the call.
struct TrainerParts {
  std::vector<SharedSource> sources;
  BatchLoader::Prepare prepare;
  std::function<TrainingBatch(std::vector<Sample>)> batch;
  TrainingEngine& engine;
  // Judges the engine's weights as they are; empty: nothing is judged.
  std::function<Evaluation()> validate;
};

// Steps, checkpoints, metrics.csv, loss.svg and, if asked for, TensorBoard's event file in `config.output`,
// and validation.csv with the judgements;
// not the model at the end. Errors: as moa::train_model().
TrainResult run_training(const TrainConfig& config, const TrainerParts& parts, const TrainOptions& options);

}  // namespace moa::train
