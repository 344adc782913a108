// Labelled pictures that have a say in a classification: --examples and how much they count.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <moa/eval.hpp>
#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"

namespace moa::cli {

inline constexpr std::array kExampleOptions = {
    Option{
        0,
        "examples",
        "PLACE",
        "Pictures whose labels are known, which are asked too: a folder with one folder a label, or a table",
        {},
        {},
        Completes::files},
    Option{0, "examples-alpha", "A", "What one example counts, where a label's words count 100 (1)"},
    Option{0, "examples-beta", "B", "How fast that falls with its distance (5.5)"},
};

// What --examples names, read before any model is loaded. Empty without it.
std::optional<LabelledPictures> read_examples(const Arguments& arguments);

// The examples' vectors, under the places of their labels among `labels`. One that cannot be read is warned
// of and left out. Errors: invalid_argument for a label that is not among them; cancelled.
std::shared_ptr<const ExampleCache> embed_examples(const Arguments& arguments,
                                                   const LabelledPictures& examples,
                                                   std::span<const std::string> labels, const Model& model,
                                                   Console& console);

}  // namespace moa::cli
