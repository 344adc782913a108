// SentencePiece's visible space, "▁": what the pre-tokenizer and the decoder of this name share.
#pragma once

#include <string>

#include "text/json_node.hpp"

namespace moa {

struct Metaspace {
  enum class Prepend { always, first, never };

  std::string replacement;  // one character
  Prepend prepend = Prepend::always;
  bool split = true;

  static Metaspace parse(const JsonNode& node);
};

// The string `node` as the one character that it must be.
char32_t single_character(const JsonNode& node);

}  // namespace moa
