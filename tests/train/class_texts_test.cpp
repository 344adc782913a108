// What stands for classes while they are learned.
#include "train/class_texts.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa::train {
namespace {

class ClassTextsOfAModel : public ::testing::Test {
 protected:
  std::shared_ptr<const LoadedModel> model_ =
      LoadedModel::load(MOA_TEST_DATA "/golden/clip/odd_sizes", {.dtype = "f32"});
};

TEST_F(ClassTextsOfAModel, StandClassByClassInEachTemplate) {
  const ClassTexts classes(*model_, {"dog", "cat"}, {"a {}", "{}s"});
  EXPECT_EQ(classes.texts(), (std::vector<std::string>{"a dog", "dogs", "a cat", "cats"}));
  EXPECT_EQ(classes.texts_a_class(), 2u);
  EXPECT_EQ(classes.ids().at(3), model_->prepare_text("cats", {}).ids);
}

// The vectors take the place of words: with too many of them every class is the same text.
TEST_F(ClassTextsOfAModel, WithoutRoomForTheirNamesAreRefused) {
  const std::size_t most = model_->longest_text();
  EXPECT_NO_THROW(ClassTexts(*model_, {"dog", "cat", "boat"}, {"{}."}, most / 2));
  try {
    ClassTexts(*model_, {"dog", "cat", "boat"}, {"{}."}, most - 2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("'dog' and 'cat'"), std::string::npos) << error.what();
  }
}

TEST_F(ClassTextsOfAModel, ThatTheTokenizerTakesForOneAreRefused) {
  MOA_EXPECT_ERROR(ClassTexts(*model_, {"dog", "cat", "Dog"}, {"a {}", "{}s"}), invalid_argument);
  const std::string words = "a very long text before the name that fills the context to its end and beyond ";
  // Told apart by one template, they are two.
  EXPECT_NO_THROW(ClassTexts(*model_, {"dog", "cat"}, {words + words + "{}", "{}s"}));
}

}  // namespace
}  // namespace moa::train
