// The "pre_tokenizer" of tokenizer.json: where a normalised text is cut into the pieces that the model sees.
#pragma once

#include <functional>
#include <memory>

#include "text/json_node.hpp"
#include "text/piece.hpp"

namespace moa {

// Takes a piece that is ready.
using PieceSink = std::function<void(Piece&)>;

// One step. Immutable, safe from any number of threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Gives what `piece` is cut into to `sink`, in order; empty pieces vanish. `piece` is used up.
  virtual void split(Piece& piece, const PieceSink& sink) const = 0;

  // Errors: unsupported, naming it, for a type that moa does not know; corrupt_data.
  static std::unique_ptr<PreTokenizer> make(const JsonNode& node);
};

}  // namespace moa
