// The "pre_tokenizer" of tokenizer.json: where a normalised text is cut into the pieces that the model sees.
#pragma once

#include <memory>
#include <vector>

#include "text/json_node.hpp"
#include "text/piece.hpp"

namespace moa {

// One step. Immutable, safe from any number of threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Cuts every piece; empty ones vanish.
  virtual void split(std::vector<Piece>& pieces) const = 0;

  // Errors: unsupported, naming it, for a type that moa does not know; corrupt_data.
  static std::unique_ptr<PreTokenizer> make(const JsonNode& node);
};

}  // namespace moa
