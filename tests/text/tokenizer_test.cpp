// What Tokenizer promises beside the ids themselves.
#include <gtest/gtest.h>

#include <moa/error.hpp>
#include <thread>
#include <vector>

#include "text/clip_files.hpp"
#include "text/tokenizer.hpp"

namespace moa {
namespace {

using Ids = std::vector<std::int32_t>;

const Tokenizer& clip() {
  static const Tokenizer tokenizer = Tokenizer::load(clip_tokenizer_json_files());
  return tokenizer;
}

Tokenizer from_json(std::string json) {
  TokenizerFiles files;
  files.tokenizer_json = std::move(json);
  return Tokenizer::load(files);
}

TEST(Tokenizer, PutsTheTemplateAroundTheText) {
  EXPECT_EQ(clip().tokenize("a photo of a dog").ids, (Ids{49406, 320, 1125, 539, 320, 1929, 49407}));
  EXPECT_EQ(clip().tokenize("").ids, (Ids{49406, 49407}));
}

TEST(Tokenizer, TruncatesTheTextAndKeepsTheTemplate) {
  const Tokenized tokenized = clip().tokenize("a photo of a dog", 5);
  EXPECT_EQ(tokenized.ids, (Ids{49406, 320, 1125, 539, 49407}));
  EXPECT_EQ(tokenized.full_length, 7u);
  EXPECT_TRUE(tokenized.truncated);
  EXPECT_FALSE(clip().tokenize("a photo of a dog", 7).truncated);
  EXPECT_EQ(clip().tokenize("a photo", 2).ids, (Ids{49406, 49407}));
}

TEST(Tokenizer, TakesItsLimitFromTheConfig) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "dog ";
  EXPECT_EQ(clip().tokenize(text).ids.size(), 77u);
  EXPECT_EQ(clip().description().max_length, 77u);
}

TEST(Tokenizer, TakesNoLimitFromTheReferencesWayToSayNone) {
  TokenizerFiles files = clip_tokenizer_json_files();
  files.tokenizer_config_json = R"({"model_max_length": 1000000000000000019884624838656})";
  EXPECT_EQ(Tokenizer::load(files).description().max_length, 0u);
}

TEST(Tokenizer, RefusesALimitThatTheTemplateAloneExceeds) {
  try {
    clip().tokenize("a dog", 1);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

TEST(Tokenizer, KnowsItsVocabulary) {
  EXPECT_EQ(clip().vocabulary_size(), 49408u);
  EXPECT_EQ(clip().id_of("<|endoftext|>"), 49407);
  EXPECT_EQ(clip().id_of("no such token"), std::nullopt);
  EXPECT_EQ(clip().token_of(1929), "dog</w>");
  EXPECT_EQ(clip().token_of(-1), "");
  EXPECT_EQ(clip().token_of(1 << 30), "");
  EXPECT_EQ(clip().pad_id(), 49407);
  EXPECT_EQ(clip().description().model, "BPE");
}

TEST(Tokenizer, DecodesWithAndWithoutSpecialTokens) {
  const Ids ids = clip().tokenize("a photo of a dog").ids;
  EXPECT_EQ(clip().decode(ids), "a photo of a dog");
  EXPECT_EQ(clip().decode(ids, true), "<|startoftext|>a photo of a dog <|endoftext|>");
  EXPECT_EQ(clip().decode(Ids{-7, 999'999'999}), "");
}

TEST(Tokenizer, ReadsPaddingFacts) {
  const Tokenizer tokenizer = from_json(
      R"({"padding":{"strategy":{"Fixed":64},"direction":"Left","pad_id":1,"pad_type_id":2,"pad_token":"p"},
          "model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"p":1}}})");
  EXPECT_EQ(tokenizer.padding().id, 1);
  EXPECT_EQ(tokenizer.padding().type_id, 2);
  EXPECT_EQ(tokenizer.padding().fixed_length, 64u);
  EXPECT_TRUE(tokenizer.padding().left);
}

TEST(Tokenizer, TruncatesFromTheLeftWhereTheFileSaysSo) {
  const Tokenizer tokenizer = from_json(
      R"({"truncation":{"max_length":2,"direction":"Left","strategy":"LongestFirst","stride":0},"pre_tokenizer":{"type":"Whitespace"},
          "model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1,"b":2,"c":3}}})");
  EXPECT_EQ(tokenizer.tokenize("a b c").ids, (Ids{2, 3}));
}

TEST(Tokenizer, GivesTypeIdsAsTheTemplateSays) {
  const Tokenizer tokenizer = from_json(
      R"({"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":3}},{"Sequence":{"id":"A","type_id":1}}],
          "special_tokens":{"x":{"id":"x","ids":[2,0],"tokens":["x","u"]}}},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1,"x":2}}})");
  const Tokenized tokenized = tokenizer.tokenize("a");
  EXPECT_EQ(tokenized.ids, (Ids{2, 0, 1}));
  EXPECT_EQ(tokenized.type_ids, (Ids{3, 3, 1}));
}

TEST(Tokenizer, LowersWhereTheClassDoesItInCode) {
  const auto ids = [](const std::string& config) {
    TokenizerFiles files;
    files.tokenizer_json = R"({"added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0, "A": 1},
                               "merges": []}})";
    files.tokenizer_config_json = config;
    return Tokenizer::load(files).tokenize("aA").ids;
  };
  EXPECT_EQ(ids(R"({"tokenizer_class": "Siglip2Tokenizer"})"), (Ids{0, 0}));
  EXPECT_EQ(ids(R"({"tokenizer_class": "GemmaTokenizerFast", "do_lower_case": true})"), (Ids{0, 0}));
  EXPECT_EQ(ids(R"({"tokenizer_class": "GemmaTokenizer"})"), (Ids{0, 1}));
  EXPECT_EQ(ids(R"({"tokenizer_class": "BertTokenizer", "do_lower_case": true})"), (Ids{0, 1}));
}

// tokenizer.json lowers, strips accents and parts Chinese characters.
Ids bert_ids(const std::string& config) {
  TokenizerFiles files;
  files.tokenizer_json = R"({"added_tokens": [], "normalizer": {"type": "BertNormalizer", "clean_text": true,
      "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
      "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": {"type": "ByteLevel"}, "model": {"type": "WordPiece", "unk_token": "?",
      "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
      "vocab": {"?": 0, "dog": 1, "Dog": 2, "caf\u00e9": 3, "cafe": 4, "\u4e2d": 5, "\u4e2d\u4e2d": 6}}})";
  files.tokenizer_config_json = config;
  return Tokenizer::load(files).tokenize("Dog café 中中").ids;
}

TEST(Tokenizer, BertsClassesNormalizeAsTheirConfigSays) {
  EXPECT_EQ(bert_ids(R"({"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false})"),
            (Ids{1, 4, 5, 5}));
  EXPECT_EQ(bert_ids("{}"), (Ids{1, 4, 5, 5}));
  for (const std::string name :
       {"BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "MPNetTokenizer"}) {
    const std::string begin = R"({"tokenizer_class": ")" + name + R"(")";
    EXPECT_EQ(bert_ids(begin + "}"), (Ids{1, 4, 5, 5}));
    EXPECT_EQ(bert_ids(begin + R"(, "do_lower_case": false})"), (Ids{2, 3, 5, 5}));
    EXPECT_EQ(bert_ids(begin + R"(, "do_lower_case": false, "strip_accents": true})"), (Ids{2, 4, 5, 5}));
    EXPECT_EQ(bert_ids(begin + R"(, "strip_accents": false})"), (Ids{1, 3, 5, 5}));
    EXPECT_EQ(bert_ids(begin + R"(, "tokenize_chinese_chars": false})"), (Ids{1, 4, 6}));
  }
  EXPECT_EQ(bert_ids(R"({"do_lower_case": false})"), (Ids{2, 3, 5, 5}));
}

TEST(Tokenizer, RobertasClassPutsASpaceBeforeTextsIfItsConfigSaysSo) {
  const auto ids = [](bool in_json, const std::string& config) {
    TokenizerFiles files;
    files.tokenizer_json =
        R"({"added_tokens": [], "post_processor": {"type": "ByteLevel"},
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": )" +
        std::string(in_json ? "true" : "false") +
        R"(}, "model": {"type": "BPE", "vocab": {"a": 0, "\u0120": 1}, "merges": []}})";
    files.tokenizer_config_json = config;
    return Tokenizer::load(files).tokenize("a").ids;
  };
  EXPECT_EQ(ids(false, R"({"tokenizer_class": "RobertaTokenizer", "add_prefix_space": true})"), (Ids{1, 0}));
  EXPECT_EQ(ids(true, R"({"tokenizer_class": "RobertaTokenizerFast", "add_prefix_space": false})"), (Ids{0}));
  EXPECT_EQ(ids(true, R"({"tokenizer_class": "RobertaTokenizer"})"), (Ids{0}));
  EXPECT_EQ(ids(true, R"({"add_prefix_space": false})"), (Ids{1, 0}));
}

TEST(Tokenizer, ClassesAddTheirTemplateWhereThereIsNone) {
  const auto ids = [](const std::string& name, const std::string& tokens) {
    TokenizerFiles files;
    files.tokenizer_json = R"({"added_tokens": [], "post_processor": null, "model": {"type": "WordPiece",
        "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9,
        "vocab": {"?": 0, "dog": 1, )" +
                           tokens + "}}}";
    files.tokenizer_config_json = R"({"tokenizer_class": ")" + name + R"("})";
    return Tokenizer::load(files).tokenize("dog").ids;
  };
  const std::string bert = R"("[CLS]": 2, "[SEP]": 3)";
  EXPECT_EQ(ids("BertTokenizer", bert), (Ids{2, 1, 3}));
  EXPECT_EQ(ids("MPNetTokenizer", R"("<s>": 2, "</s>": 3)"), (Ids{2, 1, 3}));
  EXPECT_EQ(ids("PreTrainedTokenizerFast", bert), (Ids{1}));
  EXPECT_THROW(ids("BertTokenizer", R"("a": 2)"), Error);
}

TEST(Tokenizer, XlmRobertasClassPartsTextsAtWhiteSpace) {
  const auto ids = [](const std::string& name) {
    TokenizerFiles files;
    files.tokenizer_json = R"({"added_tokens": [], "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Replace", "pattern": {"String": "dog"}, "content": "cat"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
        "post_processor": {"type": "ByteLevel"}, "model": {"type": "Unigram", "unk_id": 0,
        "vocab": [["<unk>", 0], ["\u2581dog", -1], ["\u2581cat", -1], ["\u2581", -2]]}})";
    files.tokenizer_config_json = R"({"tokenizer_class": ")" + name + R"("})";
    return Tokenizer::load(files).tokenize("dog ").ids;
  };
  EXPECT_EQ(ids("XLMRobertaTokenizerFast"), (Ids{1}));
  EXPECT_EQ(ids("PreTrainedTokenizerFast"), (Ids{2, 3}));
}

TEST(Tokenizer, TokensThatTheFilesBesideNameAreAdded) {
  TokenizerFiles files;
  files.tokenizer_json = R"({"added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model":
      {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "dog": 1, "pad": 2}}})";
  const auto ids = [&] { return Tokenizer::load(files).tokenize("dog<a>pad<b>").ids; };
  EXPECT_EQ(ids(), (Ids{1, 0, 0, 0, 2, 0, 0, 0}));
  files.tokenizer_config_json = R"({"extra_special_tokens": ["<a>"], "additional_special_tokens":
                                    [{"content": "<b>"}]})";
  EXPECT_EQ(ids(), (Ids{1, 3, 2, 4}));
  files.tokenizer_config_json =
      R"({"added_tokens_decoder": {"4": {"content": "<a>"}, "3": {"content": "<b>"}},
                                    "pad_token": "pad"})";
  EXPECT_EQ(ids(), (Ids{1, 4, 2, 3}));
  files.tokenizer_config_json.clear();
  files.added_tokens_json = R"({"<b>": 4, "<a>": 3})";
  EXPECT_EQ(ids(), (Ids{1, 3, 2, 4}));
}

TEST(Tokenizer, IsTheSameFromManyThreads) {
  const Ids expected = clip().tokenize("두 마리의 강아지 <|endoftext|> and 12 cats").ids;
  std::vector<Ids> found(4);
  std::vector<std::thread> threads;
  for (Ids& ids : found) {
    threads.emplace_back([&ids] {
      for (int i = 0; i < 200; ++i) ids = clip().tokenize("두 마리의 강아지 <|endoftext|> and 12 cats").ids;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

TEST(VocabularyFiles, OfBertWork) {
  TokenizerFiles files;
  files.vocab_txt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##able\ndog\n";
  EXPECT_EQ(Tokenizer::load(files).tokenize("Unable DÓG [MASK] cat").ids, (Ids{2, 5, 6, 7, 4, 1, 3}));
  files.tokenizer_config_json = R"({"do_lower_case": false})";
  EXPECT_EQ(Tokenizer::load(files).tokenize("Unable dog").ids, (Ids{2, 1, 7, 3}));
}

TEST(VocabularyFiles, TakeTokensOfAddedTokensJsonByTheirOrderOfIds) {
  TokenizerFiles files;
  files.vocab_txt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ndog\n";
  files.added_tokens_json = R"({"<two>": 6, "<ONE>": 5})";
  EXPECT_EQ(Tokenizer::load(files).tokenize("<one> dog<two>").ids, (Ids{2, 6, 5, 7, 3}));
  files.tokenizer_config_json = R"({"pad_token": "<two>"})";
  EXPECT_EQ(Tokenizer::load(files).tokenize("<TWO><two>").ids.back(), 3);
  EXPECT_EQ(Tokenizer::load(files).pad_id(), 7);
  files.tokenizer_config_json = R"({"added_tokens_decoder": {"0": {"content": "[PAD]", "special": true}}})";
  EXPECT_EQ(Tokenizer::load(files).id_of("<two>"), std::nullopt);
  files.tokenizer_config_json.clear();
  for (const char* hostile :
       {R"({"<a>": "b"})", R"({"<a>": -1})", R"({"<a>": 99999999})", "[]", R"({"<a>": {}})"}) {
    files.added_tokens_json = hostile;
    EXPECT_THROW(Tokenizer::load(files), Error) << hostile;
  }
}

TEST(VocabularyFiles, OfRobertaWork) {
  TokenizerFiles files;
  files.vocab_json = R"({"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"a":4,"Ġ":5,"Ġa":6,"<mask>":7})";
  files.merges_txt = "#version: 0.2\nĠ a\n";
  EXPECT_EQ(Tokenizer::load(files).tokenize("a a  <mask>a").ids, (Ids{0, 4, 6, 7, 4, 2}));
  EXPECT_EQ(Tokenizer::load(files).decode(Ids{0, 4, 6, 2}), "a a");
}

}  // namespace
}  // namespace moa
