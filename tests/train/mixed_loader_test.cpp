#include "train/mixed_loader.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "train/shuffled_stream.hpp"

namespace moa::train {
namespace {

// Pairs first … first + count - 1; every seventh is bad.
class Numbers : public PairSource {
 public:
  Numbers(std::uint64_t first, std::uint64_t count) : first_(first), count_(count) {}
  std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const override {
    return std::make_unique<ShuffledStream>(count_, Random({seed, epoch}), [this](std::uint64_t index) {
      if (index % 7 == 3) throw Error(ErrorCode::corrupt_data, "bad");
      RawPair pair;
      pair.group = first_ + index;
      return pair;
    });
  }
  std::optional<std::uint64_t> size() const override { return count_; }

 private:
  std::uint64_t first_;
  std::uint64_t count_;
};

using Drawn = std::vector<std::pair<std::uint64_t, int>>;

class Mixed : public ::testing::Test {
 protected:
  static Sample prepare(RawPair&& pair, Random& random) {
    return {{static_cast<std::uint8_t>(random.below(256))}, {}, pair.group};
  }
  // What steps [begin, end) hold, of a loader that begins at `from`; where it stands then.
  std::pair<Drawn, std::vector<DataPosition>> steps(std::int64_t begin, std::int64_t end, int workers,
                                                    const std::vector<DataPosition>& from) const {
    MixedLoader loader(sources_, prepare, {.seed = 9, .batch = 4, .workers = workers}, from);
    Drawn drawn;
    for (std::int64_t step = begin; step < end; ++step) {
      for (const Sample& sample : loader.next(loader.source_of(step)))
        drawn.emplace_back(sample.group, sample.pixels[0]);
    }
    return {drawn, loader.positions()};
  }
  Numbers few_{0, 30};
  Numbers many_{1000, 90};
  std::vector<SharedSource> sources_{{&few_, 1}, {&many_, 3}};
};

TEST_F(Mixed, ABatchIsOfOneSourceDrawnByItsShare) {
  const MixedLoader loader(sources_, prepare, {.seed = 9, .batch = 4, .workers = 1}, {});
  int of_many = 0;
  for (std::int64_t step = 0; step < 4000; ++step) of_many += loader.source_of(step) == 1 ? 1 : 0;
  EXPECT_NEAR(of_many, 3000, 100);  // 3.6 standard deviations
  const Drawn drawn = steps(0, 40, 2, {}).first;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    EXPECT_EQ(drawn[i].first >= 1000, loader.source_of(static_cast<std::int64_t>(i / 4)) == 1) << i;
  }
}

TEST_F(Mixed, GoesOnFromItsPositionsAtAnyStep) {
  const auto [all, end] = steps(0, 40, 3, {});
  for (const std::int64_t stop : {1, 2, 7, 25, 39}) {
    const auto [first, middle] = steps(0, stop, 1, {});
    auto [rest, at] = steps(stop, 40, 2, middle);
    rest.insert(rest.begin(), first.begin(), first.end());
    EXPECT_EQ(rest, all) << stop;
    EXPECT_EQ(at, end) << stop;
  }
  EXPECT_GT(end[0].skipped + end[1].skipped, 10u);
}

TEST_F(Mixed, ALoneSourceIsDrawnAsIfItWereLoadedByItself) {
  sources_.pop_back();
  BatchLoader alone(few_, prepare, {.seed = 9, .batch = 4, .workers = 1});
  MixedLoader mixed(sources_, prepare, {.seed = 9, .batch = 4, .workers = 1}, {});
  for (std::int64_t step = 0; step < 20; ++step) {
    const std::vector<Sample> expected = alone.next();
    const std::vector<Sample> found = mixed.next(mixed.source_of(step));
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].pixels, expected[i].pixels);
  }
}

TEST_F(Mixed, RefusesPositionsOfOtherSources) {
  MOA_EXPECT_ERROR(MixedLoader(sources_, prepare, {.batch = 4}, {DataPosition{}}), invalid_argument);
  MOA_EXPECT_ERROR(MixedLoader({}, prepare, {.batch = 4}, {}), invalid_argument);
}

}  // namespace
}  // namespace moa::train
