// moa classify: pictures under labels made up by the user.
#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <string>

#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/example_arguments.hpp"
#include "cli/exit_codes.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"
#include "cli/truncation.hpp"

namespace moa::cli {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t");
  return end == text.npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

// --labels, separated by commas, then the lines of --labels-file; empty ones are dropped. Without any, those
// of the examples.
std::vector<std::string> read_labels(const Arguments& arguments,
                                     const std::optional<LabelledPictures>& examples) {
  std::vector<std::string> labels;
  const auto add = [&](std::string_view label) {
    if (!trimmed(label).empty()) labels.emplace_back(trimmed(label));
  };
  for (const std::string& list : arguments.values("labels")) {
    for (std::string_view rest = list; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      add(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  for (const std::string& file : arguments.values("labels-file")) {
    for (const std::string& line : read_texts(file)) add(line);
  }
  if (labels.empty() && examples) return examples->class_names;
  if (labels.empty()) {
    fail_usage(arguments.command(),
               "expected labels: --labels \"a dog, a cat\", --labels-file F or --examples FOLDER");
  }
  return labels;
}

// The best labels' places, best first; of equal ones the first given.
std::vector<std::size_t> best(const std::vector<float>& scores, std::size_t count) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(order.size(), count));
  return order;
}

std::string jsonl_line(const std::string& name, const Classification& result, std::size_t item,
                       std::size_t top, const std::string& dtype) {
  std::string line = "{" + json_path("input", name);
  if (const std::optional<Error>& error = result.errors[item]) {
    return line + ",\"error\":" + json_error(moa::name(error->code()), error->what()) + "}\n";
  }
  line += dtype + ",\"labels\":[";
  const std::vector<std::size_t> order = best(result.scores[item], top);
  for (std::size_t i = 0; i < order.size(); ++i) {
    line += (i == 0 ? "{\"label\":" : ",{\"label\":") + json(result.labels[order[i]]) + ",\"score\":";
    append_json(line, result.scores[item][order[i]]);
    line += "}";
  }
  return line + "]}\n";
}

std::string table_block(const std::string& name, const Classification& result, std::size_t item,
                        std::size_t top, const Paint& paint) {
  if (result.errors[item]) return {};  // said on stderr
  std::string block = paint.bold + displayable(name) + paint.reset + "\n";
  for (const std::size_t label : best(result.scores[item], top)) {
    char percent[32];
    std::snprintf(percent, sizeof percent, "%7.1f %%  ",
                  100.0 * static_cast<double>(result.scores[item][label]));
    block += percent + displayable(result.labels[label]) + "\n";
  }
  return block;
}

int run_classify(const Arguments& arguments) {
  Console console(arguments);
  const bool jsonl = arguments.value_or("format", "table") == "jsonl";
  const auto top = static_cast<std::size_t>(arguments.integer("top", 5, 1, 1 << 20));
  const std::optional<LabelledPictures> examples = read_examples(arguments);
  const std::vector<std::string> labels = read_labels(arguments, examples);
  const std::vector<std::string> words = arguments.inputs();
  if (words.empty()) fail_usage(arguments.command(), "expected pictures to classify");
  ClassifyOptions options;
  options.templates = arguments.values("template");
  options.embed = embed_options(arguments);

  const Model model = load_model(arguments, console);
  InputList list;
  add_inputs(list, words, model, console);
  note_skipped(list, console);
  if (examples) options.examples = embed_examples(arguments, *examples, labels, model, console);
  options.embed.progress = [&](std::size_t done) {
    console.progress("classifying", done, list.inputs.size());
  };
  const std::string dtype = json_dtype(model.dtype());
  Classification result = model.classify(list.inputs, labels, options);
  console.clear_progress();
  warn_of_truncation(result.truncated, console);

  Output output = Output::open(arguments.value("output"));
  const Paint paint = output.is_terminal() ? Paint::for_stream(1) : Paint{};
  Outcome outcome;
  bool cancelled = false;
  for (std::size_t item = 0; item < list.inputs.size(); ++item) {
    std::optional<Error>& error = result.errors[item];
    if (error && error->code() == ErrorCode::cancelled) {
      cancelled = true;
      continue;
    }
    if (error) {
      error = list.error_of(item, *error);
      outcome.failed(error->code());
      console.error(moa::name(error->code()), error->what());
    } else {
      outcome.done();
    }
    output.write(jsonl ? jsonl_line(list.names[item], result, item, top, dtype)
                       : table_block(list.names[item], result, item, top, paint));
  }
  output.finish();
  if (cancelled) throw Error(ErrorCode::cancelled, "interrupted; what was finished is written");
  return outcome.exit_code();
}

constexpr std::array kOptions = {
    Option{0, "labels", "A,B,…", "Labels, separated by commas"},
    Option{0, "labels-file", "F", "A file of labels, one a line", {}, {}, Completes::files},
    Option{0, "template", "T",
           "The sentence around a label, with {} for the label; several are averaged (the model's own, or "
           "'a photo of a {}.')"},
    Option{'k', "top", "K", "Show the best K labels of each picture (5)"},
    Option{0, "format", "FORMAT", "How results are written", "table|jsonl"},
    Option{'o', "output", "FILE", "Write there instead of stdout", {}, {}, Completes::files},
};
constexpr std::array<Options, 5> kGroups = {kOptions, kExampleOptions, kModelOptions, kPictureOptions,
                                            kTalkOptions};
constexpr std::array kExamples = {
    Example{"Is it a dog or a cat?",
            "moa classify --labels \"강아지,고양이\" --template \"이것은 {}입니다\" photo.jpg"},
    Example{"The best label of each picture of a folder, for a program",
            "moa classify --labels-file labels.txt --top 1 --format jsonl ~/Photos"},
    Example{"Labels that words do not tell apart: show it a few pictures of each, a folder a label",
            "moa classify --examples birds/by-name unknown-bird.jpg"},
};

}  // namespace

constexpr Command kClassifyCommand = {
    .name = "classify",
    .summary = "Put pictures under labels of your own words",
    .usage = "--labels A,B,… INPUT… [options]",
    .description =
        "Zero-shot classification: which of the labels fits each picture best. Scores are as the model "
        "defines "
        "them: shares that add up to 100 % (CLIP, moa-mini), or one of its own for each label (SigLIP).\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::files,
    .run = run_classify,
};

}  // namespace moa::cli
