#include "embed/open_clip_texts.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

using Clean = OpenClipTexts::Clean;
using Layout = ModelDirectory::Layout;

OpenClipTexts read(const std::string& text_cfg) {
  return OpenClipTexts::read(
      Layout::open_clip,
      Config::parse(R"({"model_cfg": {"text_cfg": )" + text_cfg + "}}", "open_clip_config.json"));
}

TEST(OpenClipTexts, FollowTheTokenizersOptions) {
  EXPECT_EQ(read("{}").clean, Clean::lower);
  EXPECT_EQ(read(R"({"hf_tokenizer_name": "xlm-roberta-base"})").clean, Clean::whitespace);
  EXPECT_EQ(read(R"({"tokenizer_kwargs": {"clean": "canonicalize"}})").clean, Clean::canonicalize);
  EXPECT_EQ(read(R"({"tokenizer_kwargs": {"clean": "whitespace"}})").clean, Clean::whitespace);
  EXPECT_TRUE(read(R"({"tokenizer_kwargs": {"strip_sep_token": true}})").strips_separator);
}

TEST(OpenClipTexts, AreCleanedOnlyWhereOpenClipOrOpenAiWouldCleanThem) {
  const std::string dirty = "IT’S  A &lt;DOG&gt;";
  EXPECT_EQ(OpenClipTexts::read(Layout::transformers, Config()).applied_to(dirty), dirty);
  EXPECT_EQ(OpenClipTexts::read(Layout::sentence_transformers, Config()).applied_to(dirty), dirty);
  EXPECT_EQ(OpenClipTexts::read(Layout::openai, Config()).applied_to(dirty), "it's a <dog>");
  EXPECT_EQ(read(R"({"hf_tokenizer_name": "x"})").applied_to(dirty), "IT'S A <DOG>");
}

TEST(OpenClipTexts, RefuseWhatTheyDoNotKnow) {
  MOA_EXPECT_ERROR(read(R"({"tokenizer_kwargs": {"clean": "twice"}})"), unsupported);
  MOA_EXPECT_ERROR(read(R"({"tokenizer_kwargs": {"language": "en"}})"), unsupported);
}

}  // namespace
}  // namespace moa
