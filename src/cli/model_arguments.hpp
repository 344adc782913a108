// From the shared options to the library's own.
#pragma once

#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"

namespace moa::cli {

// --model, or the bundled default.
std::string model_name(const Arguments& arguments);
// What an index calls its model: --model, and --adapter and --prompt-vectors where there are any.
std::string model_label(const Arguments& arguments);
// The options of kModelOptions but --model.
LoadOptions load_options(const Arguments& arguments);
// Says what computes, if that is not moa itself.
Model load_model(const Arguments& arguments, Console& console);

// ,"dtype":"int8" for results that were not computed in f32; nothing for f32.
std::string json_dtype(const std::string& dtype);

// --batch, --max-megapixels; ends early when the user interrupts.
EmbedOptions embed_options(const Arguments& arguments);

}  // namespace moa::cli
