// Texts that are longer than a model's context are cut as the reference cuts them; one warning a run says so.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <moa/model.hpp>

#include "cli/console.hpp"

namespace moa::cli {

// Of a run over `texts`.
void warn_of_truncation(const EmbedReport& report, std::span<const std::string> texts, Console& console);

// Before texts go where nothing reports of it. `model` keeps the vectors of those that it is asked for here,
// so that nothing is computed twice.
void warn_of_truncation(const Model& model, std::span<const std::string> texts, const EmbedOptions& options,
                        Console& console);

// Of labels in their templates; without templates, in the model's own.
void warn_of_truncation(const Model& model, std::span<const std::string> labels,
                        const ClassifyOptions& options, Console& console);

}  // namespace moa::cli
