// How a model that was made smaller compares with what it was made of: on pictures and texts that the user
// names, told at the end of a report.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <moa/quantize.hpp>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/inputs.hpp"

namespace moa::cli {

inline constexpr std::array kComparisonOptions = {
    Option{0,
           "images",
           "FOLDER",
           "Pictures to compare the two models on (repeatable)",
           {},
           {},
           Completes::files},
    Option{
        0, "texts-file", "F", "Texts to compare them on, one a line (repeatable)", {}, {}, Completes::files},
};

struct ComparisonSet {
  InputList pictures;
  std::vector<std::string> texts;
};

// What the options name. Errors: not_found for a place of pictures that is not there, so that no long work is
// begun for it; those of add_inputs() and read_texts(); what the model lacks for all of them.
ComparisonSet read_comparison_set(const Arguments& arguments, const Model& model, Console& console);

// Each picture's class is its folder's name, if the pictures lie in several folders; otherwise its own.
Comparison compare_on(const ComparisonSet& set, const Model& original, const Model& smaller,
                      Console& console);

// Says which of them have no part in what was found, and returns the exit code that they add up to.
int tell_failures(const ComparisonSet& set, const Comparison& found, Console& console);

// As further fields of a JSON object, each with its comma in front; as lines of a report.
std::string json_fields(const Comparison& found);
std::string table_lines(const Comparison& found);

std::string decimals(double value, int digits);
// "12.3 MB".
std::string megabytes(std::int64_t bytes);

}  // namespace moa::cli
