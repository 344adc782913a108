#include "cli/truncation.hpp"

#include <algorithm>

#include "cli/display.hpp"
#include "embed/scoring.hpp"

namespace moa::cli {
namespace {

// A token stands for a byte at least, and no model that is published has a shorter context (SigLIP's):
// shorter texts need not be asked about.
constexpr std::size_t kShortestContext = 64;

}  // namespace

void warn_of_truncation(const EmbedReport& report, std::span<const std::string> texts, Console& console) {
  if (report.truncated_texts == 0) return;
  const std::string first = report.first_truncated
                                ? ", the first at index " + std::to_string(*report.first_truncated) + ": '" +
                                      cut_end(displayable(texts[*report.first_truncated]), 40) + "'"
                                : std::string();
  console.warn((report.truncated_texts == 1 ? "1 text is longer than the model's context and was cut"
                                            : std::to_string(report.truncated_texts) +
                                                  " texts are longer than the model's context and were cut") +
               first);
}

void warn_of_truncation(const Model& model, std::span<const std::string> texts, const EmbedOptions& options,
                        Console& console) {
  std::vector<Input> inputs;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() + 2 <= kShortestContext) continue;  // with a token before it and one behind
    inputs.push_back(Input::text(texts[i]));
    places.push_back(i);
  }
  if (inputs.empty()) return;
  EmbedReport report = model.embed(inputs, options, [](const Embedded&) {});  // what fails is told later
  if (report.first_truncated) report.first_truncated = places[*report.first_truncated];
  warn_of_truncation(report, texts, console);
}

void warn_of_truncation(const Model& model, std::span<const std::string> labels,
                        const ClassifyOptions& options, Console& console) {
  // Half of the context is left to a template of the model's own.
  const auto is_long = [](const std::string& text) { return text.size() > kShortestContext / 2; };
  if (std::ranges::none_of(labels, is_long) && std::ranges::none_of(options.templates, is_long)) return;
  const std::vector<std::string> templates =
      options.templates.empty() ? model.info().templates : options.templates;
  warn_of_truncation(model, label_texts(labels, templates), options.embed, console);
}

}  // namespace moa::cli
