// moa eval: how good a model is on pictures whose classes or captions are known.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <moa/eval.hpp>

#include "base/number_text.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/display.hpp"
#include "cli/example_arguments.hpp"
#include "cli/exit_codes.hpp"
#include "cli/inputs.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"
#include "cli/truncation.hpp"

namespace moa::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kZeroShot = "zeroshot_classification";
constexpr std::string_view kRetrieval = "zeroshot_retrieval";
constexpr std::string_view kLinearProbe = "linear_probe";

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

double number_between(const Arguments& arguments, std::string_view name, double fallback, double least,
                      double most) {
  const double value = arguments.number(name).value_or(fallback);
  if (!(value > least && value < most)) {
    fail_usage(arguments.command(), "--" + std::string(name) + ": found " + shortest_digits(value) +
                                        ", expected between " + fixed(least, 0) + " and " + fixed(most, 0));
  }
  return value;
}

// --top: "1,5,10".
std::vector<std::size_t> depths_of(const Arguments& arguments, std::vector<std::size_t> fallback) {
  const std::optional<std::string> list = arguments.value("top");
  if (!list) return fallback;
  std::vector<std::size_t> depths;
  const char* at = list->data();
  const char* end = at + list->size();
  while (true) {
    std::size_t depth = 0;
    const auto [behind, failed] = std::from_chars(at, end, depth);
    const bool ends = behind == end;
    if (failed != std::errc() || depth < 1 || depth > 1'000'000 || (!ends && *behind != ',')) {
      fail_usage(arguments.command(),
                 "--top: found '" + *list + "', expected numbers from 1 on, separated by commas");
    }
    if (std::ranges::find(depths, depth) == depths.end()) depths.push_back(depth);
    if (ends) return depths;
    at = behind + 1;
  }
}

TableOptions table_options(const Arguments& arguments) {
  TableOptions options;
  options.columns = {arguments.value_or("image-column", ""), arguments.value_or("caption-column", ""),
                     arguments.value_or("label-column", "")};
  options.root = arguments.value_or("root", "");
  if (const std::optional<std::string> separator = arguments.value("separator")) {
    const std::string_view found = *separator == "tab" || *separator == "\\t" ? "\t" : *separator;
    if (found.size() != 1 || found == "\"" || found == "\n" || found == "\r")
      fail_usage(arguments.command(), "--separator: expected one character, or tab");
    options.separator = found.front();
  }
  return options;
}

BootstrapOptions bootstrap_options(const Arguments& arguments) {
  return {.resamples = static_cast<std::size_t>(arguments.integer("bootstrap", 1000, 0, 100'000)),
          .confidence = number_between(arguments, "confidence", 0.95, 0, 1),
          .seed = static_cast<std::uint64_t>(arguments.integer("seed", 0, 0, 1L << 62))};
}

// The templates of --template, then the lines of --templates-file, in which "{c}" may stand for "{}", as
// in CLIP_benchmark's and WebDataset's lists.
std::vector<std::string> templates_of(const Arguments& arguments) {
  std::vector<std::string> templates = arguments.values("template");
  for (const std::string& file : arguments.values("templates-file")) {
    for (std::string line : read_texts(file)) {
      if (line.empty()) continue;
      if (const std::size_t at = line.find("{c}"); at != line.npos) line.erase(at + 1, 1);
      templates.push_back(std::move(line));
    }
  }
  return templates;
}

// What was asked for, read before a model is loaded, so that mistakes are told at once.
struct Plan {
  std::string task;
  std::string data;
  LabelledPictures labelled;                 // zero-shot and, to learn from, linear probe
  LabelledPictures test;                     // linear probe
  std::optional<LabelledPictures> examples;  // zero-shot
  CaptionedPictures captioned;

  std::size_t pictures() const {
    return labelled.pictures.size() + test.pictures.size() + captioned.pictures.size();
  }
};

// Of the options that not every task asks, those that may be given.
struct TaskOption {
  std::string_view name;
  std::string_view tasks;  // one or two, with a space between
};
constexpr std::array kTaskOptions = {
    TaskOption{"classnames", "zeroshot_classification linear_probe"},
    TaskOption{"label-column", "zeroshot_classification linear_probe"},
    TaskOption{"template", "zeroshot_classification"},
    TaskOption{"templates-file", "zeroshot_classification"},
    TaskOption{"examples", "zeroshot_classification"},
    TaskOption{"examples-alpha", "zeroshot_classification"},
    TaskOption{"examples-beta", "zeroshot_classification"},
    TaskOption{"caption-column", "zeroshot_retrieval"},
    TaskOption{"merge-captions", "zeroshot_retrieval"},
    TaskOption{"test", "linear_probe"},
    TaskOption{"test-share", "linear_probe"},
    TaskOption{"probe-c", "linear_probe"},
};

void check_options(const Arguments& arguments, std::string_view task) {
  for (const auto& [name, tasks] : kTaskOptions) {
    if (!arguments.has(name) || tasks.find(task) != tasks.npos) continue;
    fail_usage(arguments.command(), "--" + std::string(name) + ": the task is " + std::string(task) +
                                        ", expected " + std::string(tasks.substr(0, tasks.find(' '))));
  }
}

Plan plan_of(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.inputs();
  if (words.size() != 1) fail_usage(arguments.command(), "expected one FOLDER or TABLE");
  Plan plan;
  plan.data = words.front();
  plan.task = arguments.value_or("task", fs::is_directory(plan.data) ? kZeroShot : kRetrieval);
  check_options(arguments, plan.task);
  const std::optional<std::string> other = arguments.value("test");
  if (fs::is_directory(plan.data) && (!other || fs::is_directory(*other))) {
    for (const char* name : {"root", "label-column", "image-column", "separator"}) {
      if (arguments.has(name))
        fail_usage(arguments.command(), "--" + std::string(name) + ": it is of a table, found a folder");
    }
  }
  if (other && arguments.has("test-share"))
    fail_usage(arguments.command(), "--test-share: expected it without --test");
  const TableOptions options = table_options(arguments);
  if (plan.task == kRetrieval) {
    plan.captioned = read_captioned_pictures(plan.data, options);
    return plan;
  }
  std::optional<fs::path> names;
  if (const std::optional<std::string> file = arguments.value("classnames")) names = *file;
  plan.labelled = read_labelled_pictures(plan.data, names, options);
  plan.examples = read_examples(arguments);
  if (plan.task == kZeroShot) return plan;
  if (other) {
    plan.test = read_labelled_pictures(*other, names, options);
    return plan;
  }
  const double share = number_between(arguments, "test-share", 0.25, 0, 1);
  std::tie(plan.labelled, plan.test) =
      split_by_class(plan.labelled, share, bootstrap_options(arguments).seed);
  return plan;
}

Evaluation evaluate(const Arguments& arguments, const Plan& plan, const Model& model,
                    const EmbedOptions& embed, Console& console) {
  const BootstrapOptions bootstrap = bootstrap_options(arguments);
  if (plan.task == kRetrieval) {
    return evaluate_retrieval(model, plan.captioned,
                              {.top = depths_of(arguments, {1, 5, 10}),
                               .merge_equal_captions = arguments.has("merge-captions"),
                               .bootstrap = bootstrap,
                               .embed = embed});
  }
  const std::vector<std::size_t> top = depths_of(arguments, {1, 5});
  if (plan.task == kZeroShot) {
    ZeroShotOptions options{
        .templates = templates_of(arguments), .top = top, .bootstrap = bootstrap, .embed = embed};
    if (plan.examples) {
      options.examples = embed_examples(arguments, *plan.examples, plan.labelled.class_names, model, console);
    }
    return evaluate_zero_shot(model, plan.labelled, options);
  }
  LinearProbeOptions options{.top = top, .bootstrap = bootstrap, .embed = embed};
  if (arguments.has("probe-c")) options.c = number_between(arguments, "probe-c", 1, 0, 1e12);
  return evaluate_linear_probe(model, plan.labelled, plan.test, options);
}

const std::vector<Input>& judged(const Plan& plan) {
  if (plan.task == kRetrieval) return plan.captioned.pictures;
  return plan.task == kZeroShot ? plan.labelled.pictures : plan.test.pictures;
}

std::string json_report(const Plan& plan, const Model& model, const Evaluation& found,
                        const BootstrapOptions& bootstrap, std::size_t failed) {
  std::string text = "{" + json_path("dataset", plan.data) + ",\"model\":" + json(model.info().name) +
                     ",\"task\":" + json(plan.task) + ",\"dtype\":" + json(model.dtype()) +
                     ",\"pictures\":" + std::to_string(found.pictures) +
                     (plan.task == kRetrieval ? ",\"captions\":" : ",\"classes\":") +
                     std::to_string(found.texts) + ",\"failed\":" + std::to_string(failed) + ",\"metrics\":{";
  std::string intervals;
  for (std::size_t i = 0; i < found.metrics.size(); ++i) {
    const Metric& metric = found.metrics[i];
    const std::string key = (i == 0 ? "" : ",") + json(metric.name) + ":";
    text += key + fixed(metric.value, 6);
    intervals += key + "[" + fixed(metric.low, 6) + "," + fixed(metric.high, 6) + "]";
  }
  text += "}";
  if (bootstrap.resamples > 0) {
    text += ",\"confidence\":" + fixed(bootstrap.confidence, 4) + ",\"intervals\":{" + intervals + "}";
  }
  return text + "}\n";
}

std::string table_report(const Plan& plan, const Model& model, const Evaluation& found,
                         const BootstrapOptions& bootstrap) {
  std::string text = displayable(model.info().name) + " (" + model.dtype() + "), " + plan.task + ": " +
                     std::to_string(found.pictures) + " pictures, " + std::to_string(found.texts) +
                     (plan.task == kRetrieval ? " captions\n" : " classes\n");
  std::size_t longest = 0;
  for (const Metric& metric : found.metrics) longest = std::max(longest, metric.name.size());
  for (const Metric& metric : found.metrics) {
    text += pad_right(metric.name, longest + 2);
    if (metric.name == "lp_c") {
      text += pad_left(fixed(metric.value, 4), 8) + "\n";
      continue;
    }
    text += pad_left(fixed(100 * metric.value, 2), 8) + " %";
    if (bootstrap.resamples > 0) {
      text += "   " + fixed(100 * bootstrap.confidence, 0) +
              " % of resamples: " + fixed(100 * metric.low, 2) + " to " + fixed(100 * metric.high, 2);
    }
    text += "\n";
  }
  return text;
}

int run_eval(const Arguments& arguments) {
  Console console(arguments);
  EmbedOptions embed = embed_options(arguments);
  const BootstrapOptions bootstrap = bootstrap_options(arguments);
  const Plan plan = plan_of(arguments);
  const Model model = load_model(arguments, console);
  embed.progress = [&](std::size_t done) { console.progress("embedding", done, judged(plan).size()); };
  const Evaluation found = evaluate(arguments, plan, model, embed, console);
  console.clear_progress();

  Outcome outcome;
  tell_errors(found.picture_errors, console, outcome);
  tell_errors(found.text_errors, console, outcome);
  warn_of_truncation(found.truncated, console);
  const auto failed = static_cast<std::size_t>(
      std::ranges::count_if(found.picture_errors, [](const auto& error) { return error.has_value(); }) +
      std::ranges::count_if(found.text_errors, [](const auto& error) { return error.has_value(); }));
  if (found.metrics.empty()) return outcome.exit_code_of_nothing();
  Output output = Output::open(arguments.value("output"));
  output.write(arguments.value_or("format", "table") == "json"
                   ? json_report(plan, model, found, bootstrap, failed)
                   : table_report(plan, model, found, bootstrap));
  output.finish();
  return outcome.exit_code();
}

constexpr std::array kOptions = {
    Option{0, "task", "TASK",
           "What to measure (a FOLDER: zeroshot_classification, a TABLE: zeroshot_retrieval)",
           "zeroshot_classification|zeroshot_retrieval|linear_probe"},
    Option{0,
           "classnames",
           "F",
           "The classes in words, one a line: in the order of the folders, or FOLDER<tab>words",
           {},
           {},
           Completes::files},
    Option{0, "template", "T",
           "The sentence around a class, with {} for it; several are averaged (the model's own, or 'a photo "
           "of a {}.')"},
    Option{0, "templates-file", "F", "A file of templates, one a line", {}, {}, Completes::files},
    Option{'k', "top", "K,K,…", "Depths: 1,5 for classes, 1,5,10 for retrieval"},
    Option{0, "merge-captions", "", "Retrieval: equal captions are one query with several right pictures"},
    Option{0, "test", "PLACE", "Linear probe: the pictures to try it on", {}, {}, Completes::files},
    Option{0, "test-share", "X", "Linear probe without --test: the share of each class to try it on (0.25)"},
    Option{0, "probe-c", "C",
           "Linear probe: inverse strength of the L2 penalty, as scikit-learn's C (the best on a held-out "
           "fifth)"},
    Option{0, "image-column", "NAME", "The table's column of paths (filepath, file_name, image or path)"},
    Option{0, "caption-column", "NAME", "Its column of captions (title, caption, captions or text)"},
    Option{0, "label-column", "NAME", "Its column of classes (label or class)"},
    Option{0, "separator", "C", "What separates its fields (a comma; in .tsv files tab)"},
    Option{0, "root", "DIR", "Where its relative paths begin (its own folder)", {}, {}, Completes::folders},
    Option{0, "bootstrap", "N", "Resamples for the confidence intervals; 0: none (1000)"},
    Option{0, "confidence", "X", "How much of them the intervals hold (0.95)"},
    Option{0, "seed", "N", "For resamples and splits (0)"},
    Option{0, "format", "FORMAT", "How the report is written", "table|json"},
    Option{'o', "output", "FILE", "Write there instead of stdout", {}, {}, Completes::files},
};
constexpr std::array<Options, 5> kGroups = {kOptions, kExampleOptions, kModelOptions, kPictureOptions,
                                            kTalkOptions};
constexpr std::array kExamples = {
    Example{"Folders of pictures, each named after its class",
            "moa eval ~/imagenet-val --classnames names.tsv"},
    Example{"Captions and pictures of a table, for a program",
            "moa eval captions.csv --image-column filepath --caption-column title --format json"},
    Example{"What a few labelled pictures add to the words", "moa eval test --examples few-shots"},
    Example{"How far a linear probe gets", "moa eval --task linear_probe train --test test"},
};

}  // namespace

constexpr Command kEvalCommand = {
    .name = "eval",
    .summary = "Measure how good a model is on pictures with classes or captions",
    .usage = "FOLDER|TABLE [options]",
    .description =
        "A FOLDER holds one folder a class; a TABLE (.csv, .tsv, .jsonl) has a line for each picture and its "
        "caption or "
        "class. Measured are zero-shot classification (acc1, acc5, mean per class recall), retrieval both "
        "ways (recall, "
        "precision and mean average precision) and a linear probe, each as CLIP_benchmark defines it, with "
        "bootstrap "
        "intervals. Ties count against the model.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::files,
    .run = run_eval,
};

}  // namespace moa::cli
