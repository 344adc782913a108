#include "text/canonical_text.hpp"

#include <string>

#include "base/utf8.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

constexpr char32_t kMark = U'▁';

class CanonicalText final : public Normalizer {
 public:
  explicit CanonicalText(const CanonicalTextOptions& options) : options_(options) {}

  void apply(Piece& piece) const override {
    const std::string text = options_.lowercase ? lower_in_context(piece.text) : piece.text;
    check_normalized_size(text.size());
    std::string canonical;
    if (piece.starts_text()) append_utf8(canonical, kMark);
    bool space_waits = false;
    for (std::size_t at = 0; at < text.size();) {
      const char32_t c = next_code_point(text, at);
      if (is_ascii_punctuation(c)) continue;
      if (is_python_space(c) || c == kMark) {
        space_waits = true;
        continue;
      }
      if (space_waits && !canonical.empty()) canonical += ' ';
      space_waits = false;
      append_utf8(canonical, c);
    }
    piece.front = piece.starts_text() ? std::string_view("▁").size() : 0;
    piece.text = std::move(canonical);
  }

 private:
  CanonicalTextOptions options_;
};

}  // namespace

std::unique_ptr<Normalizer> make_canonical_text(const CanonicalTextOptions& options) {
  return std::make_unique<CanonicalText>(options);
}

}  // namespace moa
