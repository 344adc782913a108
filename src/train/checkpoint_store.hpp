// Checkpoints of a training on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
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

// A folder of checkpoints, one folder each: step-000000001000/ with state.safetensors, training.json and the
// checksums of both, as `xxhsum -H2` writes them. A checkpoint is written beside its place, synced and
// renamed, so that it is there whole or not at all; older ones go only then. Used from one thread.
class CheckpointStore {
 public:
  using Note = std::function<void(const std::string& text)>;

  // Error: io_error.
  CheckpointStore(std::filesystem::path folder, std::size_t keep);

  // Errors: io_error; all earlier checkpoints are intact then.
  void save(const TrainingState& state);
  // The newest that is as it was written; nothing if there are none at all. Newer ones that are damaged (a
  // file cut off, changed or gone) are renamed to damaged-step-..., each with a note that says what is wrong.
  // Errors: io_error; corrupt_data naming them if all are damaged, which stay where they are then.
  std::optional<TrainingState> newest_sound(const Note& note = {});

 private:
  std::vector<std::filesystem::path> places() const;  // oldest first

  std::filesystem::path folder_;
  std::size_t keep_;
};

}  // namespace moa::train
