// Batches of prepared pairs, made ahead of time on threads of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moa/error.hpp>

#include "train/fixed_vectors.hpp"
#include "train/pair_source.hpp"
#include "train/random.hpp"

namespace moa::train {

// A text as a model takes it.
struct SampleText {
  std::vector<std::int32_t> ids = {};  // that are learned from
  std::optional<FixedItem> row = {};   // of a frozen tower or trunk, in their place
  double key = 0;                      // tells it from all others
};

// A pair as a model takes it.
struct Sample {
  // [channels, height_px, width_px], of a picture that is learned from, before they become numbers.
  std::vector<std::uint8_t> pixels = {};
  SampleText second = {};                // the caption, or the second text
  std::uint64_t group = 0;               // RawPair::group
  std::optional<SampleText> first = {};  // of a pair of texts
  std::optional<SampleText> negative = {};
  std::int64_t label = -1;  // of a picture of a class
  // Of a frozen tower or trunk, in place of the picture; of a teacher, beside it.
  std::optional<FixedItem> picture_row = {};
  bool is_of_features = false;  // `picture_row` is RawPair::features
  std::optional<FixedItem> teacher_first = {};
  std::optional<FixedItem> teacher_second = {};
};

// Where in the data a training stands: between two batches. It says all that is needed to go on.
struct DataPosition {
  std::uint64_t epoch = 0;
  std::uint64_t taken = 0;    // pairs of this epoch that were looked at, bad ones included
  std::uint64_t skipped = 0;  // bad ones since the training began
  friend bool operator==(const DataPosition&, const DataPosition&) = default;
};

struct BatchLoaderOptions {
  std::uint64_t seed = 0;
  std::size_t batch = 0;
  int workers = 1;
  bool stops_at_bad_pairs = false;  // instead of leaving them out
  // Called for each pair that is left out, from the thread that calls next().
  std::function<void(const Error& error)> on_skipped = {};
  // Of several processes that share each batch: this one prepares every `parts`-th pair, from number `part`
  // of the epoch on, and next() gives its share.
  std::size_t part = 0;
  std::size_t parts = 1;
  // Adds up what the processes have, in all of them; called from next(). Needed if there are several.
  std::function<void(std::span<double> numbers)> sum = {};
};

// What a batch holds is decided by the source, the seed and the position: not by the number of workers or of
// processes. Used from one thread at a time.
class BatchLoader {
 public:
  // Turns a pair into a sample; called from several threads at once. `random` is the pair's own: seed, epoch
  // and place in the epoch name it. An Error means that the pair is bad.
  using Prepare = std::function<Sample(RawPair&& pair, Random& random)>;

  // `source` must outlive the loader. It begins at `from`. Error: invalid_argument for a batch or a number of
  // workers below 1.
  BatchLoader(const PairSource& source, Prepare prepare, const BatchLoaderOptions& options,
              const DataPosition& from = {});
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  // The next batch, full always (the shares of all processes together): what is left at the end of an epoch
  // is dropped. Errors: invalid_argument if a whole epoch does not fill a batch; a bad pair's own, if they
  // stop it; corrupt_data if processes find different data; those of the system (no memory).
  std::vector<Sample> next();
  // Behind the last batch.
  const DataPosition& position() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moa::train
