#include "embed/open_clip_texts.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

OpenClipTexts read(const std::string& kwargs) {
  return OpenClipTexts::read(Config::parse(
      R"({"model_cfg": {"text_cfg": {"tokenizer_kwargs": )" + kwargs + "}}}", "open_clip_config.json"));
}

TEST(OpenClipTexts, AreCanonicalAsTheReferenceMakesThem) {
  EXPECT_EQ(canonicalized(" A photo, of_a  {DOG}!\n"), "a photo of a dog");
  EXPECT_EQ(canonicalized("it's 3\u00a0km -- «Größe» 강아지。"), "its 3 km «größe» 강아지。");
  EXPECT_EQ(canonicalized("a\x1c"
                          "b"),
            "a b");
  EXPECT_EQ(canonicalized("ΣΊΣΥΦΟΣ! ΟΔΟΣ_Σ ΣΑΣ"), "σίσυφος οδος σ σας");
  EXPECT_EQ(canonicalized("?!"), "");
}

TEST(OpenClipTexts, FollowTheTokenizersOptions) {
  EXPECT_FALSE(OpenClipTexts::read(Config()).canonicalizes);
  EXPECT_TRUE(read(R"({"clean": "canonicalize"})").canonicalizes);
  EXPECT_FALSE(read(R"({"clean": "lower"})").canonicalizes);
  EXPECT_TRUE(read(R"({"strip_sep_token": true})").strips_separator);
}

TEST(OpenClipTexts, RefuseWhatTheyDoNotKnow) {
  MOA_EXPECT_ERROR(read(R"({"clean": "twice"})"), unsupported);
  MOA_EXPECT_ERROR(read(R"({"language": "en"})"), unsupported);
}

}  // namespace
}  // namespace moa
