// A compiled pattern, and where it matches.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/piece.hpp"

namespace moa {

class JsonNode;

// Immutable, safe from any number of threads.
class Regex {
 public:
  // tokenizer.json's {"Regex": pattern} or {"String": text}.
  static Regex from_json(const JsonNode& node);
  // `pattern` in the dialect of tokenizer.json (regex_rewrite.hpp). Errors: corrupt_data, unsupported,
  // limit_exceeded.
  explicit Regex(std::string_view pattern);
  // Matches exactly `text`.
  static Regex literal(std::string_view text);

  // Cuts all of `text` (well-formed UTF-8) into matches and what lies between, empty matches included, as
  // Oniguruma's find_iter does. Error: limit_exceeded if a match needs more than 10 million steps or 64 MiB.
  Spans find(std::string_view text) const;
  // Whether it matches anywhere in `text`. Error: as above.
  bool matches(std::string_view text) const;

 private:
  struct Code;
  class Search;
  explicit Regex(std::shared_ptr<const Code> code) : code_(std::move(code)) {}
  std::shared_ptr<const Code> code_;
};

}  // namespace moa
