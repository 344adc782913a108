// Files and texts that mean harm: a clear Error, bounded time and memory.
#include <gtest/gtest.h>

#include <moa/error.hpp>
#include <string>
#include <vector>

#include "text/clip_files.hpp"
#include "text/tokenizer.hpp"

namespace moa {
namespace {

TokenizerFiles json_files(std::string json) {
  TokenizerFiles files;
  files.tokenizer_json = std::move(json);
  return files;
}

// A whole tokenizer.json around a model and one more member.
std::string with_model(const std::string& model, const std::string& member = "") {
  return "{" + member + (member.empty() ? "" : ",") + "\"model\":" + model + "}";
}

const std::string kWords = R"({"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}})";

ErrorCode code_of(const TokenizerFiles& files) {
  try {
    Tokenizer::load(files);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;  // none was thrown
}

ErrorCode code_of(const std::string& json) {
  return code_of(json_files(json));
}

ErrorCode code_of_member(const std::string& member) {
  return code_of(with_model(kWords, member));
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

TEST(TokenizerJson, RejectsWhatIsNotJson) {
  for (const char* json :
       {"{", "[]", "null", "3", "{\"model\"", "\xFF\xFE", "{\"model\":{}} x", "{\"a\":\"\\ud800\"}"}) {
    EXPECT_EQ(code_of(json), ErrorCode::corrupt_data) << json;
  }
}

TEST(TokenizerJson, RejectsNestingWithoutEnd) {
  EXPECT_EQ(code_of(repeated("[", 1'000'000)), ErrorCode::corrupt_data);
  const std::string deep = repeated(R"({"type":"Sequence","normalizers":[)", 20) + repeated("]}", 20);
  EXPECT_EQ(code_of_member("\"normalizer\":" + deep), ErrorCode::corrupt_data);
}

TEST(TokenizerJson, AcceptsTheSmallestOne) {
  EXPECT_EQ(Tokenizer::load(json_files(with_model(kWords))).tokenize("a").ids, std::vector<std::int32_t>{1});
}

TEST(TokenizerJson, NamesAnUnknownStepAsUnsupported) {
  EXPECT_EQ(code_of(with_model(R"({"type":"Magic"})")), ErrorCode::unsupported);
  for (const char* kind : {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    EXPECT_EQ(code_of_member("\"" + std::string(kind) + R"(":{"type":"Magic"})"), ErrorCode::unsupported)
        << kind;
  }
}

TEST(TokenizerJson, RejectsValuesOfTheWrongKind) {
  for (
      const char* model :
      {"[]", "3", R"({"type":7})", R"({"type":"WordLevel"})",
       R"({"type":"WordLevel","unk_token":"u","vocab":[]})",
       R"({"type":"WordLevel","unk_token":"u","vocab":{"u":"0"}})",
       R"({"type":"WordLevel","unk_token":1,"vocab":{}})",
       R"({"type":"WordLevel","unk_token":"u","vocab":{"u":1.5}})", R"({"type":"Unigram","vocab":{}})",
       R"({"type":"Unigram","vocab":[]})", R"({"type":"Unigram","vocab":[["a"]]})",
       R"({"type":"Unigram","vocab":[["a","b"]]})", R"({"type":"Unigram","vocab":[[1,2]]})",
       R"({"type":"BPE","vocab":{},"merges":{}})", R"({"type":"BPE","vocab":{},"merges":[3]})",
       R"({"type":"BPE","vocab":{"a":0},"merges":[["a"]]})",
       R"({"type":"BPE","vocab":{"a":0},"merges":["a"]})",
       R"({"type":"WordPiece","unk_token":"u","continuing_subword_prefix":"#","max_input_chars_per_word":-1,"vocab":{}})"}) {
    EXPECT_EQ(code_of(with_model(model)), ErrorCode::corrupt_data) << model;
  }
  for (
      const char* member :
      {R"("added_tokens":{})", R"("added_tokens":[1])", R"("added_tokens":[{"content":1}])",
       R"("normalizer":"NFC")", R"("normalizer":{"type":"Replace","pattern":"a","content":""})",
       R"("normalizer":{"type":"Strip"})", R"("pre_tokenizer":{"type":"Metaspace","replacement":"ab"})",
       R"("pre_tokenizer":{"type":"Metaspace","replacement":""})",
       R"("post_processor":{"type":"BertProcessing","sep":[],"cls":["a",1]})",
       R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}})",
       R"("post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}],"special_tokens":{}})",
       R"("post_processor":{"type":"TemplateProcessing","single":[],"special_tokens":{}})",
       R"("truncation":{"max_length":-1})",
       R"("decoder":{"type":"Strip","content":" ","start":-1,"stop":0})"}) {
    EXPECT_EQ(code_of_member(member), ErrorCode::corrupt_data) << member;
  }
}

TEST(TokenizerJson, RejectsIdsOutOfRange) {
  for (const char* id : {"-1", "16777216", "4294967296", "9223372036854775807"}) {
    EXPECT_EQ(
        code_of(with_model(R"({"type":"WordLevel","unk_token":"u","vocab":{"u":)" + std::string(id) + "}}")),
        ErrorCode::out_of_range)
        << id;
  }
  EXPECT_EQ(code_of(with_model(R"({"type":"Unigram","unk_id":1,"vocab":[["a",0]]})")),
            ErrorCode::out_of_range);
  EXPECT_EQ(code_of_member(R"("post_processor":{"type":"BertProcessing","sep":["s",-5],"cls":["c",1]})"),
            ErrorCode::out_of_range);
  EXPECT_EQ(code_of_member(R"("padding":{"strategy":"BatchLongest","pad_id":99999999})"),
            ErrorCode::out_of_range);
}

TEST(TokenizerJson, RejectsTwoTokensWithOneId) {
  EXPECT_EQ(code_of(with_model(R"({"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":0}})")),
            ErrorCode::corrupt_data);
}

TEST(TokenizerJson, RejectsMergesOfUnknownTokens) {
  EXPECT_EQ(code_of(with_model(R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})")),
            ErrorCode::corrupt_data);
  EXPECT_EQ(code_of(with_model(R"({"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]})")),
            ErrorCode::corrupt_data);
  EXPECT_EQ(
      code_of(with_model(
          R"({"type":"BPE","continuing_subword_prefix":"##","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})")),
      ErrorCode::corrupt_data);
}

TEST(TokenizerJson, RejectsRandomIds) {
  EXPECT_EQ(code_of(with_model(R"({"type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":[]})")),
            ErrorCode::unsupported);
}

TEST(TokenizerJson, RejectsBadPatterns) {
  const auto code_of_pattern = [](const std::string& pattern) {
    return code_of_member(R"("normalizer":{"type":"Replace","content":"","pattern":{"Regex":")" + pattern +
                          "\"}}");
  };
  for (const char* pattern :
       {"(", "[a", "a)", "[]", "\\\\p{L", "\\\\x{110000}", "*", "(?<=a+)b", "[b-a]", "\\\\p{Nonsense}"}) {
    EXPECT_EQ(code_of_pattern(pattern), ErrorCode::corrupt_data) << pattern;
  }
  for (const char* pattern : {"\\\\K", "(?<n>a)", "(?~a)", "\\\\Qa", "(?x)a", "\\\\pL", "\\\\X"}) {
    EXPECT_EQ(code_of_pattern(pattern), ErrorCode::unsupported) << pattern;
  }
  EXPECT_EQ(code_of_pattern(repeated("a", 100'000)), ErrorCode::limit_exceeded);
  EXPECT_EQ(code_of_pattern(repeated("[", 100) + repeated("]", 100)), ErrorCode::limit_exceeded);
  EXPECT_EQ(code_of_pattern(repeated("(", 5000) + repeated(")", 5000)), ErrorCode::corrupt_data);
}

TEST(TokenizerJson, RejectsADamagedCharsmap) {
  const auto code_of_map = [](const std::string& base64) {
    return code_of_member(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":")" + base64 + "\"}");
  };
  EXPECT_EQ(code_of_map("!!!!"), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of_map("AAA="), ErrorCode::corrupt_data);          // two bytes
  EXPECT_EQ(code_of_map("AAAAAAAA"), ErrorCode::corrupt_data);      // no trie
  EXPECT_EQ(code_of_map("/////wAAAAA="), ErrorCode::corrupt_data);  // a trie of 4 GiB
  EXPECT_EQ(code_of_map("BAAAAAAAAAD/"), ErrorCode::corrupt_data);  // replacements that are not UTF-8
}

TEST(TokenizerJson, SurvivesACharsmapThatPointsOutside) {
  // One unit whose offset and value lead behind the trie.
  const std::string json =
      with_model(kWords, R"("normalizer":{"type":"Precompiled","precompiled_charsmap":"BAAAAP///38="})");
  EXPECT_EQ(Tokenizer::load(json_files(json)).tokenize("a").ids, std::vector<std::int32_t>{1});
}

TEST(TokenizerJson, StopsANormalizerThatMultipliesTheText) {
  const std::string step =
      R"({"type":"Replace","pattern":{"String":"a"},"content":")" + std::string(1000, 'a') + "\"}";
  const std::string steps = step + "," + step + "," + step;
  const Tokenizer tokenizer = Tokenizer::load(
      json_files(with_model(kWords, R"("normalizer":{"type":"Sequence","normalizers":[)" + steps + "]}")));
  try {
    tokenizer.tokenize("a");
    ADD_FAILURE() << "found an end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::limit_exceeded);
  }
}

TEST(TokenizerJson, RefusesOverlongTokensWhereEveryPlaceIsComparedWithThem) {
  const std::string token = "\"" + std::string(2000, 'a') + "\"";
  EXPECT_EQ(code_of(with_model(R"({"type":"Unigram","vocab":[[)" + token + ",0]]}")),
            ErrorCode::limit_exceeded);
  EXPECT_EQ(code_of_member(R"("added_tokens":[{"content":)" + token + "}]"), ErrorCode::limit_exceeded);
}

TEST(TokenizerJson, StopsAPatternThatNeedsTooMuchWork) {
  const Tokenizer tokenizer = Tokenizer::load(json_files(with_model(
      kWords, R"("normalizer":{"type":"Replace","content":"","pattern":{"Regex":"(a|a|aa)*[bc]"}})")));
  try {
    tokenizer.tokenize(repeated("a", 200));
    ADD_FAILURE() << "found an end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::limit_exceeded);
  }
}

TEST(VocabularyFiles, AreNotFoundWhereThereAreNone) {
  EXPECT_EQ(code_of(TokenizerFiles{}), ErrorCode::not_found);
  TokenizerFiles files;
  files.vocab_json = "{}";
  EXPECT_EQ(code_of(files), ErrorCode::not_found);
}

TEST(VocabularyFiles, RejectMergesThatAreNoPairs) {
  TokenizerFiles files;
  files.vocab_json = R"({"a":0,"<|startoftext|>":1,"<|endoftext|>":2})";
  files.merges_txt = "#version: 0.2\na b c\n";
  EXPECT_EQ(code_of(files), ErrorCode::corrupt_data);
}

TEST(Text, ThatIsNotUtf8IsCorrupt) {
  const Tokenizer tokenizer = Tokenizer::load(json_files(with_model(kWords)));
  for (const char* text : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "a\xE3\x81", "\xF4\x90\x80\x80"}) {
    try {
      tokenizer.tokenize(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
    }
  }
}

TEST(Text, TooLongForAnyModelIsRefused) {
  const Tokenizer tokenizer = Tokenizer::load(json_files(with_model(kWords)));
  try {
    tokenizer.tokenize(std::string((64 << 20) + 1, 'a'));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::limit_exceeded);
  }
}

// What takes quadratic time where a tokenizer is careless: each of these is a matter of a second at most.
TEST(Text, OfOneEndlessWordTakesLinearTime) {
  const std::string model =
      R"({"type":"BPE","vocab":{"a":0,"b":1,"aa":2,"aaaa":3,"ab":4},"merges":["a a","aa aa","a b"]})";
  const Tokenizer bpe = Tokenizer::load(json_files(with_model(model)));
  EXPECT_EQ(bpe.tokenize(std::string(1'000'000, 'a')).ids.size(), 250'000u);
  const Tokenizer unigram = Tokenizer::load(
      json_files(with_model(R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1],["aaaa",-2]]})")));
  EXPECT_EQ(unigram.tokenize(std::string(1'000'000, 'a')).ids.size(), 250'000u);
  const Tokenizer wordpiece = Tokenizer::load(json_files(with_model(
      R"({"type":"WordPiece","unk_token":"u","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"u":0}})")));
  EXPECT_EQ(wordpiece.tokenize(std::string(1'000'000, 'a')).ids.size(), 1u);
}

TEST(Text, OfTenMegabytesIsTokenized) {
  const Tokenizer clip = Tokenizer::load(clip_tokenizer_json_files());
  const Tokenized tokenized = clip.tokenize(repeated("a photo of a dog. ", 10'000'000 / 18), 77);
  EXPECT_EQ(tokenized.ids.size(), 77u);
  EXPECT_EQ(tokenized.full_length, 6u * (10'000'000 / 18) + 2);
}

}  // namespace
}  // namespace moa
