// Models of SentencePiece, MPNet and pairs of texts (tests/parity/sentencepiece_goldens.py).
#include "text/sentencepiece_model.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/config.hpp"
#include "base/expect_error.hpp"
#include "text/golden_files.hpp"
#include "text/tokenizer.hpp"

namespace moa {
namespace {

void expect_ids(const std::string& name,
                const std::function<std::vector<std::int32_t>(const std::string&)>& ids_of) {
  const std::vector<std::string> texts = corpus();
  const std::string expected = read_golden_file(name + ".ids");
  ASSERT_EQ(expected.size(), texts.size() * 8);
  std::size_t different = 0;
  for (std::size_t line = 0; line < texts.size(); ++line) {
    const std::vector<std::int32_t> ids = ids_of(texts[line]);
    if (digest(ids) != golden(expected, line) && ++different <= 3) {
      ADD_FAILURE() << name << " line " << line << ": " << texts[line].substr(0, 300) << "\nids "
                    << shown(ids);
    }
  }
  EXPECT_EQ(different, 0u) << "of " << texts.size();
}

class SentencePieceGolden : public testing::TestWithParam<const char*> {};

TEST_P(SentencePieceGolden, EqualsTheReferenceOnEveryLine) {
  const std::string name = std::string("spm_") + GetParam();
  const std::string bytes = read_golden_file(name + ".model");
  const auto model = make_sentencepiece(SentencePieceFile::parse(bytes, name), {});
  expect_ids(name, [&](const std::string& text) {
    std::vector<std::int32_t> ids;
    model->tokenize(text, ids);
    return ids;
  });
}

INSTANTIATE_TEST_SUITE_P(Models, SentencePieceGolden,
                         testing::Values("unigram", "suffix", "bpe", "bpe_prefix"),
                         [](const auto& test) { return std::string(test.param); });

std::string config_of(const std::string& class_name) {
  return R"({"tokenizer_class": ")" + class_name + "\"}";
}

void expect_class(const std::string& name, const TokenizerFiles& files) {
  const Tokenizer tokenizer = Tokenizer::load(files);
  expect_ids(name, [&](const std::string& text) { return tokenizer.tokenize(text, 1 << 30).ids; });
}

TEST(SiglipTokenizer, FromASentencePieceModelEqualsTheReferenceOnEveryLine) {
  TokenizerFiles files;
  files.tokenizer_config_json = config_of("SiglipTokenizer");
  files.spiece_model = read_golden_file("spm_unigram.model");
  expect_class("siglip", files);
}

TEST(T5Tokenizer, FromASentencePieceModelEqualsTheReferenceOnEveryLine) {
  TokenizerFiles files;
  files.tokenizer_config_json = config_of("T5TokenizerFast");
  files.spiece_model = read_golden_file("spm_unigram.model");
  expect_class("t5", files);
}

TEST(XlmRobertaTokenizer, FromASentencePieceModelEqualsTheReferenceOnEveryLine) {
  TokenizerFiles files;
  files.sentencepiece_bpe_model = read_golden_file("spm_unigram.model");
  expect_class("xlm_roberta", files);
}

TEST(MpnetTokenizer, FromVocabularyAloneEqualsTheReferenceOnEveryLine) {
  TokenizerFiles files;
  files.vocab_txt = read_golden_file("mpnet_vocab.txt");
  expect_class("mpnet", files);
}

TEST(DistilBertTokenizer, FromVocabularyAloneEqualsTheReferenceOnEveryLine) {
  TokenizerFiles files;
  files.tokenizer_config_json = config_of("DistilBertTokenizer");
  files.vocab_txt = read_golden_file("distilbert_vocab.txt");
  expect_class("bert_uncased", files);
}

TEST(RobertaTokenizer, FromVocabularyAndMergesEqualsTheReferenceOnEveryLine) {
  TokenizerFiles files;
  files.vocab_json = read_golden_file("roberta_vocab.json");
  files.merges_txt = read_golden_file("roberta_merges.txt");
  expect_class("roberta", files);
}

TEST(SiglipTokenizer, KeepsAnEndThatIsThereAlready) {
  TokenizerFiles files;
  files.tokenizer_config_json = config_of("SiglipTokenizer");
  files.spiece_model = read_golden_file("spm_unigram.model");
  const Tokenizer tokenizer = Tokenizer::load(files);
  EXPECT_EQ(tokenizer.tokenize("").ids, std::vector<std::int32_t>{1});
  EXPECT_EQ(tokenizer.tokenize("a dog </s>").ids, tokenizer.tokenize("A dog!").ids);
  EXPECT_EQ(tokenizer.tokenize(std::string(300, 'q'), 64).ids.size(), 64u);
  EXPECT_EQ(tokenizer.pad_id(), 1);
}

TEST(SiglipTokenizer, AsksSentencePieceEvenWhereThereIsATokenizerJson) {
  TokenizerFiles files;
  files.tokenizer_json = read_golden_file("bert_uncased.json");
  files.spiece_model = read_golden_file("spm_unigram.model");
  EXPECT_EQ(Tokenizer::load(files).description().model, "WordPiece");
  files.tokenizer_config_json = config_of("SiglipTokenizer");
  EXPECT_EQ(Tokenizer::load(files).description().model, "SentencePiece unigram");
}

TEST(LanguageModelTokenizer, PutsItsBeginningBeforeWhatSentencePieceSays) {
  TokenizerFiles files;
  files.tokenizer_config_json = config_of("LlamaTokenizer");
  files.tokenizer_model = read_golden_file("spm_bpe.model");
  const Tokenizer tokenizer = Tokenizer::load(files);
  const auto model = make_sentencepiece(SentencePieceFile::parse(files.tokenizer_model, "test"), {});
  for (const std::string text : {"The quick brown fox", "강아지 犬 뷁", "  two  spaces "}) {
    std::vector<std::int32_t> expected{1};
    model->tokenize(text, expected);
    EXPECT_EQ(tokenizer.tokenize(text).ids, expected) << text;
    EXPECT_EQ(tokenizer.decode(expected), text.front() == ' ' ? text.substr(1) : text);
  }
}

TEST(Pairs, EqualTheReferences) {
  const Config golden = Config::parse(read_golden_file("pairs.json"), "pairs.json");
  std::string loaded;
  std::optional<Tokenizer> tokenizer;
  std::size_t compared = 0;
  for (const Config& pair : golden.objects("cases")) {
    const std::string name = pair.string("tokenizer", "");
    if (name != loaded) {
      TokenizerFiles files;
      files.tokenizer_json = read_golden_file(name + ".json");
      tokenizer = Tokenizer::load(files);
      loaded = name;
    }
    const auto numbers = [&](const char* key) {
      std::vector<std::int32_t> ids;
      for (const double number : pair.numbers(key, {})) ids.push_back(static_cast<std::int32_t>(number));
      return ids;
    };
    const Tokenized found = tokenizer->tokenize_pair(pair.string("first", ""), pair.string("second", ""),
                                                     static_cast<std::size_t>(pair.integer("max_length", 0)));
    EXPECT_EQ(found.ids, numbers("ids")) << pair.dump();
    EXPECT_EQ(found.type_ids, numbers("type_ids")) << pair.dump();
    ++compared;
  }
  EXPECT_GT(compared, 200u);
}

TEST(Pairs, FollowTheModelWhereNoTokenizerJsonSaysHow) {
  TokenizerFiles files;
  files.vocab_txt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n";
  const Tokenized bert = Tokenizer::load(files).tokenize_pair("a", "b b");
  EXPECT_EQ(bert.ids, (std::vector<std::int32_t>{2, 4, 3, 5, 5, 3}));
  EXPECT_EQ(bert.type_ids, (std::vector<std::int32_t>{0, 0, 0, 1, 1, 1}));
  files.vocab_txt = "<s>\n<pad>\n</s>\n[UNK]\na\nb\n";
  const Tokenized mpnet = Tokenizer::load(files).tokenize_pair("a", "b");
  EXPECT_EQ(mpnet.ids, (std::vector<std::int32_t>{0, 4, 2, 2, 5, 2}));
  files = {};
  files.tokenizer_config_json = config_of("LlamaTokenizer");
  files.tokenizer_model = read_golden_file("spm_bpe.model");
  MOA_EXPECT_ERROR(Tokenizer::load(files).tokenize_pair("a", "b"), unsupported);
}

}  // namespace
}  // namespace moa
