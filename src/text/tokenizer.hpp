// text: from UTF-8 to token ids, driven by the files that a checkpoint ships (tokenizer.json, or vocab.json
// with merges.txt, or vocab.txt). It opens no file and knows no model; ICU, PCRE2 and simdjson do not leave
// this room. Reference: Hugging Face tokenizers 0.23; the ids are equal on every line of tests/text/golden.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moa {

// What a checkpoint directory holds about its tokenizer: the contents of the files, empty where a file is
// absent. tokenizer_json wins, except where the class that tokenizer_config_json names asks SentencePiece
// itself (SigLIP's) or makes a step itself (class_steps.hpp); without it vocab_json + merges_txt (CLIP,
// RoBERTa), vocab_txt (BERT) or openai_merges (CLIP) are read, or a model of SentencePiece, in this order.
struct TokenizerFiles {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
  std::string special_tokens_map_json;
  std::string added_tokens_json;  // read where there is no tokenizer_json
  std::string vocab_json;
  std::string merges_txt;
  std::string vocab_txt;
  std::string openai_merges;            // of OpenAI's bpe_simple_vocab_16e6.txt.gz, unpacked
  std::string sentencepiece_bpe_model;  // sentencepiece.bpe.model: XLM-R
  std::string spiece_model;             // SigLIP, T5
  std::string tokenizer_model;          // Gemma, Llama
  // Lower-cased before all else, as sentence-transformers' do_lower_case has it.
  bool lowercases = false;
};

// One text as a model reads it, the template's tokens ([CLS], <|endoftext|>, ...) included.
struct Tokenized {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> type_ids;  // as long as `ids`
  std::size_t full_length = 0;         // how many ids there were before truncation
  bool truncated = false;
};

// What the files say about filling a batch up. Padding itself is the caller's affair.
struct Padding {
  std::optional<std::int32_t> id;
  std::int32_t type_id = 0;
  std::size_t fixed_length = 0;  // 0: to the longest of the batch
  bool left = false;
};

// For people: `moa inspect`.
struct TokenizerDescription {
  std::string model;                // "BPE", "WordPiece", "Unigram" or "WordLevel"
  std::size_t vocabulary_size = 0;  // with added tokens
  std::size_t max_length = 0;       // 0: unlimited
  std::vector<std::pair<std::string, std::int32_t>> special_tokens;  // by id
};

// A loaded tokenizer: immutable, cheap to copy (copies share it), safe from any number of threads.
class Tokenizer {
 public:
  // Errors: not_found if no vocabulary is among `files`; corrupt_data or out_of_range if one contradicts
  // itself; unsupported, naming it, for a step that moa does not know; limit_exceeded for a file above 256
  // MiB.
  static Tokenizer load(const TokenizerFiles& files);

  // `max_length` counts the template's tokens too; 0 takes the files' own limit (tokenizer_config.json's
  // model_max_length if it is a real limit, else tokenizer.json's truncation), or none.
  // Errors: corrupt_data if `utf8` is not UTF-8; invalid_argument if `max_length` is too small for the
  // template; limit_exceeded if it has more than 16 MiB, or a step needs too much work or memory for it.
  Tokenized tokenize(std::string_view utf8, std::size_t max_length = 0) const;

  // Two texts as one input, by the tokenizer's template for pairs. Of the longer one more is cut off, if they
  // are too long together. Errors: those of `tokenize`; unsupported if there is no template for pairs.
  Tokenized tokenize_pair(std::string_view first, std::string_view second, std::size_t max_length = 0) const;

  // The ids of a text alone, without the template's, however many. Errors: those of `tokenize`.
  std::vector<std::int32_t> tokenize_bare(std::string_view utf8) const;
  // How many of the template's tokens stand before a text's.
  std::size_t tokens_before_text() const;

  // The text of `ids` by the tokenizer's own decoder; ids that name nothing are skipped, special tokens too
  // unless `keep_special`.
  std::string decode(std::span<const std::int32_t> ids, bool keep_special = false) const;

  // One more than the largest id: the rows that an embedding table must have.
  std::size_t vocabulary_size() const;
  std::optional<std::int32_t> id_of(std::string_view token) const;
  // Empty if `id` names nothing.
  std::string token_of(std::int32_t id) const;
  const Padding& padding() const;
  std::optional<std::int32_t> pad_id() const { return padding().id; }
  const TokenizerDescription& description() const;

  struct Parts;  // internal: the steps, in order

 private:
  explicit Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace moa
