// The "normalizer" of tokenizer.json: what is done to a text before it is cut.
#pragma once

#include <memory>
#include <string_view>

#include "text/json_node.hpp"
#include "text/piece.hpp"

namespace moa {

// One step. Immutable, safe from any number of threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(Piece& piece) const = 0;

  // Errors: unsupported, naming it, for a type that moa does not know; corrupt_data.
  static std::unique_ptr<Normalizer> make(const JsonNode& node);
};

// Lower-casing, and then what `rest` does, which may be null.
std::unique_ptr<Normalizer> lowercase_before(std::unique_ptr<Normalizer> rest);

// SentencePiece's map from strings to their normal forms, in its own binary form. Error: corrupt_data.
std::unique_ptr<Normalizer> make_precompiled(std::string_view charsmap);

// BERT's: clean, space Chinese characters, strip accents, lower. (bert_normalizer.cpp)
std::unique_ptr<Normalizer> make_bert_normalizer(const JsonNode& node);

}  // namespace moa
