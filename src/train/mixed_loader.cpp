#include "train/mixed_loader.hpp"

#include <algorithm>
#include <string>

#include <moa/error.hpp>

#include "train/random.hpp"

namespace moa::train {
namespace {

// Names the streams of random numbers that are no pair's.
constexpr std::uint64_t kDraw = 0x647261772D737263U;
constexpr std::uint64_t kOwnSeed = 0x6F776E2D73656564U;

}  // namespace

MixedLoader::MixedLoader(const std::vector<SharedSource>& sources, const BatchLoader::Prepare& prepare,
                         const BatchLoaderOptions& options, const std::vector<DataPosition>& from)
    : seed_(options.seed) {
  if (sources.empty() || (!from.empty() && from.size() != sources.size())) {
    throw Error(ErrorCode::invalid_argument, "cannot load batches: found " + std::to_string(sources.size()) +
                                                 " sources and " + std::to_string(from.size()) +
                                                 " places in them, expected as many, at least one");
  }
  double sum = 0;
  for (const SharedSource& shared : sources) ends_.push_back(sum += shared.share);
  for (double& end : ends_) end /= sum;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    BatchLoaderOptions own = options;
    // The first keeps the seed, so that a lone source's order is not changed by what there could be beside
    // it.
    if (i > 0) own.seed = Random({options.seed, kOwnSeed, i}).next();
    loaders_.push_back(std::make_unique<BatchLoader>(*sources[i].source, prepare, own,
                                                     from.empty() ? DataPosition{} : from[i]));
  }
}

std::size_t MixedLoader::source_of(std::int64_t step) const {
  const double drawn = Random({seed_, kDraw, static_cast<std::uint64_t>(step)}).uniform();
  const auto end = std::ranges::upper_bound(ends_, drawn);
  return std::min(static_cast<std::size_t>(end - ends_.begin()), ends_.size() - 1);
}

std::vector<DataPosition> MixedLoader::positions() const {
  std::vector<DataPosition> all;
  for (const auto& loader : loaders_) all.push_back(loader->position());
  return all;
}

}  // namespace moa::train
