// moa models: what --model may name without a path.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <moa/hub.hpp>
#include <moa/system.hpp>

#include "cli/arguments.hpp"
#include "cli/display.hpp"
#include "cli/json_text.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : "+") + word;
  return text;
}

std::string json_list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + json(word);
  return "[" + text + "]";
}

// What a model may be, rather than which models there are.
int list_architectures(const std::string& format) {
  const std::vector<ArchitectureInfo> list = supported_architectures();
  std::size_t names = 0;
  std::size_t layouts = 0;
  std::size_t towers = 0;
  for (const ArchitectureInfo& info : list) {
    names = std::max(names, info.name.size());
    layouts = std::max(layouts, info.layout.size());
    towers = std::max(towers, joined(info.towers).size());
  }
  Output output = Output::to_stdout();
  std::string objects;
  for (const ArchitectureInfo& info : list) {
    const std::string object = "{\"name\":" + json(info.name) + ",\"layout\":" + json(info.layout) +
                               ",\"model_type\":" + json(info.model_type) +
                               ",\"towers\":" + json_list(info.towers) +
                               ",\"summary\":" + json(info.summary) + "}";
    if (format == "names") {
      output.write(info.name + "\n");
    } else if (format == "jsonl") {
      output.write(object + "\n");
    } else if (format == "json") {
      objects += (objects.empty() ? "" : ",") + object;
    } else {
      output.write(pad_right(info.name, names) + "  " + pad_right(info.layout, layouts) + "  " +
                   pad_right(joined(info.towers), towers) + "  " + info.summary + "\n");
    }
  }
  if (format == "json") output.write("{\"architectures\":[" + objects + "]}\n");
  output.finish();
  return 0;
}

int run_models(const Arguments& arguments) {
  if (!arguments.inputs().empty()) fail_usage(arguments.command(), "expected no inputs");
  if (arguments.has("architectures")) return list_architectures(arguments.value_or("format", "table"));
  const std::vector<InstalledModel> models = installed_models();
  const std::string format = arguments.value_or("format", "table");
  std::size_t columns = 0;
  for (const InstalledModel& model : models)
    columns = std::max(columns, display_width(displayable(model.name)));

  Output output = Output::to_stdout();
  std::string objects;
  for (const InstalledModel& model : models) {
    const std::string object = "{\"name\":" + json(model.name) +
                               ",\"bundled\":" + (model.bundled ? "true" : "false") + "," +
                               json_path("path", model.path.string()) + "}";
    if (format == "names") {
      output.write(model.name + "\n");
    } else if (format == "jsonl") {
      output.write(object + "\n");
    } else if (format == "json") {
      objects += (objects.empty() ? "" : ",") + object;
    } else {
      output.write(pad_right(displayable(model.name), columns) + "  " +
                   (model.bundled ? "bundled" : "cached ") + "  " + displayable(model.path.string()) + "\n");
    }
  }
  if (format == "json") output.write("{\"models\":[" + objects + "]}\n");
  output.finish();
  return 0;
}

constexpr std::array kOptions = {
    Option{0, "architectures", "", "The kinds of models that moa can load, instead of those on this machine"},
    Option{0, "format", "FORMAT", "How the list is written", "table|json|jsonl|names"},
};
constexpr std::array<Options, 2> kGroups = {kOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"What can --model name?", "moa models"},
    Example{"What is in one of them?", "moa inspect moa-mini"},
    Example{"Which others could be loaded?", "moa models --architectures"},
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
