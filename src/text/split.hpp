// What becomes of the matches where a text is cut.
#pragma once

#include <string_view>

#include "base/utf8.hpp"
#include "text/json_node.hpp"
#include "text/piece.hpp"
#include "text/pre_tokenizer.hpp"

namespace moa {

enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

SplitBehavior split_behavior(const JsonNode& name);

// Gives what is left of `piece` when it is cut into `spans` to `sink`.
void emit_split(const Piece& piece, Spans spans, SplitBehavior behavior, const PieceSink& sink);

// Every character for which `matches` holds is a match of its own.
template <typename Matches>
Spans character_spans(std::string_view text, Matches matches) {
  Spans spans;
  std::size_t covered = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!matches(next_code_point(text, at))) continue;
    if (covered < here) spans.push_back({covered, here, false});
    spans.push_back({here, at, true});
    covered = at;
  }
  if (covered < text.size()) spans.push_back({covered, text.size(), false});
  return spans;
}

}  // namespace moa
