// moa quantize: a model's directory with its weights in fewer bits, and what that changes.
#include <array>
#include <string>
#include <vector>

#include <moa/quantize.hpp>

#include "cli/arguments.hpp"
#include "cli/comparison_report.hpp"
#include "cli/console.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

struct Report {
  std::string directory;
  std::string dtype;
  std::int64_t bytes_before = 0, bytes_after = 0;
  Comparison comparison;
};

std::string json_report(const Report& report) {
  return "{" + json_path("directory", report.directory) + ",\"dtype\":" + json(report.dtype) +
         ",\"bytes_before\":" + std::to_string(report.bytes_before) +
         ",\"bytes_after\":" + std::to_string(report.bytes_after) + json_fields(report.comparison) + "}\n";
}

std::string table_report(const Report& report) {
  return "directory   " + report.directory + "\nprecision   " + report.dtype + "\nweights     " +
         megabytes(report.bytes_before) + " -> " + megabytes(report.bytes_after) + "\n" +
         table_lines(report.comparison);
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
  const std::int64_t bytes_before = original.info().weights_bytes;
  const ComparisonSet set = read_comparison_set(arguments, original, console);

  quantize(words.front(), *directory, *dtype, &interrupted());
  options.dtype = "auto";
  const Model quantized = Model::load(*directory, options);
  Report report{*directory, *dtype, bytes_before, quantized.info().weights_bytes, {}};
  report.comparison = compare_on(set, original, quantized, console);
  Output output = Output::to_stdout();
  output.write(arguments.value_or("format", "table") == "json" ? json_report(report) : table_report(report));
  output.finish();
  return tell_failures(set, report.comparison, console);
}

constexpr std::array kOptions = {
    Option{0, "dtype", "TYPE", "What the weights become", "bf16|int8"},
    Option{'o', "output", "DIR", "The directory to write; it must not exist yet", {}, {}, Completes::folders},
    Option{0, "format", "FORMAT", "How the report is written", "table|json"},
};
constexpr std::array<Options, 4> kGroups = {kOptions, kComparisonOptions, kComparingOptions, kTalkOptions};
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
