// What prompt vectors begin as, and what becomes of them.
#pragma once

#include <cstdint>
#include <string>

#include "checkpoint/prompt_vectors.hpp"
#include "embed/loaded_model.hpp"

namespace moa::train {

struct PromptOptions {
  std::int64_t vectors = 0;  // 0: as many as `initial` has tokens, or 16
  std::string initial = {};  // words; empty: random numbers
};

// Rows of the model's table of tokens for the words; before them, where there are more vectors than tokens,
// random numbers of N(0, 0.02), as CoOp has them. Errors: unsupported (no text tower); invalid_argument (more
// tokens than vectors, or no room for a text behind them).
Parameter initial_prompt_vectors(const LoadedModel& model, const PromptOptions& options, std::uint64_t seed);

}  // namespace moa::train
