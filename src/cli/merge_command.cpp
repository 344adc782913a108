// moa merge: the model between two.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <moa/merge.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

int run_merge(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  if (words.size() != 2) fail_usage(arguments.command(), "expected two models, BASE and TUNED");
  const std::optional<std::string> directory = arguments.value("output");
  if (!directory) fail_usage(arguments.command(), "expected -o DIR, the directory to make");
  interpolate(words[0], words[1], arguments.number("share").value_or(0.5), *directory);
  console.note("written: " + *directory);
  return 0;
}

constexpr std::array kOptions = {
    Option{0, "share", "X", "How much of TUNED there is in it: 0 is BASE, 1 is TUNED (0.5)"},
    Option{'o', "output", "DIR", "The directory to make; it must not be there", {}, {}, Completes::folders},
};
constexpr std::array<Options, 2> kGroups = {kOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"Keep what a model knew before it was tuned on a narrow set",
            "moa merge openai/clip-vit-base-patch32 ./tuned --share 0.5 -o ./robust"},
};

}  // namespace

constexpr Command kMergeCommand = {
    .name = "merge",
    .summary = "Make the model between a model and its fine-tuned version",
    .usage = "BASE TUNED -o DIR [options]",
    .description =
        "Every weight of the new model lies between those of BASE and TUNED, which have the same "
        "architecture "
        "and sizes (WiSE-FT). Such a model often keeps BASE's sureness on other pictures and most of what "
        "TUNED "
        "gained. What is beside the weights is BASE's. DIR appears whole or not at all.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::models,
    .run = run_merge,
};

}  // namespace moa::cli
