#include "cli/truncation.hpp"

#include "cli/display.hpp"

namespace moa::cli {

void warn_of_truncation(const EmbedReport& report, std::span<const std::string> texts, Console& console) {
  if (!report.first_truncated) return;
  const std::size_t first = *report.first_truncated;
  warn_of_truncation({report.truncated_texts, first, texts[first]}, console);
}

void warn_of_truncation(const Truncation& truncated, Console& console) {
  if (truncated.texts == 0) return;
  console.warn((truncated.texts == 1 ? "1 text is longer than the model's context and was cut"
                                     : std::to_string(truncated.texts) +
                                           " texts are longer than the model's context and were cut") +
               ", the first at index " + std::to_string(truncated.first_index) + ": '" +
               cut_end(displayable(truncated.first), 40) + "'");
}

}  // namespace moa::cli
