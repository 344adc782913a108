// Checkpoints whose tokenizer is a model of SentencePiece alone. What transformers 5 does with it depends on
// the class that tokenizer_config.json names: XLM-R and T5 are rebuilt with the steps of tokenizers, SigLIP
// asks SentencePiece itself, and so do the language models here.
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <moa/error.hpp>
#include "text/built_in_step.hpp"
#include "text/canonical_text.hpp"
#include "text/class_steps.hpp"
#include "text/sentencepiece_model.hpp"
#include "text/special_tokens.hpp"
#include "text/tokenizer_parts.hpp"
#include "text/unigram.hpp"

namespace moa {
namespace {

using Type = SentencePiece::Type;

constexpr std::string_view kMarkDecoder =
    R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true})";
constexpr std::string_view kBytesDecoder =
    R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})";

// A unigram model in the making.
struct ScoredVocabulary {
  Vocabulary vocabulary;
  std::vector<double> scores;

  void add(std::string_view token, double score) {
    vocabulary.add(token, static_cast<std::int64_t>(scores.size()));
    scores.push_back(score);
  }
};

// The pieces that are tokens of their own, before any text is cut: those that the user defined, and controls.
void append_own_pieces(std::vector<AddedToken>& tokens, const SentencePieceFile& file) {
  for (const SentencePiece& piece : file.pieces) {
    if (piece.type != Type::control && piece.type != Type::user_defined) continue;
    AddedToken token;
    token.content = std::string(piece.text);
    token.normalized = false;
    token.special = piece.type == Type::control;
    tokens.push_back(std::move(token));
  }
}

void finish_unigram(Tokenizer::Parts& parts, ScoredVocabulary tokens, std::int32_t unknown_id,
                    const SentencePieceFile& file) {
  if (static_cast<std::size_t>(unknown_id) >= tokens.scores.size()) {
    throw Error(ErrorCode::corrupt_data, "a model of SentencePiece has " +
                                             std::to_string(file.pieces.size()) +
                                             " pieces, too few for its class of tokenizers");
  }
  parts.model = make_unigram(std::move(tokens.vocabulary), std::move(tokens.scores), unknown_id, false);
  if (!file.charsmap.empty()) parts.normalizer = make_precompiled(file.charsmap);
  parts.pre_tokenizer = words_with_mark();
  parts.decoder = built_in_step<Decoder>(kMarkDecoder);
}

void add_tokens(Tokenizer::Parts& parts, const std::vector<AddedToken>& tokens) {
  parts.added_tokens =
      std::make_unique<AddedTokens>(tokens, parts.model->vocabulary(), parts.normalizer.get());
}

void expect_unigram(const SentencePieceFile& file, const std::string& class_name) {
  if (file.kind == SentencePieceFile::Kind::unigram) return;
  throw Error(ErrorCode::unsupported, "cannot load a tokenizer of the class '" + class_name +
                                          "': found a model of the type bpe, expected unigram");
}

// fairseq's order of ids: its own four tokens, then SentencePiece's from the fourth on, then the mask.
void make_xlm_roberta(Tokenizer::Parts& parts, const SentencePieceFile& file, const TokenizerConfig& config) {
  constexpr std::size_t kReplaced = 3;
  constexpr std::int32_t kUnknownId = 3;
  expect_unigram(file, "XLMRobertaTokenizer");
  const std::string begin = content_of(config, "bos_token", "<s>");
  const std::string end = content_of(config, "eos_token", "</s>");
  ScoredVocabulary tokens;
  tokens.add(begin, 0);
  tokens.add(content_of(config, "pad_token", "<pad>"), 0);
  tokens.add(end, 0);
  tokens.add(content_of(config, "unk_token", "<unk>"), 0);
  for (std::size_t id = kReplaced; id < file.pieces.size(); ++id) {
    tokens.add(file.pieces[id].text, static_cast<double>(file.pieces[id].score));
  }
  tokens.add(content_of(config, "mask_token", "<mask>"), 0);
  finish_unigram(parts, std::move(tokens), kUnknownId, file);
  parts.post_processor = roberta_template(parts, begin, end);
  std::vector<AddedToken> added = special_tokens(config, {{"bos_token", "<s>"},
                                                          {"eos_token", "</s>"},
                                                          {"sep_token", "</s>"},
                                                          {"cls_token", "<s>"},
                                                          {"unk_token", "<unk>"},
                                                          {"pad_token", "<pad>"},
                                                          {"mask_token", "<mask>"}});
  append_own_pieces(added, file);
  add_tokens(parts, added);
}

void make_t5(Tokenizer::Parts& parts, const SentencePieceFile& file, const TokenizerConfig& config) {
  constexpr std::int32_t kUnknownId = 2;
  expect_unigram(file, "T5Tokenizer");
  ScoredVocabulary tokens;
  for (const SentencePiece& piece : file.pieces) tokens.add(piece.text, static_cast<double>(piece.score));
  std::vector<AddedToken> added =
      special_tokens(config, {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}});
  const std::int64_t sentinels = config.config.integer("extra_ids", 100, 0, 10000);
  for (std::int64_t i = sentinels; i-- > 0;) {
    AddedToken sentinel;
    sentinel.content = "<extra_id_" + std::to_string(i) + ">";
    sentinel.normalized = false;
    sentinel.special = true;
    tokens.add(sentinel.content, 0);
    added.push_back(std::move(sentinel));
  }
  append_own_pieces(added, file);
  finish_unigram(parts, std::move(tokens), kUnknownId, file);
  parts.post_processor = ending_template(parts, content_of(config, "eos_token", "</s>"));
  add_tokens(parts, added);
}

// SigLIP's texts lose their capitals and punctuation first. An end that is there already is not added again.
void make_siglip(Tokenizer::Parts& parts, const SentencePieceFile& file, const TokenizerConfig& config) {
  parts.model = make_sentencepiece(file, {.prefix = content_of(config, "unk_token", "<unk>")});
  parts.normalizer = make_canonical_text({.lowercase = config.config.boolean("do_lower_case", true)});
  parts.decoder = built_in_step<Decoder>(kMarkDecoder);
  parts.post_processor = ending_template(parts, content_of(config, "eos_token", "</s>"));
  parts.post_processor.skip_repeated_end();
  std::vector<AddedToken> added =
      special_tokens(config, {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "</s>"}});
  for (AddedToken& token : added) token.lstrip = token.rstrip = token.lstrip || token.special;
  add_tokens(parts, added);
  parts.padding.id = parts.model->vocabulary().id_of(content_of(config, "pad_token", "</s>"));
}

void make_language_model(Tokenizer::Parts& parts, const SentencePieceFile& file,
                         const TokenizerConfig& config) {
  parts.model = make_sentencepiece(file, {});
  parts.decoder = built_in_step<Decoder>(kBytesDecoder);
  const TemplatePart first{TemplatePart::Source::first_text, {}, 0};
  std::vector<TemplatePart> single;
  if (config.config.boolean("add_bos_token", true)) {
    const std::string fallback = parts.model->vocabulary().id_of("<bos>") ? "<bos>" : "<s>";
    single.push_back(fixed_part(parts, content_of(config, "bos_token", fallback)));
  }
  single.push_back(first);
  if (config.config.boolean("add_eos_token", false)) {
    const std::string fallback = parts.model->vocabulary().id_of("<eos>") ? "<eos>" : "</s>";
    single.push_back(fixed_part(parts, content_of(config, "eos_token", fallback)));
  }
  parts.post_processor = PostProcessor(std::move(single), {});
  std::vector<AddedToken> added = special_tokens(config, {});
  append_own_pieces(added, file);
  add_tokens(parts, added);
}

using Make = void (*)(Tokenizer::Parts&, const SentencePieceFile&, const TokenizerConfig&);

Make find_make(const std::string& class_name) {
  if (class_name == "XLMRobertaTokenizer") return make_xlm_roberta;
  if (class_name == "SiglipTokenizer") return make_siglip;
  if (class_name == "T5Tokenizer") return make_t5;
  if (class_name == "GemmaTokenizer" || class_name == "LlamaTokenizer") return make_language_model;
  throw Error(ErrorCode::unsupported,
              "cannot load a tokenizer from a model of SentencePiece: tokenizer_config.json: "
              "'tokenizer_class': found '" +
                  class_name +
                  "', expected XLMRobertaTokenizer, SiglipTokenizer, T5Tokenizer, GemmaTokenizer or "
                  "LlamaTokenizer");
}

}  // namespace

bool has_sentencepiece(const TokenizerFiles& files) {
  return !files.sentencepiece_bpe_model.empty() || !files.spiece_model.empty() ||
         !files.tokenizer_model.empty();
}

bool asks_sentencepiece(const TokenizerFiles& files, const TokenizerConfig& config) {
  return !files.spiece_model.empty() && config.config.string("tokenizer_class", "") == "SiglipTokenizer";
}

void make_from_sentencepiece(Tokenizer::Parts& parts, const TokenizerFiles& files,
                             const TokenizerConfig& config) {
  const auto [bytes, name, usual_class] =
      !files.sentencepiece_bpe_model.empty()
          ? std::tuple(&files.sentencepiece_bpe_model, "sentencepiece.bpe.model", "XLMRobertaTokenizer")
      : !files.spiece_model.empty() ? std::tuple(&files.spiece_model, "spiece.model", "")
                                    : std::tuple(&files.tokenizer_model, "tokenizer.model", "");
  const Make make = find_make(tokenizer_class(config.config, usual_class));
  make(parts, SentencePieceFile::parse(*bytes, name), config);
}

}  // namespace moa
