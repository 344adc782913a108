// A model of SentencePiece: whatever the bytes, either an Error or a model, by itself and under every class
// that is made from one, and texts get ids that it knows or an Error.
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include <moa/error.hpp>

#include "text/sentencepiece_model.hpp"
#include "text/tokenizer.hpp"

namespace {

constexpr const char* kTexts[] = {
    "a photo of a dog",
    " 강아지와  고양이\n",
    "<s>e\xCC\x81 \xF0\x9F\x98\x80<mask> ①½ #!?▁</s>",
    "",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};
constexpr const char* kClasses[] = {"XLMRobertaTokenizer", "SiglipTokenizer", "T5Tokenizer",
                                    "LlamaTokenizer"};

void run_alone(const std::string& bytes) {
  const moa::SentencePieceFile file = moa::SentencePieceFile::parse(bytes, "fuzz");
  const auto model = moa::make_sentencepiece(file, {});
  for (const char* text : kTexts) {
    std::vector<std::int32_t> ids;
    model->tokenize(text, ids);
    for (const std::int32_t id : ids) {
      if (!model->vocabulary().contains(id)) std::abort();
    }
  }
}

void run_class(const std::string& bytes, const char* name) {
  moa::TokenizerFiles files;
  files.spiece_model = bytes;
  files.tokenizer_config_json = std::string(R"({"tokenizer_class": ")") + name + R"(", "extra_ids": 2})";
  const moa::Tokenizer tokenizer = moa::Tokenizer::load(files);
  for (const char* text : kTexts) {
    const moa::Tokenized tokenized = tokenizer.tokenize(text);
    if (tokenized.ids.size() != tokenized.type_ids.size()) std::abort();
    tokenizer.decode(tokenized.ids, true);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  try {
    run_alone(bytes);
  } catch (const moa::Error&) {
  }
  try {
    run_class(bytes, kClasses[size % std::size(kClasses)]);
  } catch (const moa::Error&) {
  }
  return 0;
}
