// moa compress: a model's linear layers as products of smaller matrices, and what that changes.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <moa/compress.hpp>

#include "cli/arguments.hpp"
#include "cli/comparison_report.hpp"
#include "cli/console.hpp"
#include "cli/display.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

struct Report {
  std::string directory;
  std::string kind;
  double error = 0;
  std::int64_t bytes_before = 0, bytes_after = 0;
  std::int64_t parameters_before = 0, parameters_after = 0;
  std::vector<CompressedLinear> linears;
  Comparison comparison;
};

std::string joined(const std::vector<std::int64_t>& ranks) {
  std::string text;
  for (const std::int64_t rank : ranks) text += (text.empty() ? "" : ",") + std::to_string(rank);
  return text;
}

std::string json_report(const Report& report) {
  std::string text = "{" + json_path("directory", report.directory) + ",\"kind\":" + json(report.kind) +
                     ",\"error\":" + decimals(report.error, 6) +
                     ",\"bytes_before\":" + std::to_string(report.bytes_before) +
                     ",\"bytes_after\":" + std::to_string(report.bytes_after) +
                     ",\"parameters_before\":" + std::to_string(report.parameters_before) +
                     ",\"parameters_after\":" + std::to_string(report.parameters_after) + ",\"linears\":[";
  for (const CompressedLinear& linear : report.linears) {
    text += (&linear == report.linears.data() ? "" : ",");
    text += "{\"name\":" + json(linear.name) + ",\"out\":" + std::to_string(linear.out) +
            ",\"in\":" + std::to_string(linear.in) + ",\"ranks\":[" + joined(linear.ranks) +
            "],\"error\":" + decimals(linear.error, 6) +
            ",\"bytes_before\":" + std::to_string(linear.bytes_before) +
            ",\"bytes_after\":" + std::to_string(linear.bytes_after) + "}";
  }
  return text + "]" + json_fields(report.comparison) + "}\n";
}

std::string linear_lines(const std::vector<CompressedLinear>& linears) {
  std::size_t name_columns = 0;
  for (const CompressedLinear& linear : linears) name_columns = std::max(name_columns, linear.name.size());
  std::string text;
  for (const CompressedLinear& linear : linears) {
    const std::string shape = "[" + std::to_string(linear.out) + ", " + std::to_string(linear.in) + "]";
    text += "  " + pad_right(displayable(linear.name), name_columns + 2) + pad_right(shape, 14);
    if (linear.ranks.empty()) {
      text += "stays: no product this near is smaller\n";
    } else {
      text += pad_right("rank " + joined(linear.ranks), 14) +
              pad_right("error " + decimals(linear.error, 4), 16) + megabytes(linear.bytes_before) + " -> " +
              megabytes(linear.bytes_after) + "\n";
    }
  }
  return text;
}

std::string table_report(const Report& report) {
  const auto millions = [](std::int64_t numbers) {
    return decimals(static_cast<double>(numbers) / 1e6, 2) + " M";
  };
  const auto replaced = std::count_if(report.linears.begin(), report.linears.end(),
                                      [](const CompressedLinear& linear) { return !linear.ranks.empty(); });
  return "directory   " + report.directory + "\nkind        " + report.kind + ", each matrix within " +
         decimals(report.error, 3) + "\nweights     " + megabytes(report.bytes_before) + " -> " +
         megabytes(report.bytes_after) + "\nparameters  " + millions(report.parameters_before) + " -> " +
         millions(report.parameters_after) + "\nreplaced    " + std::to_string(replaced) + " of " +
         std::to_string(report.linears.size()) + " linear layers\n" + linear_lines(report.linears) +
         table_lines(report.comparison);
}

int run_compress(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  if (words.size() != 1) fail_usage(arguments.command(), "expected one MODEL");
  const std::optional<std::string> directory = arguments.value("output");
  if (!directory) fail_usage(arguments.command(), "expected -o DIR, the directory to make");

  const LoadOptions options = load_options(arguments);
  LoadOptions in_f32 = options;
  in_f32.dtype = "f32";
  const Model original = Model::load(words.front(), in_f32);
  const ModelInfo before = original.info();
  const ComparisonSet set = read_comparison_set(arguments, original, console);

  Report report;
  report.directory = *directory;
  report.kind = arguments.value_or("kind", "low_rank");
  CompressOptions compression;
  if (report.kind == "tensor_train") compression.kind = CompressOptions::Kind::tensor_train;
  compression.error = report.error = arguments.number("error").value_or(compression.error);
  if (const std::vector<std::string> patterns = arguments.values("linears"); !patterns.empty()) {
    compression.linears = patterns;
  }
  compression.threads = options.threads;
  compression.progress = [&](std::size_t done, std::size_t count) {
    console.progress("compressing", done, count);
  };
  compression.cancelled = &interrupted();
  report.linears = compress(words.front(), *directory, compression);
  console.clear_progress();

  const Model smaller = Model::load(*directory, options);
  report.bytes_before = before.weights_bytes;
  report.bytes_after = smaller.info().weights_bytes;
  report.parameters_before = before.parameters;
  report.parameters_after = smaller.info().parameters;
  report.comparison = compare_on(set, original, smaller, console);
  Output output = Output::to_stdout();
  output.write(arguments.value_or("format", "table") == "json" ? json_report(report) : table_report(report));
  output.finish();
  return tell_failures(set, report.comparison, console);
}

constexpr std::array kOptions = {
    Option{'o', "output", "DIR", "The directory to write; it must not exist yet", {}, {}, Completes::folders},
    Option{0, "error", "X",
           "The most that each matrix may change, as a part of its length: |W - W'| / |W| (0.3)"},
    Option{0, "kind", "KIND",
           "What a matrix becomes: two thin ones, or three cores of a tensor train (low_rank)",
           "low_rank|tensor_train"},
    Option{0, "linears", "PATTERN",
           "The linear layers that may be replaced, by their weights' names, in which * stands for anything "
           "(all; repeatable)"},
    Option{0, "format", "FORMAT", "How the report is written", "table|json"},
};
constexpr std::array<Options, 5> kGroups = {
    kOptions, kComparisonOptions, Options(kModelOptions).subspan(2, 1), kComparingOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"Smaller, and what it costs on my pictures",
            "moa compress openai/clip-vit-base-patch32 --error 0.3 -o clip-thin --images ~/Photos"},
    Example{"The text tower alone",
            "moa compress openai/clip-vit-base-patch32 --error 0.4 --linears \"text_model.*\" -o thin-texts"},
};

}  // namespace

constexpr Command kCompressCommand = {
    .name = "compress",
    .summary = "Replace a model's matrices by products of smaller ones",
    .usage = "MODEL -o DIR [--error X] [options]",
    .description =
        "Writes a directory that loads like the original, in which the matrix of each linear layer inside "
        "the towers is the product of two thin ones, of the smallest rank that stays within --error "
        "(truncated singular value decomposition), or a tensor train of three cores (TT-SVD). A matrix that "
        "would not "
        "take fewer bytes so stays. Thin matrices are run one after the other, so that fewer numbers are "
        "multiplied too; a tensor train is multiplied out when the model is loaded.\n\n"
        "Then both models embed the pictures and texts that are given, and the report says how near their "
        "vectors are. Few trained matrices have a small rank. What is lost comes back by learning: moa train "
        "goes on with the directory, and learns the factors.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::models,
    .run = run_compress,
};

}  // namespace moa::cli
