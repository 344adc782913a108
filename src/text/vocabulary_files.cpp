// Checkpoints from before tokenizer.json: a bare vocabulary, and steps that the reference keeps in its
// classes CLIPTokenizer, RobertaTokenizer and BertTokenizer.
#include <algorithm>
#include <limits>
#include <utility>

#include <moa/error.hpp>
#include "text/bpe.hpp"
#include "text/built_in_step.hpp"
#include "text/byte_level.hpp"
#include "text/class_steps.hpp"
#include "text/special_tokens.hpp"
#include "text/tokenizer_parts.hpp"
#include "text/wordpiece.hpp"

namespace moa {
namespace {

constexpr std::string_view kClipNormalizer =
    R"({"type": "Sequence", "normalizers": [{"type": "NFC"},
        {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]})";
constexpr std::string_view kClipPreTokenizer =
    R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "behavior": "Removed", "invert": true, "pattern": {"Regex":
        "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"}},
        {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]})";
constexpr std::string_view kByteLevel = R"({"type": "ByteLevel", "add_prefix_space": false})";
constexpr std::string_view kBertPreTokenizer = R"({"type": "BertPreTokenizer"})";
constexpr std::string_view kWordPieceDecoder = R"({"type": "WordPiece", "prefix": "##", "cleanup": true})";

constexpr std::size_t kAllMerges = std::numeric_limits<std::size_t>::max();

// Takes the next line off `text`, without its end.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::vector<Merge> parse_merges(std::string_view text, std::size_t most) {
  std::vector<Merge> merges;
  for (std::size_t number = 1; !text.empty() && merges.size() < most; ++number) {
    const std::string_view line = next_line(text);
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      throw Error(ErrorCode::corrupt_data, "merges.txt: line " + std::to_string(number) +
                                               " is not two tokens with a space between: '" +
                                               std::string(line.substr(0, 100)) + "'");
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

Vocabulary parse_vocab_txt(std::string_view text) {
  Vocabulary vocabulary;
  for (std::int64_t id = 0; !text.empty(); ++id) {
    std::string_view line = next_line(text);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    vocabulary.add(line, id);
  }
  return vocabulary;
}

// OpenAI's list, behind its title, is longer than what its vocabulary was made of: 49,152 tokens, of which
// 256 are bytes and 2 special. (So says its code; the 256 bytes that end a word come on top.)
std::vector<Merge> parse_openai_merges(std::string_view text) {
  constexpr std::size_t kMerges = 49152 - 256 - 2;
  next_line(text);
  std::vector<Merge> merges = parse_merges(text, kMerges);
  if (merges.size() < kMerges) {
    throw Error(ErrorCode::corrupt_data, "OpenAI's vocabulary: found " + std::to_string(merges.size()) +
                                             " merges, expected " + std::to_string(kMerges));
  }
  return merges;
}

// The bytes alone and at the end of a word, in the order of OpenAI's table of them, then what merges make.
Vocabulary openai_vocabulary(const std::vector<Merge>& merges) {
  constexpr std::string_view kWordEnd = "</w>";
  Vocabulary vocabulary;
  std::int64_t id = 0;
  const auto add = [&](const std::string& token) { vocabulary.add(token, id++); };
  std::vector<std::string> bytes;
  bytes.reserve(256);
  for (int byte = 0; byte < 256; ++byte)
    bytes.push_back(bytes_to_characters(std::string(1, static_cast<char>(byte))));
  std::ranges::sort(bytes);  // by code point: first those that stand for themselves
  for (const std::string& byte : bytes) add(byte);
  for (const std::string& byte : bytes) add(std::string(byte).append(kWordEnd));
  for (const auto& [left, right] : merges) add(std::string(left).append(right));
  add("<|startoftext|>");
  add("<|endoftext|>");
  return vocabulary;
}

Vocabulary parse_vocab_json(const std::string& json) {
  return parse_vocabulary(JsonNode::parse(json, "vocab.json"));
}

bool is_clip(const TokenizerConfig& config, const Vocabulary& vocabulary) {
  const std::string name = config.config.string("tokenizer_class", "");
  if (name.starts_with("CLIP")) return true;
  if (name.starts_with("Roberta") || name.starts_with("GPT2")) return false;
  return vocabulary.id_of("a</w>").has_value();
}

void make_clip(Tokenizer::Parts& parts, const std::vector<Merge>& merges, const TokenizerConfig& config,
               Vocabulary vocabulary) {
  BpeOptions options;
  options.end_of_word_suffix = "</w>";
  options.unknown_token = content_of(config, "unk_token", "<|endoftext|>");
  parts.model = make_bpe(std::move(vocabulary), merges, options);
  parts.normalizer = built_in_step<Normalizer>(kClipNormalizer);
  parts.pre_tokenizer = built_in_step<PreTokenizer>(kClipPreTokenizer);
  parts.decoder = built_in_step<Decoder>(kByteLevel);
  parts.word_end = options.end_of_word_suffix;
  parts.post_processor = roberta_template(parts, content_of(config, "bos_token", "<|startoftext|>"),
                                          content_of(config, "eos_token", "<|endoftext|>"));
  parts.added_tokens = std::make_unique<AddedTokens>(special_tokens(config, {{"unk_token", "<|endoftext|>"},
                                                                             {"bos_token", "<|startoftext|>"},
                                                                             {"eos_token", "<|endoftext|>"},
                                                                             {"pad_token", "<|endoftext|>"}}),
                                                     parts.model->vocabulary(), parts.normalizer.get());
}

void make_roberta(Tokenizer::Parts& parts, const std::vector<Merge>& merges, const TokenizerConfig& config,
                  Vocabulary vocabulary) {
  parts.model = make_bpe(std::move(vocabulary), merges, {});
  parts.pre_tokenizer = byte_level(config.config);
  parts.decoder = built_in_step<Decoder>(kByteLevel);
  parts.post_processor = roberta_template(parts, content_of(config, "cls_token", "<s>"),
                                          content_of(config, "sep_token", "</s>"));
  std::vector<AddedToken> tokens = special_tokens(config, {{"bos_token", "<s>"},
                                                           {"pad_token", "<pad>"},
                                                           {"eos_token", "</s>"},
                                                           {"unk_token", "<unk>"},
                                                           {"mask_token", "<mask>"}});
  for (AddedToken& token : tokens) token.lstrip = token.lstrip || token.content == "<mask>";
  parts.added_tokens =
      std::make_unique<AddedTokens>(tokens, parts.model->vocabulary(), parts.normalizer.get());
}

// MPNet took BERT's vocabulary and RoBERTa's special tokens.
bool is_mpnet(const TokenizerConfig& config, const Vocabulary& vocabulary) {
  const std::string name = config.config.string("tokenizer_class", "");
  if (!name.empty()) return name.starts_with("MPNet");
  return vocabulary.id_of("<s>").has_value() && !vocabulary.id_of("[CLS]").has_value();
}

void make_bert(Tokenizer::Parts& parts, const TokenizerFiles& files, const TokenizerConfig& config) {
  Vocabulary vocabulary = parse_vocab_txt(files.vocab_txt);
  const bool has_mpnet_tokens = is_mpnet(config, vocabulary);
  const std::string begin = content_of(config, "cls_token", has_mpnet_tokens ? "<s>" : "[CLS]");
  const std::string end = content_of(config, "sep_token", has_mpnet_tokens ? "</s>" : "[SEP]");
  WordPieceOptions options;
  options.unknown_token = content_of(config, "unk_token", "[UNK]");
  parts.model = make_wordpiece(std::move(vocabulary), options);
  parts.normalizer = bert_normalizer(config.config);
  parts.pre_tokenizer = built_in_step<PreTokenizer>(kBertPreTokenizer);
  parts.decoder = built_in_step<Decoder>(kWordPieceDecoder);
  parts.post_processor =
      has_mpnet_tokens ? roberta_template(parts, begin, end) : bert_template(parts, begin, end);
  std::vector<AddedToken> tokens =
      special_tokens(config, {{"unk_token", "[UNK]"},
                              {"sep_token", end},
                              {"pad_token", has_mpnet_tokens ? "<pad>" : "[PAD]"},
                              {"cls_token", begin},
                              {"mask_token", has_mpnet_tokens ? "<mask>" : "[MASK]"}});
  for (AddedToken& token : tokens) token.lstrip = token.lstrip || token.content == "<mask>";
  parts.added_tokens =
      std::make_unique<AddedTokens>(tokens, parts.model->vocabulary(), parts.normalizer.get());
}

}  // namespace

std::shared_ptr<Tokenizer::Parts> parts_from_vocabulary_files(const TokenizerFiles& files,
                                                              const TokenizerConfig& config) {
  auto parts = std::make_shared<Tokenizer::Parts>();
  if (asks_sentencepiece(files, config)) {
    make_from_sentencepiece(*parts, files, config);
    return parts;
  }
  if (!files.vocab_json.empty() && !files.merges_txt.empty()) {
    Vocabulary vocabulary = parse_vocab_json(files.vocab_json);
    const std::vector<Merge> merges = parse_merges(files.merges_txt, kAllMerges);
    if (is_clip(config, vocabulary)) {
      make_clip(*parts, merges, config, std::move(vocabulary));
    } else {
      make_roberta(*parts, merges, config, std::move(vocabulary));
    }
  } else if (!files.vocab_txt.empty()) {
    make_bert(*parts, files, config);
  } else if (!files.openai_merges.empty()) {
    const std::vector<Merge> merges = parse_openai_merges(files.openai_merges);
    make_clip(*parts, merges, config, openai_vocabulary(merges));
  } else if (has_sentencepiece(files)) {
    make_from_sentencepiece(*parts, files, config);
  } else {
    throw Error(
        ErrorCode::not_found,
        "cannot load a tokenizer: found none of tokenizer.json, vocab.json with merges.txt, vocab.txt, "
        "sentencepiece.bpe.model, spiece.model, tokenizer.model");
  }
  return parts;
}

}  // namespace moa
