#include "text/pre_tokenizer.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/byte_level.hpp"
#include "text/metaspace.hpp"
#include "text/regex.hpp"
#include "text/rewrite_characters.hpp"
#include "text/split.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

constexpr int kMaxNesting = 16;
constexpr std::size_t kMaxSteps = 64;  // a piece goes through them by recursion

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void split(Piece& piece, const PieceSink& sink) const override { run(0, piece, sink); }

 private:
  // Every piece goes through all steps before the next one is cut, so that few of them exist at a time.
  void run(std::size_t step, Piece& piece, const PieceSink& sink) const {
    if (step == steps_.size()) return sink(piece);
    steps_[step]->split(piece, [&](Piece& part) { run(step + 1, part, sink); });
  }

  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

// Cuts at the characters for which a predicate holds.
class AtCharacters final : public PreTokenizer {
 public:
  AtCharacters(bool (*matches)(char32_t), SplitBehavior behavior) : matches_(matches), behavior_(behavior) {}

  void split(Piece& piece, const PieceSink& sink) const override {
    emit_split(piece, character_spans(piece.text, matches_), behavior_, sink);
  }

 private:
  bool (*matches_)(char32_t);
  SplitBehavior behavior_;
};

class CharDelimiterSplit final : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(char32_t delimiter) : delimiter_(delimiter) {}

  void split(Piece& piece, const PieceSink& sink) const override {
    const auto is_delimiter = [this](char32_t c) { return c == delimiter_; };
    emit_split(piece, character_spans(piece.text, is_delimiter), SplitBehavior::removed, sink);
  }

 private:
  char32_t delimiter_;
};

// Runs of word characters, and runs of what is neither word nor white space: \w+|[^\w\s]+
class Whitespace final : public PreTokenizer {
 public:
  void split(Piece& piece, const PieceSink& sink) const override {
    Spans spans;
    Kind last = Kind::space;
    for (std::size_t at = 0; at < piece.text.size();) {
      const std::size_t here = at;
      const Kind kind = kind_of(next_code_point(piece.text, at));
      if (!spans.empty() && kind == last) {
        spans.back() = {spans.back().begin, at, spans.back().is_match};
      } else {
        spans.push_back({here, at, kind == Kind::space});
      }
      last = kind;
    }
    emit_split(piece, std::move(spans), SplitBehavior::removed, sink);
  }

 private:
  enum class Kind { space, word, other };
  static Kind kind_of(char32_t c) {
    return is_word(c) ? Kind::word : is_white_space(c) ? Kind::space : Kind::other;
  }
};

class Split final : public PreTokenizer {
 public:
  Split(Regex pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void split(Piece& piece, const PieceSink& sink) const override {
    Spans spans = pattern_.find(piece.text);
    if (invert_) {
      for (Span& span : spans) span.is_match = !span.is_match;
    }
    emit_split(piece, std::move(spans), behavior_, sink);
  }

 private:
  Regex pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

// Words with the space before them, then every byte as a character.
class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex) : add_prefix_space_(add_prefix_space) {
    if (use_regex) {
      words_.emplace(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
    }
  }

  void split(Piece& piece, const PieceSink& sink) const override {
    if (add_prefix_space_ && !piece.text.starts_with(' ')) {
      piece.text.insert(0, 1, ' ');
      if (piece.starts_text()) ++piece.front;
    }
    const auto finish = [&sink](Piece& word) {
      word.text = bytes_to_characters(word.text);
      sink(word);
    };
    if (words_) {
      emit_split(piece, words_->find(piece.text), SplitBehavior::isolated, finish);
    } else {
      finish(piece);
    }
  }

 private:
  bool add_prefix_space_;
  std::optional<Regex> words_;
};

class MetaspaceStep final : public PreTokenizer {
 public:
  explicit MetaspaceStep(Metaspace options) : options_(std::move(options)) {}

  void split(Piece& piece, const PieceSink& sink) const override {
    const std::string& mark = options_.replacement;
    rewrite_characters(piece, [&](std::string& text, char32_t c) {
      if (c == ' ') {
        text += mark;
      } else {
        append_utf8(text, c);
      }
    });
    const bool prepends = options_.prepend == Metaspace::Prepend::always ||
                          (options_.prepend == Metaspace::Prepend::first && piece.starts_text());
    if (prepends && !piece.text.starts_with(mark)) {
      piece.text.insert(0, mark);
      if (piece.starts_text()) piece.front += mark.size();
    }
    if (!options_.split) return sink(piece);
    std::size_t at = 0;
    const char32_t wanted = next_code_point(mark, at);
    emit_split(piece, character_spans(piece.text, [wanted](char32_t c) { return c == wanted; }),
               SplitBehavior::merged_with_next, sink);
  }

 private:
  Metaspace options_;
};

std::unique_ptr<PreTokenizer> make_at(const JsonNode& node, int nesting) {
  const std::string type = node.type();
  if (type == "Sequence") {
    if (nesting == kMaxNesting) node.fail("sequences nest too deep");
    std::vector<std::unique_ptr<PreTokenizer>> steps;
    for (const JsonNode& step : node.at("pretokenizers").items()) steps.push_back(make_at(step, nesting + 1));
    if (steps.size() > kMaxSteps) node.fail("a sequence has more than 64 steps");
    return std::make_unique<Sequence>(std::move(steps));
  }
  if (type == "WhitespaceSplit")
    return std::make_unique<AtCharacters>(is_white_space, SplitBehavior::removed);
  if (type == "Whitespace") return std::make_unique<Whitespace>();
  if (type == "BertPreTokenizer") {
    std::vector<std::unique_ptr<PreTokenizer>> steps;
    steps.push_back(std::make_unique<AtCharacters>(is_white_space, SplitBehavior::removed));
    steps.push_back(std::make_unique<AtCharacters>(is_punctuation, SplitBehavior::isolated));
    return std::make_unique<Sequence>(std::move(steps));
  }
  if (type == "Punctuation") {
    const auto behavior = node.find("behavior");
    return std::make_unique<AtCharacters>(is_punctuation,
                                          behavior ? split_behavior(*behavior) : SplitBehavior::isolated);
  }
  if (type == "Digits") {
    const bool individual = node.at("individual_digits").boolean();
    return std::make_unique<AtCharacters>(is_numeric,
                                          individual ? SplitBehavior::isolated : SplitBehavior::contiguous);
  }
  if (type == "CharDelimiterSplit" || type == "Delimiter") {
    return std::make_unique<CharDelimiterSplit>(single_character(node.at("delimiter")));
  }
  if (type == "Split") {
    return std::make_unique<Split>(Regex::from_json(node.at("pattern")), split_behavior(node.at("behavior")),
                                   node.at("invert").boolean());
  }
  if (type == "ByteLevel") {
    return std::make_unique<ByteLevel>(node.at("add_prefix_space").boolean(),
                                       node.boolean_or("use_regex", true));
  }
  if (type == "Metaspace") return std::make_unique<MetaspaceStep>(Metaspace::parse(node));
  node.fail_unsupported("the pre-tokenizer '" + type + "'");
}

}  // namespace

std::unique_ptr<PreTokenizer> PreTokenizer::make(const JsonNode& node) {
  return make_at(node, 0);
}

}  // namespace moa
