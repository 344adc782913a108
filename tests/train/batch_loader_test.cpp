#include "train/batch_loader.hpp"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa::train {
namespace {

// Pairs 0 … count - 1, in this order; those whose number a multiple of `bad_every` is are bad, and of
// `damage_every` cannot be read at all.
class Numbers : public PairSource {
 public:
  explicit Numbers(std::uint64_t count) : count_(count) {}
  std::uint64_t bad_every = 0;
  std::uint64_t damage_every = 0;

  std::unique_ptr<PairStream> epoch(std::uint64_t, std::uint64_t) const override {
    return std::make_unique<Stream>(*this);
  }
  std::optional<std::uint64_t> size() const override { return count_; }

 private:
  struct Stream : PairStream {
    explicit Stream(const Numbers& from) : source(from) {}
    std::optional<RawPair> next() override {
      if (at == source.count_) return std::nullopt;
      const std::uint64_t number = at++;
      if (source.damage_every != 0 && number % source.damage_every == source.damage_every - 1)
        throw Error(ErrorCode::io_error, "damage");
      RawPair pair;
      pair.group = number;
      pair.captions = {source.bad_every != 0 && number % source.bad_every == 0 ? "" : "fine"};
      return pair;
    }
    const Numbers& source;
    std::uint64_t at = 0;
  };
  std::uint64_t count_;
};

Sample prepare(RawPair&& pair, Random& random) {
  if (pair.captions.front().empty()) throw Error(ErrorCode::corrupt_data, "empty");
  // Later ones are ready sooner, so that order has to be made.
  std::this_thread::sleep_for(std::chrono::microseconds(random.below(300)));
  return {{static_cast<float>(random.uniform())}, {}, pair.group};
}

std::vector<std::uint64_t> groups(const std::vector<Sample>& batch) {
  std::vector<std::uint64_t> numbers;
  for (const Sample& sample : batch) numbers.push_back(sample.group);
  return numbers;
}
using Groups = std::vector<std::uint64_t>;

TEST(BatchLoader, KeepsTheOrderAndDropsTheRestOfAnEpoch) {
  const Numbers source(7);
  BatchLoader loader(source, prepare, {.batch = 3, .workers = 4});
  EXPECT_EQ(groups(loader.next()), (Groups{0, 1, 2}));
  EXPECT_EQ(groups(loader.next()), (Groups{3, 4, 5}));
  EXPECT_EQ(groups(loader.next()), (Groups{0, 1, 2}));
  EXPECT_EQ(loader.position(), (DataPosition{1, 3, 0}));
}

TEST(BatchLoader, WorkersChangeNothingAndAPositionGoesOn) {
  Numbers source(50);
  source.bad_every = 7;
  source.damage_every = 11;
  const auto batches = [&](int workers, const DataPosition& from, int count) {
    BatchLoader loader(source, prepare, {.seed = 5, .batch = 4, .workers = workers}, from);
    std::vector<std::pair<std::uint64_t, float>> all;
    for (int i = 0; i < count; ++i) {
      for (const Sample& sample : loader.next()) all.emplace_back(sample.group, sample.pixels[0]);
    }
    return std::pair(all, loader.position());
  };
  const auto [all, end] = batches(1, {}, 30);
  EXPECT_EQ(batches(5, {}, 30), std::pair(all, end));
  const auto [first, middle] = batches(3, {}, 13);
  auto [rest, at] = batches(2, middle, 17);
  rest.insert(rest.begin(), first.begin(), first.end());
  EXPECT_EQ(rest, all);
  EXPECT_EQ(at, end);
  EXPECT_GT(end.skipped, 20u);
}

TEST(BatchLoader, BadPairsAreToldAndLeftOutOrStopIt) {
  Numbers source(10);
  source.bad_every = 5;
  std::vector<std::string> told;
  BatchLoader loader(source, prepare, {.batch = 8, .workers = 2, .on_skipped = [&](const Error& error) {
                                         told.emplace_back(error.what());
                                       }});
  EXPECT_EQ(groups(loader.next()), (Groups{1, 2, 3, 4, 6, 7, 8, 9}));
  EXPECT_EQ(told.size(), 2u);
  BatchLoader strict(source, prepare, {.batch = 8, .workers = 2, .stops_at_bad_pairs = true});
  MOA_EXPECT_ERROR(strict.next(), corrupt_data);
}

TEST(BatchLoader, AnEpochThatFillsNoBatchIsAMistake) {
  const Numbers few(3);
  BatchLoader loader(few, prepare, {.batch = 4});
  MOA_EXPECT_ERROR(loader.next(), invalid_argument);
  Numbers all_bad(20);
  all_bad.bad_every = 1;
  BatchLoader none(all_bad, prepare, {.batch = 2});
  MOA_EXPECT_ERROR(none.next(), invalid_argument);
  MOA_EXPECT_ERROR(BatchLoader(all_bad, prepare, {.batch = 0}), invalid_argument);
}

TEST(BatchLoader, WhatIsNoErrorOfMoaIsHandedOn) {
  const Numbers source(3);
  BatchLoader loader(source, [](RawPair&&, Random&) -> Sample { throw std::bad_alloc(); }, {.batch = 1});
  EXPECT_THROW(loader.next(), std::bad_alloc);
}

}  // namespace
}  // namespace moa::train
