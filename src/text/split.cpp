#include "text/split.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace moa {
namespace {

// Joins a span to its neighbour where `joins(is_match, was_match)` says so.
template <typename Joins>
Spans join(const Spans& spans, Joins joins) {
  Spans joined;
  bool was_match = false;
  for (const Span& span : spans) {
    if (joins(span.is_match, was_match) && !joined.empty()) {
      joined.back().begin = std::min(joined.back().begin, span.begin);
      joined.back().end = std::max(joined.back().end, span.end);
    } else {
      joined.push_back(span);
    }
    was_match = span.is_match;
  }
  return joined;
}

Spans behave(Spans spans, SplitBehavior behavior) {
  const auto first_of_matches = [](bool is_match, bool was_match) { return is_match && !was_match; };
  switch (behavior) {
    case SplitBehavior::removed:
      std::erase_if(spans, [](const Span& span) { return span.is_match; });
      return spans;
    case SplitBehavior::isolated:
      return spans;
    case SplitBehavior::contiguous:
      return join(spans, [](bool is_match, bool was_match) { return is_match == was_match; });
    case SplitBehavior::merged_with_previous:
      return join(spans, first_of_matches);
    case SplitBehavior::merged_with_next:
      std::reverse(spans.begin(), spans.end());
      spans = join(spans, first_of_matches);
      std::reverse(spans.begin(), spans.end());
      return spans;
  }
  return spans;
}

}  // namespace

SplitBehavior split_behavior(const JsonNode& name) {
  const std::string_view behavior = name.string();
  if (behavior == "Removed") return SplitBehavior::removed;
  if (behavior == "Isolated") return SplitBehavior::isolated;
  if (behavior == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (behavior == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (behavior == "Contiguous") return SplitBehavior::contiguous;
  name.fail_unsupported("the behavior '" + std::string(behavior) + "'");
}

void emit_split(const Piece& piece, Spans spans, SplitBehavior behavior, const PieceSink& sink) {
  for (const Span& span : behave(std::move(spans), behavior)) {
    if (span.begin == span.end) continue;
    Piece part{piece.text.substr(span.begin, span.end - span.begin),
               piece.front > span.begin ? piece.front - span.begin : 0};
    sink(part);
  }
}

}  // namespace moa
