// What open_clip makes of texts before it tokenizes them, on every line of two corpora
// (tests/parity/open_clip_texts.py).
#include "text/mended_text.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "text/golden_files.hpp"
#include "text/html_entities.hpp"
#include "text/mojibake.hpp"
#include "text/tokenizer.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

std::vector<std::string> all_texts() {
  std::vector<std::string> texts = corpus();
  for (std::string& text : texts_of("dirty.bin")) texts.push_back(std::move(text));
  return texts;
}

void expect_equal(const std::string& name, const std::function<std::string(const std::string&)>& change) {
  const std::vector<std::string> texts = all_texts();
  const std::string expected = read_golden_file(name);
  ASSERT_EQ(expected.size(), texts.size() * 8);
  std::size_t different = 0;
  for (std::size_t line = 0; line < texts.size(); ++line) {
    const std::string changed = change(texts[line]);
    if (digest(changed) != golden(expected, line) && ++different <= 3) {
      ADD_FAILURE() << name << " line " << line << ": " << texts[line].substr(0, 300) << "\ngives "
                    << changed;
    }
  }
  EXPECT_EQ(different, 0u) << "of " << texts.size();
}

TEST(MendedText, EqualsFtfyOnEveryLine) {
  expect_equal("mended.texts", [](const std::string& text) { return mended(text); });
}

TEST(CleanedText, EqualsOpenClipOnEveryLine) {
  expect_equal("clean_whitespace.texts", [](const std::string& text) { return cleaned(text); });
}

TEST(CleanedText, InLowerCaseEqualsOpenClipOnEveryLine) {
  expect_equal("clean_lower.texts", [](const std::string& text) { return lower_in_context(cleaned(text)); });
}

TEST(CanonicalText, EqualsOpenClipOnEveryLine) {
  expect_equal("clean_canonicalize.texts", [](const std::string& text) { return canonicalized(text); });
}

TEST(CanonicalText, HasWordsWithoutPunctuation) {
  EXPECT_EQ(canonicalized(" A photo, of_a  {DOG}!\n"), "a photo of a dog");
  EXPECT_EQ(canonicalized("it's 3\u00a0km -- «Größe» 강아지"), "its 3 km «größe» 강아지");
  EXPECT_EQ(canonicalized("ΣΊΣΥΦΟΣ! ΟΔΟΣ_Σ ΣΑΣ"), "σίσυφος οδος σ σας");
  EXPECT_EQ(canonicalized("?!"), "");
}

using Prepare = std::function<std::vector<std::int32_t>(const std::string&)>;

void expect_ids(const std::string& name, const Prepare& tokenize) {
  const std::vector<std::string> texts = all_texts();
  const std::string expected = read_golden_file(name);
  ASSERT_EQ(expected.size(), texts.size() * 8);
  std::size_t different = 0;
  for (std::size_t line = 0; line < texts.size(); ++line) {
    const std::vector<std::int32_t> ids = tokenize(texts[line]);
    if (digest(ids) != golden(expected, line) && ++different <= 3) {
      ADD_FAILURE() << name << " line " << line << ": " << texts[line].substr(0, 300) << "\nids "
                    << shown(ids);
    }
  }
  EXPECT_EQ(different, 0u) << "of " << texts.size();
}

class TextsOfTransformersTowers : public testing::TestWithParam<const char*> {};

TEST_P(TextsOfTransformersTowers, GetTheIdsOfOpenClipsTokenizerOnEveryLine) {
  TokenizerFiles files;
  files.tokenizer_json = read_golden_file(std::string(GetParam()) + ".json");
  const Tokenizer tokenizer = Tokenizer::load(files);
  expect_ids(std::string("open_clip_") + GetParam() + ".ids",
             [&](const std::string& text) { return tokenizer.tokenize(cleaned(text), 77).ids; });
}

INSTANTIATE_TEST_SUITE_P(Families, TextsOfTransformersTowers,
                         testing::Values("roberta", "unigram", "bert_uncased"),
                         [](const auto& test) { return std::string(test.param); });

TEST(MendedText, IsMendedAsItsDocumentationSays) {
  EXPECT_EQ(mended("âœ” No problems"), "✔ No problems");
  EXPECT_EQ(mended("&macr;\\_(ã\u0083\u0084)_/&macr;"), "¯\\_(ツ)_/¯");
  EXPECT_EQ(mended("Broken text&hellip; it&#x2019;s ﬂubberiﬁc!"), "Broken text… it's flubberific!");
  EXPECT_EQ(mended("ＬＯＵＤ　ＮＯＩＳＥＳ"), "LOUD NOISES");
  EXPECT_EQ(mended("\x1b[36;44mcolours\x1b[0m\r\nand\u2028lines\x07"), "colours\nand\nlines");
}

TEST(MendedText, LeavesReferencesInTextsWithTagsFromThatLineOn) {
  EXPECT_EQ(mended("&lt;\n<b>&lt;\n&lt;"), "<\n<b>&lt;\n&lt;");
}

TEST(MendedText, OfReferencesWithoutEndTakesBoundedTime) {
  std::string text = "&";
  for (int i = 0; i < 20'000; ++i) text += "amp;";
  EXPECT_EQ(mended(text).size(), text.size() - 64 * std::string("amp;").size());
}

TEST(Html, IsUnescapedAsBrowsersReadIt) {
  EXPECT_EQ(unescape_html("&ampx &lt;&gt &notit; &#150; &#xD800; &#1; &#x110000; &nosuch; &"),
            "&x <> ¬it; – \ufffd  \ufffd &nosuch; &");
  EXPECT_EQ(unescape_closed_html("P&EACUTE;REZ &amp;amp; this&not that &#59; &GTDOT;"),
            "PÉREZ &amp; this&not that &#59; &GTDOT;");
}

TEST(Mojibake, IsTakenForTextThatIsMeantWhereItMayBe) {
  for (const char* text : {"naïve café à la mode", "½ + ¼", "Å", "강아지", "£5 «ça»", "ヽ(ó_ò)ノ"}) {
    EXPECT_FALSE(looks_like_mojibake(text)) << text;
    EXPECT_EQ(mend_mojibake(text), text);
  }
  EXPECT_EQ(mend_mojibake("sÃ³"), "só");
  EXPECT_EQ(mend_mojibake("Ã la mode"), "à la mode");
  EXPECT_EQ(mend_mojibake("â€œ like this â€\ufffd"), "“ like this \ufffd");
}

}  // namespace
}  // namespace moa
