#include "text/normalizer.hpp"
#include "text/rewrite_characters.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

// CJK ideographs as BERT lists them: not kana, not hangul; 2B920 for 2B820 is in the original.
bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_cleaned_away(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0 || c == 0xFFFD || is_other(c);
}

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const JsonNode& node)
      : clean_text_(node.at("clean_text").boolean()),
        space_chinese_(node.at("handle_chinese_chars").boolean()),
        lowercase_(node.at("lowercase").boolean()),
        strip_accents_(node.boolean_or("strip_accents", lowercase_)) {}

  void apply(Piece& piece) const override {
    if (clean_text_) {
      drop_characters(piece, is_cleaned_away);
      rewrite_characters(
          piece, [](std::string& text, char32_t c) { append_utf8(text, is_white_space(c) ? U' ' : c); });
    }
    if (space_chinese_) {
      rewrite_characters(piece, [](std::string& text, char32_t c) {
        if (!is_chinese(c)) return append_utf8(text, c);
        text.push_back(' ');
        append_utf8(text, c);
        text.push_back(' ');
      });
    }
    if (strip_accents_) {
      piece.text = normal_form(piece.text, NormalForm::nfd);
      drop_characters(piece, is_nonspacing_mark);
    }
    if (lowercase_) rewrite_characters(piece, append_lower);
  }

 private:
  bool clean_text_;
  bool space_chinese_;
  bool lowercase_;
  bool strip_accents_;
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const JsonNode& node) {
  return std::make_unique<BertNormalizer>(node);
}

}  // namespace moa
