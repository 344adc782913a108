#include "train/pairs_for_model.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa::train {
namespace {

class PairsForModel : public ::testing::Test {
 protected:
  static RawPair texts(const std::string& first, const std::string& second) {
    RawPair pair;
    pair.name = "words.tsv, line 2";
    pair.text = first;
    pair.captions = {second};
    return pair;
  }
  Sample prepare(RawPair pair) const {
    Random random({1});
    return preparer_.prepare(std::move(pair), random);
  }
  std::shared_ptr<const LoadedModel> model_ =
      LoadedModel::load(std::string(MOA_TEST_DATA) + "/golden/clip/odd_sizes", {.dtype = "f32"});
  PairPreparer preparer_{*model_, {{.kind = DataSource::Kind::texts, .places = {"words.tsv"}}}};
};

TEST_F(PairsForModel, BothTextsAreTokenizedAsForEmbedding) {
  const Sample sample = prepare(texts("a dog", "a cat"));
  ASSERT_TRUE(sample.first);
  EXPECT_EQ(sample.first->ids, model_->prepare_text("a dog", {}).ids);
  EXPECT_EQ(sample.second.ids, model_->prepare_text("a cat", {}).ids);
  EXPECT_NE(sample.second.ids, sample.first->ids);
  EXPECT_TRUE(sample.pixels.empty());
  EXPECT_FALSE(sample.negative);
}

TEST_F(PairsForModel, ANegativeIsDrawnFromThoseThatAreNeitherEmptyNorRight) {
  RawPair pair = texts("a dog", "a cat");
  pair.captions.emplace_back("a kitten");
  pair.negatives = {"", "a kitten", "a fox", " ", "a cat", "a boat"};
  std::set<std::vector<std::int32_t>> drawn;
  for (std::uint64_t i = 0; i < 40; ++i) {
    Random random({i});
    Random same({i});
    Random without({i});
    const Sample sample = preparer_.prepare(RawPair(pair), random);
    ASSERT_TRUE(sample.negative);
    drawn.insert(sample.negative->ids);
    EXPECT_EQ(preparer_.prepare(RawPair(pair), same).negative->ids, sample.negative->ids);
    RawPair plain = pair;
    plain.negatives.clear();
    EXPECT_EQ(preparer_.prepare(std::move(plain), without).second.ids, sample.second.ids);
  }
  EXPECT_EQ(drawn, (std::set{model_->prepare_text("a fox", {}).ids, model_->prepare_text("a boat", {}).ids}));
  pair.negatives = {"", "a kitten", "a cat"};
  EXPECT_FALSE(prepare(std::move(pair)).negative);
}

TEST_F(PairsForModel, NegativesStandBesideTheBatchWithWhatTellsThemFromRightAnswers) {
  const FixedVectors kept(model_, {});
  for (const FixedVectors* rows : {static_cast<const FixedVectors*>(nullptr), &kept}) {
    const PairPreparer preparer(
        *model_,
        {{.kind = DataSource::Kind::texts, .places = {"words.tsv"}, .texts = {.negative_column = "wrong"}}},
        {.texts = rows});
    const auto sample = [&](const std::string& first, const std::string& second,
                            const std::vector<std::string>& negatives) {
      RawPair pair = texts(first, second);
      pair.negatives = negatives;
      Random random({1});
      return preparer.prepare(std::move(pair), random);
    };
    const TrainingBatch batch =
        preparer.batch({sample("a", "one", {"two"}), sample("b", "two", {}), sample("c", "three", {"none"})});
    EXPECT_EQ(items_of(batch.second), 3);
    EXPECT_EQ(items_of(batch.negatives), 2);
    EXPECT_EQ(std::holds_alternative<VectorBatch>(batch.negatives), rows != nullptr);
    ASSERT_EQ(batch.second_keys.size(), 3U);
    ASSERT_EQ(batch.negative_keys.size(), 2U);
    EXPECT_EQ(batch.negative_keys[0], batch.second_keys[1]);
    const std::set<std::int64_t> all{batch.second_keys[0], batch.second_keys[1], batch.second_keys[2],
                                     batch.negative_keys[1]};
    EXPECT_EQ(all.size(), 4U);
    EXPECT_EQ(items_of(preparer.batch({sample("a", "one", {})}).negatives), 0);
  }
}

// Each picture says its class, and beside them stand the texts of all classes, whole classes a process.
TEST_F(PairsForModel, PicturesOfClassesComeWithTheTextsOfAllClasses) {
  const ClassTexts classes(*model_, {"dog", "cat", "boat"}, {"a {}", "{}s"});
  const std::vector<DataSource> sources = {{.kind = DataSource::Kind::classes, .places = {"set"}}};
  const PairPreparer alone(*model_, sources, {.classes = &classes});
  RawPair pair;
  pair.path = std::string(MOA_TEST_DATA) + "/../demo/astronaut.jpg";
  pair.label = 2;
  Random random({1});
  const Sample sample = alone.prepare(std::move(pair), random);
  EXPECT_FALSE(sample.pixels.empty());
  const TrainingBatch batch = alone.batch({sample, sample});
  EXPECT_EQ(batch.classes, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(batch.texts_a_class, 2);
  const auto texts_of = [](const TrainingBatch& of) { return std::get<TextBatch>(of.second); };
  const TextBatch all = texts_of(batch);
  EXPECT_EQ(all.sequences.items(), 6);
  const std::vector<std::int32_t> first = model_->prepare_text("a dog", {}).ids;
  EXPECT_TRUE(std::ranges::equal(first, std::span(all.ids).first(first.size())));
  std::vector<std::int32_t> joined;
  for (const std::size_t process : {0, 1}) {
    const PairPreparer part(*model_, sources, {.classes = &classes, .process = process, .processes = 2});
    const TextBatch texts = texts_of(part.batch({}));  // also of a process without a picture
    EXPECT_EQ(texts.sequences.items(), process == 0 ? 2 : 4);
    joined.insert(joined.end(), texts.ids.begin(), texts.ids.end());
  }
  EXPECT_EQ(joined, all.ids);
}

TEST_F(PairsForModel, AnEmptyTextIsABadPair) {
  MOA_EXPECT_ERROR(prepare(texts(" ", "a cat")), corrupt_data);
  MOA_EXPECT_ERROR(prepare(texts("a dog", "")), corrupt_data);
}

TEST_F(PairsForModel, PairsThatShareATextAreOfOneGroup) {
  const auto batch = [&](const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::vector<Sample> samples;
    for (const auto& [first, second] : pairs) samples.push_back(prepare(texts(first, second)));
    return preparer_.batch(std::move(samples));
  };
  const TrainingBatch shared = batch({{"a", "one"}, {"b", "two"}, {"a", "two"}, {"c", "four"}, {"d", "one"}});
  EXPECT_EQ(shared.groups, (std::vector<std::int64_t>{0, 1, 0, 3, 0}));
  EXPECT_EQ(std::get<TextBatch>(shared.first).sequences.items(), 5);
  EXPECT_TRUE(batch({{"a", "one"}, {"b", "two"}}).groups.empty());
}

TEST_F(PairsForModel, GroupsReachAcrossProcesses) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"a", "one"}, {"b", "two"}, {"a", "two"}, {"c", "four"}, {"d", "one"}};
  // Process 1 has the last two; what process 0 brings to each sum is what is missing in it.
  std::vector<std::vector<double>> brought;
  const auto share = [&](std::size_t process, std::size_t begin, std::size_t end,
                         const std::function<void(std::span<double>)>& sum) {
    const PairPreparer preparer(*model_, {{.kind = DataSource::Kind::texts, .places = {"words.tsv"}}},
                                {.process = process, .processes = 2, .sum = sum});
    std::vector<Sample> samples;
    for (std::size_t i = begin; i < end; ++i)
      samples.push_back(prepare(texts(pairs[i].first, pairs[i].second)));
    return preparer.batch(std::move(samples)).groups;
  };
  const auto meet = [&](std::size_t process, std::size_t begin, std::size_t end, std::vector<double> counts) {
    std::size_t call = 0;
    return share(process, begin, end, [&, counts](std::span<double> numbers) {
      if (call++ == 0) {
        std::ranges::copy(counts, numbers.begin());
        return;
      }
      brought.emplace_back(numbers.begin(), numbers.end());
      if (brought.size() == 1) return;
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += brought.front()[i];
    });
  };
  meet(0, 0, 3, {3, 2});
  EXPECT_EQ(meet(1, 3, 5, {3, 2}), (std::vector<std::int64_t>{3, 0}));
}

// Of pictures whose captions are equal sup_con alone makes positives of each other: CLIP's loss does not.
TEST_F(PairsForModel, PicturesOfEqualCaptionsAreOfOneGroupWhereTheLossWantsIt) {
  const std::vector<DataSource> sources = {{.kind = DataSource::Kind::pictures, .places = {"pairs.csv"}}};
  const auto groups = [&](const std::vector<std::string>& captions, const PairPreparerOptions& options) {
    const PairPreparer preparer(*model_, sources, options);
    std::vector<Sample> samples;
    for (const std::string& caption : captions) {
      RawPair pair;
      pair.features = {1, 2, 3};
      pair.captions = {caption};
      pair.group = samples.size();
      Random random({1});
      samples.push_back(preparer.prepare(std::move(pair), random));
    }
    return preparer.batch(std::move(samples)).groups;
  };
  using Groups = std::vector<std::int64_t>;
  EXPECT_EQ(groups({"a dog", "a cat", "a dog"}, {.groups_equal_captions = true}), (Groups{0, 1, 0}));
  EXPECT_EQ(groups({"a dog", "a cat", "a fox"}, {.groups_equal_captions = true}), Groups{});
  EXPECT_EQ(groups({"a dog", "a cat", "a dog"}, {}), Groups{});
  // The other process has a picture of a dog too.
  const std::vector<double> dog = [&] {
    std::vector<double> keys;
    PairPreparerOptions alone{.processes = 2, .groups_equal_captions = true};
    alone.sum = [&](std::span<double> numbers) { keys.assign(numbers.begin(), numbers.end()); };
    groups({"a dog"}, alone);
    return keys;
  }();
  ASSERT_EQ(dog.size(), 2U);
  PairPreparerOptions second{.process = 1, .processes = 2, .groups_equal_captions = true};
  second.sum = [&](std::span<double> numbers) {
    if (numbers.size() == 2) numbers[0] = 1;  // how many pairs each has
    if (numbers.size() == 6) {
      numbers[0] = 7;
      numbers[3] = dog[1];
    }
  };
  EXPECT_EQ(groups({"a cat", "a dog"}, second), (Groups{1, 0}));
}

TEST_F(PairsForModel, TextsThatAreCutAreCountedOnceEach) {
  std::string long_text;
  for (int i = 0; i < 200; ++i) long_text += "word ";
  const auto cut = [&](const FixedVectors* rows) {
    const PairPreparer preparer(*model_, {{.kind = DataSource::Kind::texts, .places = {"words.tsv"}}},
                                {.texts = rows});
    EXPECT_EQ(preparer.cut_texts(), 0U);
    std::vector<std::thread> workers;
    for (int worker = 0; worker < 3; ++worker) {
      workers.emplace_back([&] {
        for (const char* end : {"one", "two"}) {
          Random random({1});
          preparer.prepare(texts("a dog", long_text + end), random);
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    RawPair pair = texts(long_text, "a cat");
    pair.negatives = {long_text + "three"};
    Random random({1});
    preparer.prepare(std::move(pair), random);
    return preparer.cut_texts();
  };
  EXPECT_EQ(cut(nullptr), 4U);
  const FixedVectors rows(model_, {});
  EXPECT_EQ(cut(&rows), 4U);
}

TEST_F(PairsForModel, AnEmptyShareIsABatchOfNothing) {
  const TrainingBatch batch = preparer_.batch({});
  EXPECT_EQ(items_of(batch.first), 0);
  EXPECT_EQ(items_of(batch.second), 0);
}

}  // namespace
}  // namespace moa::train
