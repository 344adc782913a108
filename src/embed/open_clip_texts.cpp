#include "embed/open_clip_texts.hpp"

#include <moa/error.hpp>

#include "base/utf8.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

[[noreturn]] void refuse(const Config& options, const std::string& found, const std::string& expected) {
  throw Error(ErrorCode::unsupported, options.where() + ": found " + found + ", expected " + expected);
}

}  // namespace

OpenClipTexts OpenClipTexts::read(const Config& config) {
  const Config options = config.object("model_cfg").object("text_cfg").object("tokenizer_kwargs");
  for (const std::string& key : options.keys()) {
    if (key != "clean" && key != "strip_sep_token" && options.has(key)) {
      refuse(options, "'" + key + "'", "'clean' or 'strip_sep_token'");
    }
  }
  const std::string clean = options.string("clean", "whitespace");
  if (clean != "canonicalize" && clean != "whitespace" && clean != "lower") {
    refuse(options, "'clean' of '" + clean + "'", "'canonicalize', 'lower' or 'whitespace'");
  }
  return {clean == "canonicalize", options.boolean("strip_sep_token", false)};
}

std::string canonicalized(std::string_view utf8) {
  constexpr char32_t kCapitalSigma = U'Σ';
  constexpr std::string_view kFinalSigma = "ς";  // as many bytes as σ
  std::string text;
  char32_t last = U' ';
  bool sigma_may_end_word = false;  // the last character is a sigma behind a letter
  const auto end_word = [&] {
    if (sigma_may_end_word) text.replace(text.size() - kFinalSigma.size(), kFinalSigma.size(), kFinalSigma);
    sigma_may_end_word = false;
  };
  bool space_waits = false;
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t c = next_code_point(utf8, at);
    if (is_python_space(c) || c == U'_') {
      space_waits = true;
    } else if (!is_ascii_punctuation(c)) {
      const bool follows_word = is_word(last) && !space_waits;
      if (space_waits || !is_word(c)) end_word();
      if (space_waits && !text.empty()) text += ' ';
      space_waits = false;
      append_lower(text, c);
      sigma_may_end_word = c == kCapitalSigma && follows_word;
      last = c;
    }
  }
  end_word();
  return text;
}

}  // namespace moa
