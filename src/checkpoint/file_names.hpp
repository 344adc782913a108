// The files of a published model that moa reads.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace moa {

// How weights of one format are named: whole, or in shards with an index of them.
struct WeightNames {
  std::string_view whole;
  std::string_view index;
  std::string_view shard_begin;  // what the names of its shards begin and end with
  std::string_view shard_end;

  // Whether `name` can be that of a shard: a file in the model's directory itself.
  constexpr bool is_shard(std::string_view name) const {
    return name.ends_with(shard_end) && !name.starts_with('.') &&
           name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
  }
};

// The files that one layout consists of, beside tokenizer and processor.
struct LayoutFiles {
  std::string_view config;
  WeightNames safetensors;  // taken where both are there
  WeightNames pytorch;
};

inline constexpr LayoutFiles kTransformersFiles{
    "config.json",
    {"model.safetensors", "model.safetensors.index.json", "model-", ".safetensors"},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-", ".bin"}};
inline constexpr LayoutFiles kOpenClipFiles{
    "open_clip_config.json",
    {"open_clip_model.safetensors", "open_clip_model.safetensors.index.json", "open_clip_model-",
     ".safetensors"},
    {"open_clip_pytorch_model.bin", "open_clip_pytorch_model.bin.index.json", "open_clip_pytorch_model-",
     ".bin"}};

// What moa writes beside weights that it quantized (quantization.hpp).
inline constexpr std::string_view kQuantizationName = "moa_quantization.json";

// What tokenizers are published as.
inline constexpr auto kTokenizerFileNames = std::to_array<std::string_view>(
    {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
     "vocab.txt", "merges.txt", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model"});

// Beside the weights, what decides which vector an input gets.
inline constexpr auto kIdentityFileNames = [] {
  constexpr auto kOthers = std::to_array<std::string_view>(
      {"config.json", "config_sentence_transformers.json", "open_clip_config.json",
       "preprocessor_config.json", "processor_config.json", "image_processor_config.json",
       "feature_extractor_config.json", "video_preprocessor_config.json", "bpe_simple_vocab_16e6.txt.gz",
       kQuantizationName});
  std::array<std::string_view, kOthers.size() + kTokenizerFileNames.size()> all;
  std::size_t count = 0;
  for (const std::string_view name : kOthers) all[count++] = name;
  for (const std::string_view name : kTokenizerFileNames) all[count++] = name;
  return all;
}();

// Beside a lone weight file of OpenAI's (ViT-B-32.pt), what moa reads: a tokenizer, as the package that comes
// with such files has it, or as transformers has it.
inline constexpr std::string_view kOpenAiVocabularyName = "bpe_simple_vocab_16e6.txt.gz";
inline constexpr auto kLoneFileCompanionNames = std::to_array<std::string_view>(
    {kOpenAiVocabularyName, "merges.txt", "tokenizer.json", "tokenizer_config.json", "vocab.json"});

// Where the licence is stated.
inline constexpr std::array<std::string_view, 2> kModelCardNames = {"README.md", "MODEL_CARD.md"};
// And its words, which go wherever the weights go.
inline constexpr auto kLicenceNames =
    std::to_array<std::string_view>({"LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "NOTICE.txt"});

}  // namespace moa
