#include "train/fixed_vectors.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

class Fixed : public ::testing::Test {
 protected:
  const std::string folder_ = MOA_TEST_DATA "/golden/clip/odd_sizes";
  const std::shared_ptr<const LoadedModel> model_ = LoadedModel::load(folder_, {.dtype = "f32"});
  const std::string picture_ = read_file(folder_ + "/picture0.png", 1 << 20);

  std::vector<float> expected(const std::string& text) const {
    return model_->embed_texts(std::vector{model_->prepare_text(text, {})}, false);
  }
  FixedItem picture(const FixedVectors& from, const std::string& version, int& reads) const {
    return from.picture("p", version, [&] {
      ++reads;
      return as_bytes(picture_);
    });
  }
};

bool is_known(const FixedItem& item) {
  return std::holds_alternative<std::vector<float>>(item.content);
}

TEST_F(Fixed, EqualItemsHaveTheModelsVector) {
  const FixedVectors vectors(model_, {});
  const std::vector<FixedItem> items{vectors.text("a dog"), vectors.text("a cat"), vectors.text("a dog")};
  const VectorBatch batch = vectors.texts(items);
  ASSERT_EQ(batch.items, 3);
  std::vector<float> wanted = expected("a dog");
  for (const char* text : {"a cat", "a dog"}) {
    const std::vector<float> more = expected(text);
    wanted.insert(wanted.end(), more.begin(), more.end());
  }
  EXPECT_EQ(batch.values, wanted);
}

TEST_F(Fixed, WhatIsKnownIsNotPreparedAgain) {
  const FixedVectors vectors(model_, {});
  int reads = 0;
  const VectorBatch first = vectors.pictures(std::vector{picture(vectors, "1", reads)});
  const FixedItem again = picture(vectors, "1", reads);
  EXPECT_EQ(reads, 1);
  ASSERT_TRUE(is_known(again));
  EXPECT_EQ(vectors.pictures(std::vector{again}).values, first.values);
  EXPECT_FALSE(is_known(picture(vectors, "2", reads)));  // the file has changed
  EXPECT_FALSE(is_known(vectors.text("p")));
}

TEST_F(Fixed, TrunksAreKeptUnderNamesOfTheirOwn) {
  const FixedVectors trunks(model_, {.trunks_of_texts = true});
  const VectorBatch batch = trunks.texts(std::vector{trunks.text("a dog")});
  EXPECT_EQ(batch.stage, VectorStage::text_trunk);
  EXPECT_EQ(batch.values, model_->engine().text_trunks(std::vector{model_->prepare_text("a dog", {})}));
  EXPECT_NE(batch.values, expected("a dog"));
  EXPECT_NE(trunks.text("a dog").key, FixedVectors(model_, {}).text("a dog").key);
  EXPECT_TRUE(is_known(trunks.text("a dog")));
}

TEST_F(Fixed, TheMemoryIsBounded) {
  const FixedVectors vectors(model_, {.memory_bytes = 1});
  vectors.texts(std::vector{vectors.text("a dog")});
  EXPECT_FALSE(is_known(vectors.text("a dog")));
}

TEST_F(Fixed, AFileKeepsThemForAnotherRun) {
  const testing::TemporaryDirectory folder;
  const FixedVectorsOptions options{.file = folder.path() / "vectors.sqlite"};
  const VectorBatch first = [&] {
    const FixedVectors vectors(model_, options);
    return vectors.texts(std::vector{vectors.text("a dog")});
  }();
  const FixedVectors vectors(model_, options);
  const FixedItem again = vectors.text("a dog");
  ASSERT_TRUE(is_known(again));
  EXPECT_EQ(std::get<std::vector<float>>(again.content), first.values);
}

TEST_F(Fixed, APictureThatDoesNotDecodeIsItsError) {
  const FixedVectors vectors(model_, {});
  const std::string broken = picture_.substr(0, picture_.size() / 2);
  MOA_EXPECT_ERROR(vectors.picture("p", "1", [&] { return as_bytes(broken); }), corrupt_data);
}

}  // namespace
}  // namespace moa::train
