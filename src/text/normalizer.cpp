#include "text/normalizer.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "text/byte_level.hpp"
#include "text/precompiled_charsmap.hpp"
#include "text/regex.hpp"
#include "text/rewrite_characters.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

constexpr int kMaxNesting = 16;

// Turns the text by `map`, and what stands at its front by itself.
template <typename Map>
void map_text(Piece& piece, Map map) {
  const std::string_view front = std::string_view(piece.text).substr(0, piece.front);
  const std::size_t mapped_front = front.empty() ? 0 : map(front).size();
  piece.text = map(piece.text);
  check_normalized_size(piece.text.size());
  piece.front = std::min(mapped_front, piece.text.size());
  // What follows may have joined it: é is one character where the front, by itself, is an e.
  while (piece.front < piece.text.size() &&
         (static_cast<unsigned char>(piece.text[piece.front]) & 0xC0) == 0x80) {
    ++piece.front;
  }
}

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  void apply(Piece& piece) const override {
    for (const auto& step : steps_) step->apply(piece);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(NormalForm form) : form_(form) {}
  void apply(Piece& piece) const override {
    map_text(piece, [this](std::string_view text) { return normal_form(text, form_); });
  }

 private:
  NormalForm form_;
};

class Lowercase final : public Normalizer {
 public:
  void apply(Piece& piece) const override { rewrite_characters(piece, append_lower); }
};

class StripAccents final : public Normalizer {
 public:
  void apply(Piece& piece) const override { drop_characters(piece, is_combining_mark); }
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void apply(Piece& piece) const override {
    // The bounds of what is not white space; all white space goes from either side.
    std::size_t begin = piece.text.size();
    std::size_t end = 0;
    for (std::size_t at = 0; at < piece.text.size();) {
      const std::size_t here = at;
      if (is_white_space(next_code_point(piece.text, at))) continue;
      begin = std::min(begin, here);
      end = at;
    }
    if (!left_) begin = 0;
    if (!right_) end = piece.text.size();
    piece.front -= std::min(begin, piece.front);
    piece.text = begin < end ? piece.text.substr(begin, end - begin) : std::string();
    piece.front = std::min(piece.front, piece.text.size());
  }

 private:
  bool left_;
  bool right_;
};

class Replace final : public Normalizer {
 public:
  Replace(Regex pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void apply(Piece& piece) const override {
    std::string text;
    text.reserve(piece.text.size());
    std::size_t front = 0;
    for (const Span& span : pattern_.find(piece.text)) {
      const std::size_t begin = text.size();
      text.append(span.is_match ? content_ : piece.text.substr(span.begin, span.end - span.begin));
      check_normalized_size(text.size());
      // What replaces several characters stands, for the reference, where the last of them stood.
      if (span.end <= piece.front) {
        front = text.size();
      } else if (!span.is_match && span.begin < piece.front) {
        front = begin + piece.front - span.begin;
      }
    }
    piece = {std::move(text), piece.front == 0 ? 0 : front};
  }

 private:
  Regex pattern_;
  std::string content_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void apply(Piece& piece) const override {
    if (piece.text.empty()) return;
    piece.text.insert(0, prefix_);
    check_normalized_size(piece.text.size());
    if (piece.starts_text()) piece.front += prefix_.size();
  }

 private:
  std::string prefix_;
};

// SentencePiece's list of controls that vanish and of characters that count as space.
class Nmt final : public Normalizer {
 public:
  void apply(Piece& piece) const override {
    drop_characters(piece, [](char32_t c) {
      return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
    });
    rewrite_characters(piece, [](std::string& text, char32_t c) {
      const bool is_space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                            (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                            c == 0xFEFF || c == 0xFFFD;
      append_utf8(text, is_space ? U' ' : c);
    });
  }
};

class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(PrecompiledCharsmap map) : map_(std::move(map)) {}
  void apply(Piece& piece) const override {
    map_text(piece, [this](std::string_view text) { return map_.normalize(text); });
  }

 private:
  PrecompiledCharsmap map_;
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(Piece& piece) const override { map_text(piece, bytes_to_characters); }
};

std::unique_ptr<Normalizer> make_at(const JsonNode& node, int nesting) {
  const std::string type = node.type();
  if (type == "Sequence") {
    if (nesting == kMaxNesting) node.fail("sequences nest too deep");
    std::vector<std::unique_ptr<Normalizer>> steps;
    for (const JsonNode& step : node.at("normalizers").items()) steps.push_back(make_at(step, nesting + 1));
    return std::make_unique<Sequence>(std::move(steps));
  }
  if (type == "NFC") return std::make_unique<UnicodeForm>(NormalForm::nfc);
  if (type == "NFD") return std::make_unique<UnicodeForm>(NormalForm::nfd);
  if (type == "NFKC") return std::make_unique<UnicodeForm>(NormalForm::nfkc);
  if (type == "NFKD") return std::make_unique<UnicodeForm>(NormalForm::nfkd);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "StripAccents") return std::make_unique<StripAccents>();
  if (type == "Strip") {
    return std::make_unique<Strip>(node.at("strip_left").boolean(), node.at("strip_right").boolean());
  }
  if (type == "Replace") {
    return std::make_unique<Replace>(Regex::from_json(node.at("pattern")),
                                     std::string(node.at("content").string()));
  }
  if (type == "Prepend") return std::make_unique<Prepend>(std::string(node.at("prepend").string()));
  if (type == "Nmt") return std::make_unique<Nmt>();
  if (type == "Precompiled") {
    const auto map = node.find("precompiled_charsmap");
    if (!map || map->string().empty())
      return std::make_unique<Sequence>(std::vector<std::unique_ptr<Normalizer>>());
    return std::make_unique<Precompiled>(PrecompiledCharsmap::parse(map->string()));
  }
  if (type == "BertNormalizer") return make_bert_normalizer(node);
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  node.fail_unsupported("the normalizer '" + type + "'");
}

}  // namespace

std::unique_ptr<Normalizer> make_precompiled(std::string_view charsmap) {
  return std::make_unique<Precompiled>(PrecompiledCharsmap::from_bytes(charsmap));
}

std::unique_ptr<Normalizer> Normalizer::make(const JsonNode& node) {
  return make_at(node, 0);
}

std::unique_ptr<Normalizer> lowercase_before(std::unique_ptr<Normalizer> rest) {
  std::vector<std::unique_ptr<Normalizer>> steps;
  steps.push_back(std::make_unique<Lowercase>());
  if (rest) steps.push_back(std::move(rest));
  return std::make_unique<Sequence>(std::move(steps));
}

}  // namespace moa
