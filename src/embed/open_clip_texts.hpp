// What open_clip and OpenAI's package do to texts and ids around a tokenizer.
#pragma once

#include <string>
#include <string_view>

#include "base/config.hpp"
#include "checkpoint/model_directory.hpp"

namespace moa {

struct OpenClipTexts {
  enum class Clean {
    none,          // not of theirs
    whitespace,    // cleaned(), of text/mended_text.hpp: open_clip's default around transformers' tokenizers
    lower,         // and in lower case: OpenAI's, and open_clip's around its own tokenizer
    canonicalize,  // canonicalized(), which SigLIP learned with
  };
  Clean clean = Clean::none;
  bool strips_separator = false;  // strip_sep_token: the id of BERT's "[SEP]" becomes 0 (CLIPA)

  // From open_clip_config.json ("tokenizer_kwargs" of its "text_cfg"), or as OpenAI's package has it. Error:
  // unsupported for another field or value, by its name.
  static OpenClipTexts read(ModelDirectory::Layout layout, const Config& config);

  // `utf8` as its tokenizer is given it. Error: limit_exceeded for a text that needs too many steps.
  std::string applied_to(std::string_view utf8) const;
  // What a model's identity says of it: "" for nothing.
  std::string_view version() const;
};

}  // namespace moa
