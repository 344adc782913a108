#include "embed/open_clip_texts.hpp"

#include <moa/error.hpp>

#include "text/mended_text.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

[[noreturn]] void refuse(const Config& options, const std::string& found, const std::string& expected) {
  throw Error(ErrorCode::unsupported, options.where() + ": found " + found + ", expected " + expected);
}

OpenClipTexts::Clean clean_of(const Config& text, const Config& options) {
  using Clean = OpenClipTexts::Clean;
  const std::string clean = options.string("clean", text.has("hf_tokenizer_name") ? "whitespace" : "lower");
  if (clean == "canonicalize") return Clean::canonicalize;
  if (clean == "lower") return Clean::lower;
  if (clean == "whitespace") return Clean::whitespace;
  refuse(options, "'clean' of '" + clean + "'", "'canonicalize', 'lower' or 'whitespace'");
}

}  // namespace

OpenClipTexts OpenClipTexts::read(ModelDirectory::Layout layout, const Config& config) {
  if (layout == ModelDirectory::Layout::openai) return {Clean::lower};
  if (layout != ModelDirectory::Layout::open_clip) return {};
  const Config text = config.object("model_cfg").object("text_cfg");
  const Config options = text.object("tokenizer_kwargs");
  for (const std::string& key : options.keys()) {
    if (key != "clean" && key != "strip_sep_token" && options.has(key)) {
      refuse(options, "'" + key + "'", "'clean' or 'strip_sep_token'");
    }
  }
  return {clean_of(text, options), options.boolean("strip_sep_token", false)};
}

std::string OpenClipTexts::applied_to(std::string_view utf8) const {
  switch (clean) {
    case Clean::none:
      break;
    case Clean::whitespace:
      return cleaned(utf8);
    case Clean::lower:
      return lower_in_context(cleaned(utf8));
    case Clean::canonicalize:
      return canonicalized(utf8);
  }
  return std::string(utf8);
}

std::string_view OpenClipTexts::version() const {
  return clean == Clean::none ? "" : "cleaned texts; ";
}

}  // namespace moa
