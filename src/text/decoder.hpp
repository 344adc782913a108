// The "decoder" of tokenizer.json: from tokens back to text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/json_node.hpp"

namespace moa {

// One step. Immutable, safe from any number of threads.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // What the text is made of, token by token; the last step's result is joined.
  virtual void apply(std::vector<std::string>& tokens) const = 0;

  // Errors: unsupported, naming it, for a type that moa does not know; corrupt_data.
  static std::unique_ptr<Decoder> make(const JsonNode& node);
};

// `text` with every `mark` turned into a space, and no white space at its ends.
std::string spaces_for(std::string text, const std::string& mark);

// Takes back the spaces that English tokenizers put before punctuation and contractions.
std::string clean_up_spaces(std::string text);

}  // namespace moa
