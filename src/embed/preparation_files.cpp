#include "embed/preparation_files.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <moa/error.hpp>

#include "base/gunzip.hpp"
#include "checkpoint/file_names.hpp"

namespace moa {

TokenizerFiles tokenizer_files_of(const ModelDirectory& directory) {
  constexpr std::uint64_t kMaxVocabularyBytes = 16u << 20;  // OpenAI's has 3.4 MB
  const auto content = [&](std::string_view file) { return directory.file(file).value_or(""); };
  TokenizerFiles files;
  files.tokenizer_json = content("tokenizer.json");
  files.tokenizer_config_json = content("tokenizer_config.json");
  files.special_tokens_map_json = content("special_tokens_map.json");
  files.added_tokens_json = content("added_tokens.json");
  files.vocab_json = content("vocab.json");
  files.merges_txt = content("merges.txt");
  files.vocab_txt = content("vocab.txt");
  files.sentencepiece_bpe_model = content("sentencepiece.bpe.model");
  files.spiece_model = content("spiece.model");
  files.tokenizer_model = content("tokenizer.model");
  if (const auto packed = directory.file(kOpenAiVocabularyName)) {
    files.openai_merges = gunzip(*packed, kMaxVocabularyBytes, std::string(kOpenAiVocabularyName));
  }
  const bool has_any = !files.tokenizer_json.empty() || !files.vocab_json.empty() ||
                       !files.vocab_txt.empty() || !files.sentencepiece_bpe_model.empty() ||
                       !files.spiece_model.empty() || !files.tokenizer_model.empty() ||
                       !files.openai_merges.empty();
  if (has_any) return files;
  if (directory.layout() == ModelDirectory::Layout::openai) {
    throw Error(ErrorCode::not_found,
                "no tokenizer beside '" + directory.path().string() + "': expected " +
                    std::string(kOpenAiVocabularyName) +
                    ", as OpenAI's package has it, or tokenizer.json, or vocab.json with "
                    "merges.txt, in the same folder");
  }
  throw Error(
      ErrorCode::not_found,
      "'" + directory.path().string() + "'" +
          ": no tokenizer, which texts need: found none of tokenizer.json, vocab.json with merges.txt, "
          "vocab.txt, sentencepiece.bpe.model, spiece.model, tokenizer.model; put the published files "
          "there, or those of the model that it was trained from");
}

Config processor_config_of(const ModelDirectory& directory) {
  const Config whole = directory.json("processor_config.json");
  if (whole.is_object("image_processor")) return whole.object("image_processor");
  if (directory.file("preprocessor_config.json")) return directory.json("preprocessor_config.json");
  throw Error(
      ErrorCode::not_found,
      "'" + directory.path().string() + "'" +
          ": no preprocessor_config.json, which says how pictures are prepared; put the published file "
          "there, or that of the model that it was trained from");
}

}  // namespace moa
