// The ids and texts of the reference on every line of a hard corpus (tests/parity/tokenizers_goldens.py).
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "text/clip_files.hpp"
#include "text/golden_files.hpp"
#include "text/tokenizer.hpp"

namespace moa {
namespace {

void expect_golden(const Tokenizer& tokenizer, const std::string& name) {
  const std::vector<std::string> texts = corpus();
  ASSERT_GE(texts.size(), 5000u);
  const std::string ids_golden = read_golden_file(name + ".ids");
  const std::string decoded_golden = read_golden_file(name + ".decoded");
  ASSERT_EQ(ids_golden.size(), texts.size() * 8);
  std::size_t different_ids = 0;
  std::size_t different_texts = 0;
  for (std::size_t line = 0; line < texts.size(); ++line) {
    const std::vector<std::int32_t> ids = tokenizer.tokenize(texts[line], 1 << 30).ids;
    if (digest(ids) != golden(ids_golden, line)) {
      if (++different_ids <= 3) {
        ADD_FAILURE() << name << " line " << line << ": " << texts[line].substr(0, 300) << "\nids "
                      << shown(ids);
      }
    } else if (digest(tokenizer.decode(ids)) != golden(decoded_golden, line) && ++different_texts <= 3) {
      ADD_FAILURE() << name << " line " << line << ": decoded to " << tokenizer.decode(ids).substr(0, 300);
    }
  }
  EXPECT_EQ(different_ids, 0u) << "of " << texts.size();
  EXPECT_EQ(different_texts, 0u) << "of " << texts.size();
}

class GoldenIds : public testing::TestWithParam<const char*> {};

TEST_P(GoldenIds, EqualTheReferenceOnEveryLine) {
  TokenizerFiles files;
  files.tokenizer_json = read_golden_file(std::string(GetParam()) + ".json");
  expect_golden(Tokenizer::load(files), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Families, GoldenIds,
                         testing::Values("bert_uncased", "bert_cased", "unigram", "unigram_bytes", "roberta",
                                         "llama3", "llama", "llama_metaspace", "gemma", "words", "subwords"),
                         [](const auto& test) { return std::string(test.param); });

TEST(ClipTokenizer, EqualsTheReferenceOnEveryLine) {
  expect_golden(Tokenizer::load(clip_tokenizer_json_files()), "clip");
}

TEST(ClipTokenizer, FromVocabularyAndMergesEqualsTheReferenceToo) {
  expect_golden(Tokenizer::load(clip_vocabulary_files()), "clip");
}

TEST(ClipTokenizer, FromOpenAisListOfMergesEqualsTheReferenceToo) {
  TokenizerFiles files;
  files.openai_merges = clip_vocabulary_files().merges_txt + "more merges\nthan are\ntaken\n";
  expect_golden(Tokenizer::load(files), "clip");
}

TEST(MoaMiniTokenizer, EqualsTheReferenceOnEveryLine) {
  const auto path = std::filesystem::path(MOA_SOURCE_DIR) / "models" / "moa-mini" / "tokenizer.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the bundled model is not there";
  TokenizerFiles files;
  files.tokenizer_json = read_file(path, 64 << 20);
  expect_golden(Tokenizer::load(files), "moa_mini");
}

}  // namespace
}  // namespace moa
