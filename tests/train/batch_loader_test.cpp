#include "train/batch_loader.hpp"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <mutex>
#include <span>
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
  return {{static_cast<std::uint8_t>(random.below(256))}, {}, pair.group};
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
    std::vector<std::pair<std::uint64_t, int>> all;
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

// Adds up what the threads of a test bring, when all have come.
class Sum {
 public:
  explicit Sum(std::size_t parts) : parts_(parts), meeting_(static_cast<std::ptrdiff_t>(parts)) {}
  void add(std::size_t part, std::span<double> numbers) {
    parts_[part].assign(numbers.begin(), numbers.end());
    meeting_.arrive_and_wait();
    std::fill(numbers.begin(), numbers.end(), 0);
    for (const std::vector<double>& of_one : parts_) {
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += of_one[i];
    }
    meeting_.arrive_and_wait();
  }

 private:
  std::vector<std::vector<double>> parts_;
  std::barrier<> meeting_;
};

TEST(BatchLoader, SharesOfProcessesAreTheBatchOfOne) {
  Numbers source(50);
  source.bad_every = 7;
  source.damage_every = 11;
  constexpr int kBatches = 20;
  constexpr DataPosition kFrom{1, 9, 4};
  const BatchLoaderOptions alone{.seed = 5, .batch = 6, .workers = 2};
  std::vector<std::vector<std::pair<std::uint64_t, int>>> expected(kBatches);
  BatchLoader whole(source, prepare, alone, kFrom);
  for (auto& batch : expected) {
    for (const Sample& sample : whole.next()) batch.emplace_back(sample.group, sample.pixels[0]);
    std::ranges::sort(batch);
  }
  for (const std::size_t parts : {2U, 3U}) {
    Sum sum(parts);
    std::mutex mutex;
    std::vector<std::vector<std::pair<std::uint64_t, int>>> found(kBatches);
    std::size_t told = 0;
    std::vector<std::thread> processes;
    for (std::size_t part = 0; part < parts; ++part) {
      processes.emplace_back([&, part] {
        BatchLoaderOptions options = alone;
        options.part = part;
        options.parts = parts;
        options.sum = [&, part](std::span<double> numbers) { sum.add(part, numbers); };
        options.on_skipped = [&](const Error&) {
          const std::lock_guard lock(mutex);
          ++told;
        };
        BatchLoader loader(source, prepare, options, kFrom);
        for (auto& batch : found) {
          const std::vector<Sample> share = loader.next();
          const std::lock_guard lock(mutex);
          for (const Sample& sample : share) batch.emplace_back(sample.group, sample.pixels[0]);
        }
        EXPECT_EQ(loader.position(), whole.position());
      });
    }
    for (std::thread& process : processes) process.join();
    for (auto& batch : found) std::ranges::sort(batch);
    EXPECT_EQ(found, expected) << parts;
    EXPECT_EQ(told + kFrom.skipped, whole.position().skipped);  // each by one process
  }
}

TEST(BatchLoader, ProcessesThatFindDifferentDataAreStopped) {
  const Numbers ten(10);
  const Numbers nine(9);
  Sum sum(2);
  std::vector<std::thread> processes;
  for (std::size_t part = 0; part < 2; ++part) {
    processes.emplace_back([&, part] {
      const BatchLoaderOptions options{
          .batch = 4, .part = part, .parts = 2, .sum = [&, part](std::span<double> numbers) {
            sum.add(part, numbers);
          }};
      BatchLoader loader(part == 0 ? ten : nine, prepare, options);
      loader.next();
      loader.next();
      MOA_EXPECT_ERROR(loader.next(), corrupt_data);
    });
  }
  for (std::thread& process : processes) process.join();
}

}  // namespace
}  // namespace moa::train
