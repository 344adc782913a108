// Texts that are longer than a model's context are cut as the reference cuts them; one warning a run says so.
#pragma once

#include <span>
#include <string>

#include <moa/model.hpp>

#include "cli/console.hpp"

namespace moa::cli {

// Of a run over `texts`.
void warn_of_truncation(const EmbedReport& report, std::span<const std::string> texts, Console& console);

void warn_of_truncation(const Truncation& truncated, Console& console);

}  // namespace moa::cli
