// Batches of several sources of pairs, each batch of one.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "train/batch_loader.hpp"
#include "train/pair_source.hpp"

namespace moa::train {

struct SharedSource {
  const PairSource* source = nullptr;
  double share = 1;  // above 0
};

// Seed and number of the step alone decide which source a step's batch comes from; each source goes on where
// its last batch ended. Used from one thread at a time.
class MixedLoader {
 public:
  // `sources` must outlive the loader; each begins at its place in `from`, which is as long, or empty: at the
  // beginning. Errors: as BatchLoader; invalid_argument without sources.
  MixedLoader(const std::vector<SharedSource>& sources, const BatchLoader::Prepare& prepare,
              const BatchLoaderOptions& options, const std::vector<DataPosition>& from);

  // The source of step `step`, from 0.
  std::size_t source_of(std::int64_t step) const;
  // The next batch of that source. Errors: as BatchLoader::next().
  std::vector<Sample> next(std::size_t source) { return loaders_[source]->next(); }
  // Behind each source's last batch.
  std::vector<DataPosition> positions() const;

 private:
  std::uint64_t seed_;
  std::vector<double> ends_;  // of the sources' parts of [0, 1]
  std::vector<std::unique_ptr<BatchLoader>> loaders_;
};

}  // namespace moa::train
