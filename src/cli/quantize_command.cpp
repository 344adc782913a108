// moa quantize: a model's directory with its weights in fewer bits, and what that changes.
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <moa/quantize.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

namespace fs = std::filesystem;

// "n02123045_tabby_cat-12.jpg" is a tabby cat: without an id in front and a number behind.
std::string words_of_name(std::string name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::size_t underscore = name.find('_');
  if (underscore != std::string::npos && underscore > 1 && name[0] == 'n' &&
      name.find_first_not_of("0123456789", 1) == underscore) {
    name.erase(0, underscore + 1);  // an id of WordNet's, as in ImageNet's files
  }
  while (!name.empty() &&
         (is_digit(name.back()) || std::string_view("_- ()").find(name.back()) != std::string_view::npos)) {
    name.pop_back();
  }
  for (char& c : name) {
    if (c == '_' || c == '-') c = ' ';
  }
  return name;
}

// Each picture's class: its folder's name, if the pictures lie in several folders; otherwise its own.
std::vector<std::string> labels_of(const std::vector<std::string>& paths) {
  std::set<fs::path> folders;
  for (const std::string& path : paths) folders.insert(fs::path(path).parent_path());
  std::vector<std::string> labels;
  for (const std::string& path : paths) {
    const fs::path file(path);
    labels.push_back(
        words_of_name((folders.size() > 1 ? file.parent_path().filename() : file.stem()).string()));
    if (labels.back().empty()) return {};  // names that say nothing
  }
  return labels;
}

struct Report {
  std::string directory;
  std::string dtype;
  std::int64_t bytes_before = 0, bytes_after = 0;
  Comparison comparison;
};

std::string decimals(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string json_agreement(const char* key, const std::optional<Agreement>& agreement) {
  if (!agreement) return {};
  return ",\"" + std::string(key) + "\":{\"items\":" + std::to_string(agreement->items) +
         ",\"cosine_mean\":" + decimals(agreement->mean_cosine, 6) +
         ",\"cosine_min\":" + decimals(agreement->least_cosine, 6) + "}";
}

std::string json_report(const Report& report) {
  const Comparison& found = report.comparison;
  std::string text = "{" + json_path("directory", report.directory) + ",\"dtype\":" + json(report.dtype) +
                     ",\"bytes_before\":" + std::to_string(report.bytes_before) +
                     ",\"bytes_after\":" + std::to_string(report.bytes_after) +
                     json_agreement("images", found.images) + json_agreement("texts", found.texts);
  if (found.classes > 0) {
    const auto scores = [](const LabelScores& of) {
      return "{\"top1\":" + decimals(of.top1, 4) + ",\"retrieval\":" + decimals(of.retrieval, 4) + "}";
    };
    text += ",\"classes\":" + std::to_string(found.classes) +
            ",\"before\":" + scores(found.reference_scores) + ",\"after\":" + scores(found.model_scores);
  }
  return text + "}\n";
}

std::string table_report(const Report& report) {
  const auto megabytes = [](std::int64_t bytes) {
    return decimals(static_cast<double>(bytes) / 1e6, 1) + " MB";
  };
  const auto percent = [](double before, double after) {
    return decimals(100 * before, 1) + " % -> " + decimals(100 * after, 1) + " %";
  };
  const Comparison& found = report.comparison;
  std::string text = "directory   " + report.directory + "\nprecision   " + report.dtype + "\nweights     " +
                     megabytes(report.bytes_before) + " -> " + megabytes(report.bytes_after) + "\n";
  const auto line = [&](const char* what, const std::optional<Agreement>& agreement) {
    if (!agreement) return;
    text += std::string(what) + "cosine to f32: mean " + decimals(agreement->mean_cosine, 5) + ", least " +
            decimals(agreement->least_cosine, 5) + " of " + std::to_string(agreement->items) + "\n";
  };
  line("pictures    ", found.images);
  line("texts       ", found.texts);
  if (found.classes > 0) {
    const LabelScores& before = found.reference_scores;
    const LabelScores& after = found.model_scores;
    text += "zero-shot   top-1 of " + std::to_string(found.classes) +
            " classes: " + percent(before.top1, after.top1) +
            "\nretrieval   top-1 of a picture for each class: " + percent(before.retrieval, after.retrieval) +
            "\n";
  }
  return text;
}

int run_quantize(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  if (words.size() != 1) fail_usage(arguments.command(), "expected one MODEL");
  const std::optional<std::string> directory = arguments.value("output");
  const std::optional<std::string> dtype = arguments.value("dtype");
  if (!directory || !dtype) fail_usage(arguments.command(), "expected --dtype bf16|int8 and -o DIR");

  LoadOptions options = load_options(arguments);
  options.dtype = "f32";
  const Model original = Model::load(words.front(), options);
  InputList pictures;
  add_inputs(pictures, arguments.values("images"), original, console);
  note_skipped(pictures, console);
  std::vector<std::string> texts;
  for (const std::string& file : arguments.values("texts-file")) {
    for (std::string& text : read_texts(file)) texts.push_back(std::move(text));
  }

  quantize(words.front(), *directory, *dtype);
  options.dtype = "auto";
  const Model quantized = Model::load(*directory, options);
  Report report{*directory, *dtype, original.info().weights_bytes, quantized.info().weights_bytes, {}};
  const std::vector<std::string> labels = labels_of(pictures.names);
  EmbedOptions embed;
  embed.cancelled = &interrupted();
  embed.progress = [&](std::size_t done) { console.progress("comparing", done, pictures.inputs.size()); };
  report.comparison = compare(original, quantized, {pictures.inputs, texts, labels}, embed);
  console.clear_progress();
  Output output = Output::to_stdout();
  output.write(arguments.value_or("format", "table") == "json" ? json_report(report) : table_report(report));
  output.finish();
  return 0;
}

constexpr std::array kOptions = {
    Option{0, "dtype", "TYPE", "What the weights become", "bf16|int8"},
    Option{'o', "output", "DIR", "The directory to write; it must not exist yet", {}, {}, Completes::folders},
    Option{0,
           "images",
           "FOLDER",
           "Pictures to compare the two models on (repeatable)",
           {},
           {},
           Completes::files},
    Option{
        0, "texts-file", "F", "Texts to compare them on, one a line (repeatable)", {}, {}, Completes::files},
    Option{0, "format", "FORMAT", "How the report is written", "table|json"},
};
constexpr std::array<Options, 4> kGroups = {kOptions, Options(kModelOptions).subspan(1, 1),
                                            Options(kModelOptions).subspan(3, 5), kTalkOptions};
constexpr std::array kExamples = {
    Example{"A quarter of the size, and what it costs on my pictures",
            "moa quantize openai/clip-vit-base-patch32 --dtype int8 -o clip-int8 --images ~/Photos"},
    Example{"Use it", "moa search ~/Photos \"a dog\" -m ./clip-int8"},
};

}  // namespace

constexpr Command kQuantizeCommand = {
    .name = "quantize",
    .summary = "Store a model's weights in bf16 or int8",
    .usage = "MODEL --dtype bf16|int8 -o DIR [options]",
    .description =
        "Writes a directory that loads like the original and computes in its own precision: faster, in half "
        "or a "
        "quarter of the memory. Then both models embed the pictures and texts that are given, and the report "
        "says "
        "how near their vectors are. Where the pictures' folders or file names tell classes apart, it also "
        "says how many pictures find their class, and classes a picture of theirs, before and after.\n\n"
        "4-bit weights stay as they are. Vectors of the two directories are never mixed in an index.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::models,
    .run = run_quantize,
};

}  // namespace moa::cli
