#include "checkpoint/model_card.hpp"

#include <gtest/gtest.h>

namespace moa {
namespace {

TEST(ModelCard, StatesItsLicence) {
  EXPECT_EQ(licence_of_model_card("---\ntags:\n- vision\nlicense: mit\n---\n# Model"), "mit");
  EXPECT_EQ(licence_of_model_card("---\r\nlicense: \"apache-2.0\"\r\n---\r\n"), "apache-2.0");
  EXPECT_EQ(licence_of_model_card("---\nlicense:\n- cc-by-4.0\n- mit\n---\n"), "cc-by-4.0");
  EXPECT_EQ(licence_of_model_card("---\nlicense: [mit]\n---\n"), "mit");
}

TEST(ModelCard, StatesNoLicenceOutsideItsFrontMatter) {
  EXPECT_EQ(licence_of_model_card(""), std::nullopt);
  EXPECT_EQ(licence_of_model_card("license: mit\n"), std::nullopt);
  EXPECT_EQ(licence_of_model_card("---\ntags: x\n---\nlicense: mit\n"), std::nullopt);
  EXPECT_EQ(licence_of_model_card("---\nlicense:\n---\n"), std::nullopt);
  EXPECT_EQ(licence_of_model_card("---\nlicense: " + std::string(101, 'x') + "\n---\n"), std::nullopt);
}

}  // namespace
}  // namespace moa
