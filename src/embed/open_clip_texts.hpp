// What open_clip does to texts and ids around a tokenizer of transformers: "tokenizer_kwargs" of its
// "text_cfg".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"

namespace moa {

struct OpenClipTexts {
  bool canonicalizes = false;     // clean: "canonicalize", which SigLIP learned with
  bool strips_separator = false;  // strip_sep_token: the id of BERT's "[SEP]" becomes 0 (CLIPA)

  // From open_clip_config.json. What only mends white space and broken encodings (clean: "whitespace", the
  // default, and "lower") is left to the tokenizer. Error: unsupported for another field or value, by its
  // name.
  static OpenClipTexts read(const Config& open_clip_config);
};

// Lower case (Σ at a word's end becomes ς, as in Python), without ASCII punctuation ('_' becomes a space),
// one space between words. `utf8` must be UTF-8.
std::string canonicalized(std::string_view utf8);

}  // namespace moa
