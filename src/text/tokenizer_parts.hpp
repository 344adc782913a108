// What a loaded tokenizer consists of, and the two ways to make one.
#pragma once

#include <memory>
#include <string>

#include "base/config.hpp"
#include "text/added_tokens.hpp"
#include "text/decoder.hpp"
#include "text/normalizer.hpp"
#include "text/post_processor.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/subword_model.hpp"
#include "text/tokenizer.hpp"

namespace moa {

struct Tokenizer::Parts {
  std::unique_ptr<Normalizer> normalizer;       // may be null
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // may be null
  std::unique_ptr<SubwordModel> model;
  std::unique_ptr<AddedTokens> added_tokens;
  PostProcessor post_processor;
  std::unique_ptr<Decoder> decoder;  // may be null: tokens joined by spaces
  std::string word_end;              // decode turns it into a space; CLIP's "</w>", which its decoder leaves
  std::size_t max_length = 0;        // 0: unlimited
  bool truncates_left = false;
  bool cleans_up_spaces = false;
  Padding padding;
  TokenizerDescription description;
};

// The small files beside a vocabulary.
struct TokenizerConfig {
  Config config;       // tokenizer_config.json
  Config special_map;  // special_tokens_map.json
  Config added;        // added_tokens.json: ids by token

  static TokenizerConfig parse(const TokenizerFiles& files);
  // The token with a role such as "pad_token"; `content` is empty if neither file names one.
  AddedToken special_token(const std::string& role) const;
};

// From tokenizer.json, and what the files beside it change (class_steps.hpp) and add.
std::shared_ptr<Tokenizer::Parts> parts_from_tokenizer_json(const std::string& json,
                                                            const TokenizerConfig& config);
// From vocab.json + merges.txt, vocab.txt, OpenAI's merges or a model of SentencePiece: the steps are those
// of the class that tokenizer_config.json names.
std::shared_ptr<Tokenizer::Parts> parts_from_vocabulary_files(const TokenizerFiles& files,
                                                              const TokenizerConfig& config);
// The last of these. (sentencepiece_tokenizers.cpp)
bool has_sentencepiece(const TokenizerFiles& files);
// Whether the class that tokenizer_config.json names asks SentencePiece itself, even where there is a
// tokenizer.json too: SigLIP's does, in every version of the reference.
bool asks_sentencepiece(const TokenizerFiles& files, const TokenizerConfig& config);
void make_from_sentencepiece(Tokenizer::Parts& parts, const TokenizerFiles& files,
                             const TokenizerConfig& config);

}  // namespace moa
