// The "model" of tokenizer.json: from a piece of text to ids.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "text/json_node.hpp"
#include "text/vocabulary.hpp"

namespace moa {

// Immutable, safe from any number of threads.
class SubwordModel {
 public:
  virtual ~SubwordModel() = default;
  // Appends the ids of `piece`, which is well-formed UTF-8.
  // Error: corrupt_data if it has a part that is unknown, and the file names no token for such.
  virtual void tokenize(std::string_view piece, std::vector<std::int32_t>& ids) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual const char* name() const = 0;  // "BPE", "WordPiece", "Unigram" or "WordLevel"

  // Errors: unsupported, naming it, for a type that moa does not know; corrupt_data; out_of_range for an id.
  static std::unique_ptr<SubwordModel> make(const JsonNode& node);
};

// The object {"token": id, ...}.
Vocabulary parse_vocabulary(const JsonNode& node);

// Ids of "<0x00>" ... "<0xFF>"; -1 where there is none.
std::vector<std::int32_t> byte_tokens(const Vocabulary& vocabulary);

}  // namespace moa
