// moa models: what --model may name without a path.
#include <algorithm>
#include <array>
#include <string>

#include <moa/hub.hpp>

#include "cli/arguments.hpp"
#include "cli/display.hpp"
#include "cli/json_text.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

int run_models(const Arguments& arguments) {
  if (!arguments.inputs().empty()) fail_usage(arguments.command(), "expected no inputs");
  const std::vector<InstalledModel> models = installed_models();
  const std::string format = arguments.value_or("format", "table");
  std::size_t columns = 0;
  for (const InstalledModel& model : models)
    columns = std::max(columns, display_width(displayable(model.name)));

  Output output = Output::to_stdout();
  for (const InstalledModel& model : models) {
    if (format == "names") {
      output.write(model.name + "\n");
    } else if (format == "jsonl") {
      output.write("{\"name\":" + json(model.name) + ",\"bundled\":" + (model.bundled ? "true" : "false") +
                   "," + json_path("path", model.path.string()) + "}\n");
    } else {
      output.write(pad_right(displayable(model.name), columns) + "  " +
                   (model.bundled ? "bundled" : "cached ") + "  " + displayable(model.path.string()) + "\n");
    }
  }
  output.finish();
  return 0;
}

constexpr std::array kOptions = {
    Option{0, "format", "FORMAT", "How the list is written", "table|jsonl|names"},
};
constexpr std::array<Options, 2> kGroups = {kOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"What can --model name?", "moa models"},
    Example{"What is in one of them?", "moa inspect moa-mini"},
};

}  // namespace

constexpr Command kModelsCommand = {
    .name = "models",
    .summary = "List the models on this machine",
    .usage = "[options]",
    .description =
        "Lists the bundled models and those in the local cache of the model hub (HF_HUB_CACHE, HF_HOME, "
        "~/.cache/huggingface). Whether moa can run one says moa inspect.\n",
    .options = kGroups,
    .examples = kExamples,
    .run = run_models,
};

}  // namespace moa::cli
