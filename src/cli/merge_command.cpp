// moa merge: the model between two, or a model with an adapter in its weights.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <moa/merge.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/interrupt.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

int run_merge(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  const std::optional<std::string> adapter = arguments.value("adapter");
  if (!adapter && words.size() != 2)
    fail_usage(arguments.command(), "expected two models, BASE and TUNED, or BASE and --adapter F");
  if (adapter && words.size() != 1)
    fail_usage(arguments.command(), "--adapter F expects one model beside it, BASE");
  const std::optional<std::string> directory = arguments.value("output");
  if (!directory) fail_usage(arguments.command(), "expected -o DIR, the directory to make");
  const std::optional<double> share = arguments.number("share");
  if (adapter) {
    merge_adapter(words[0], *adapter, share.value_or(1), *directory, &interrupted());
  } else {
    interpolate(words[0], words[1], share.value_or(0.5), *directory, &interrupted());
  }
  console.note("written: " + *directory);
  return 0;
}

constexpr std::array kOptions = {
    Option{0, "share", "X",
           "How much of TUNED (0.5), or of the adapter (1), there is in it: 0 is BASE, 1 is TUNED"},
    Option{0,
           "adapter",
           "F",
           "Instead of TUNED: a folder that moa train or peft (LoRA) wrote, or its safetensors file",
           {},
           {},
           Completes::files},
    Option{'o', "output", "DIR", "The directory to make; it must not be there", {}, {}, Completes::folders},
};
constexpr std::array<Options, 2> kGroups = {kOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"Keep what a model knew before it was tuned on a narrow set",
            "moa merge openai/clip-vit-base-patch32 ./tuned --share 0.5 -o ./robust"},
    Example{"A model for programs that know no adapters",
            "moa merge openai/clip-vit-base-patch32 --adapter ./out/adapter -o ./merged"},
};

}  // namespace

constexpr Command kMergeCommand = {
    .name = "merge",
    .summary = "Make the model between a model and its fine-tuned version, or one with its adapter",
    .usage = "BASE TUNED|--adapter F -o DIR [options]",
    .description =
        "Every weight of the new model lies between those of BASE and TUNED, which have the same "
        "architecture "
        "and sizes (WiSE-FT). Such a model often keeps BASE's sureness on other pictures and most of what "
        "TUNED "
        "gained. With --adapter the adapter is added to BASE's weights. What is beside the weights is "
        "BASE's. DIR appears whole or not at all.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::models,
    .run = run_merge,
};

}  // namespace moa::cli
