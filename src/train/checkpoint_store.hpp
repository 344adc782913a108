// Checkpoints of a training on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "train/batch_loader.hpp"
#include "train/engine.hpp"

namespace moa::train {

// All that a training needs to go on as if it had never stopped.
struct TrainingState {
  std::int64_t step = 0;
  std::vector<DataPosition> positions;  // one a source of the data
  EngineState engine;
};

// A folder of checkpoints, one folder each: step-000000001000/state.safetensors and training.json. A
// checkpoint is written beside its place, synced and renamed, so that it is there whole or not at all; older
// ones go only then. Used from one thread.
class CheckpointStore {
 public:
  // Error: io_error.
  CheckpointStore(std::filesystem::path folder, std::size_t keep);

  // Errors: io_error; all earlier checkpoints are intact then.
  void save(const TrainingState& state);
  // Nothing if there is none. Errors: io_error, corrupt_data naming the file.
  std::optional<TrainingState> newest() const;

 private:
  std::vector<std::filesystem::path> places() const;  // oldest first

  std::filesystem::path folder_;
  std::size_t keep_;
};

}  // namespace moa::train
