#include "text/normalizer.hpp"

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
  void apply(Piece& piece) const override { piece.text = normal_form(piece.text, form_); }

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
    if (begin > 0) piece.starts_text = false;
    piece.text = begin < end ? piece.text.substr(begin, end - begin) : std::string();
  }

 private:
  bool left_;
  bool right_;
};

class Replace final : public Normalizer {
 public:
  Replace(Regex pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void apply(Piece& piece) const override {
    const Spans spans = pattern_.find(piece.text);
    std::string text;
    text.reserve(piece.text.size());
    for (const Span& span : spans) {
      text.append(span.is_match ? content_ : piece.text.substr(span.begin, span.end - span.begin));
    }
    // What replaces several characters stands, for the reference, where the last of them stood.
    if (!spans.empty() && spans.front().is_match && spans.front().end > 0) {
      std::size_t second = 0;
      next_code_point(piece.text, second);
      if (content_.empty() || spans.front().end > second) piece.starts_text = false;
    }
    piece.text = std::move(text);
  }

 private:
  Regex pattern_;
  std::string content_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void apply(Piece& piece) const override {
    if (!piece.text.empty()) piece.text.insert(0, prefix_);
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
  explicit Precompiled(std::string_view base64) : map_(PrecompiledCharsmap::parse(base64)) {}
  void apply(Piece& piece) const override { piece.text = map_.normalize(piece.text); }

 private:
  PrecompiledCharsmap map_;
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(Piece& piece) const override { piece.text = bytes_to_characters(piece.text); }
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
    return std::make_unique<Precompiled>(map->string());
  }
  if (type == "BertNormalizer") return make_bert_normalizer(node);
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  node.fail_unsupported("the normalizer '" + type + "'");
}

}  // namespace

std::unique_ptr<Normalizer> Normalizer::make(const JsonNode& node) {
  return make_at(node, 0);
}

}  // namespace moa
