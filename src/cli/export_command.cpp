// moa export: a model in the form that another program reads.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include <moa/onnx.hpp>
#include <moa/safetensors.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/display.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

OnnxExportOptions export_options(const Arguments& arguments) {
  OnnxExportOptions options;
  const std::string tower = arguments.value_or("tower", "both");
  if (tower == "text") options.towers = OnnxExportOptions::Towers::text;
  if (tower == "image") options.towers = OnnxExportOptions::Towers::image;
  if (arguments.value_or("layout", "optimum") == "immich") {
    options.layout = OnnxExportOptions::Layout::immich;
  }
  if (arguments.value_or("pictures", "prepared") == "bytes") {
    options.pictures = OnnxExportOptions::Pictures::bytes;
  }
  const std::string dtype = arguments.value_or("dtype", "f32");
  if (dtype == "f16") options.precision = OnnxExportOptions::Precision::f16;
  if (dtype == "int8") options.precision = OnnxExportOptions::Precision::int8;
  options.opset = static_cast<int>(arguments.integer("opset", options.opset, 1, 1000));
  options.verify = arguments.has("verify");
  options.cancelled = &interrupted();
  return options;
}

// Pictures and texts that int8 is calibrated with.
void add_calibration(const Arguments& arguments, const std::string& model, OnnxExportOptions& options,
                     Console& console) {
  const auto expect = [&](const char* option, OnnxExportOptions::Towers other, bool is_there) {
    const std::string name = "--" + std::string(option);
    if (options.towers == other) fail_usage(arguments.command(), name + ": the tower is not written");
    if (!is_there) throw Error(ErrorCode::invalid_argument, name + ": found nothing to calibrate by");
  };
  const std::vector<std::string> places = arguments.values("calibrate");
  if (!places.empty()) {
    InputList list;
    add_inputs(list, places, Model::load(model), console);
    note_skipped(list, console);
    expect("calibrate", OnnxExportOptions::Towers::text, !list.inputs.empty());
    options.calibration_pictures = std::move(list.inputs);
  }
  if (const std::optional<std::string> file = arguments.value("calibrate-texts")) {
    options.calibration_texts = read_texts(*file);
    expect("calibrate-texts", OnnxExportOptions::Towers::image, !options.calibration_texts.empty());
  }
}

std::string number(const char* format, double value) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), format, value);
  return digits.data();
}

// One line a graph.
std::string line(const OnnxExportedGraph& graph, std::size_t columns) {
  std::string text = pad_right(displayable(graph.file), columns) + "  " +
                     pad_right(std::to_string(graph.nodes) + " nodes", 10) + "  " +
                     number("%.1f MB", static_cast<double>(graph.bytes) / 1e6);
  if (graph.verification) {
    text += "  largest difference " + number("%.1e", graph.verification->largest_difference) +
            ", least cosine " + number("%.7f", graph.verification->least_cosine);
  }
  return text + "\n";
}

// What only graphs have.
constexpr std::array kOnnxOptions = {"tower",  "layout",    "pictures",       "opset",
                                     "verify", "calibrate", "calibrate-texts"};

int run_safetensors(const Arguments& arguments, const std::string& model, const std::string& directory) {
  for (const char* option : kOnnxOptions) {
    if (arguments.has(option)) {
      fail_usage(arguments.command(), "--" + std::string(option) + ": expected --format onnx beside it");
    }
  }
  Output output = Output::to_stdout();
  for (const std::string& file :
       export_safetensors(model, directory, arguments.value_or("dtype", "auto"), &interrupted())) {
    output.write(displayable(file) + "\n");
  }
  output.finish();
  return 0;
}

int run_export(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  if (words.size() != 1) fail_usage(arguments.command(), "expected one MODEL");
  const std::optional<std::string> directory = arguments.value("output");
  if (!directory) fail_usage(arguments.command(), "expected -o DIR, the directory to make");
  if (arguments.value_or("format", "onnx") == "safetensors") {
    return run_safetensors(arguments, words.front(), *directory);
  }
  if (arguments.value_or("dtype", "f32") == "bf16") {
    fail_usage(arguments.command(), "--dtype: found bf16, expected f32, f16 or int8 for --format onnx");
  }
  OnnxExportOptions options = export_options(arguments);
  add_calibration(arguments, words.front(), options, console);
  const OnnxExport result = export_onnx(words.front(), *directory, options);
  std::size_t columns = 0;
  for (const OnnxExportedGraph& graph : result.graphs) {
    columns = std::max(columns, display_width(displayable(graph.file)));
  }
  Output output = Output::to_stdout();
  for (const OnnxExportedGraph& graph : result.graphs) output.write(line(graph, columns));
  output.finish();
  if (!result.runtime.empty()) console.note("verified by " + result.runtime);
  if (!result.not_verified.empty()) {
    throw Error(ErrorCode::unsupported,
                "cannot verify '" + *directory + "', which is written: " + result.not_verified);
  }
  return 0;
}

constexpr std::array kOptions = {
    Option{0, "format", "FORMAT", "What to write", "onnx|safetensors"},
    Option{'o', "output", "DIR", "The directory to make; it must not be there", {}, {}, Completes::folders},
    Option{0, "tower", "TOWER", "One tower, or both and a graph that scores pairs", "text|image|both"},
    Option{0, "layout", "LAYOUT",
           "Whose names: optimum (and transformers.js: onnx/text_model.onnx, ...) or immich "
           "(textual/model.onnx, ...)",
           "optimum|immich"},
    Option{
        0, "pictures", "FORM",
        "What a graph takes of a picture: as its processor prepares it, or bytes [height, width, 3], resized "
        "and cropped, with the rest done in the graph",
        "prepared|bytes"},
    Option{0, "dtype", "TYPE",
           "onnx: f32; f16: half the size, norms and softmax in f32; int8: a quarter, quantized as it runs. "
           "safetensors: f32, f16 or bf16 for every tensor, else each as it is",
           "f32|f16|bf16|int8"},
    Option{0,
           "calibrate",
           "PLACE",
           "With --dtype int8: a picture, or a folder of some, that tells beforehand what is quantized (QDQ; "
           "needs ONNX Runtime, as --engine onnxruntime does); may be given several times",
           {},
           {},
           Completes::files},
    Option{0, "calibrate-texts", "F", "The same of texts, one a line", {}, {}, Completes::files},
    Option{0, "opset", "N", "ONNX opset, 14 to 21 (17)"},
    Option{0, "verify", "",
           "Run what was written in ONNX Runtime (python3 with onnxruntime; MOA_PYTHON names another) and "
           "compare it with moa; where that cannot be, the directory stays and the exit code is 6"},
};
constexpr std::array<Options, 2> kGroups = {kOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"For ONNX Runtime and transformers.js",
            "moa export moa-mini --format onnx -o moa-mini-onnx --verify"},
    Example{"For transformers, of a quantized model",
            "moa export moa-mini --format safetensors --dtype f16 -o moa-mini-f16"},
    Example{"For immich", "moa export openai/clip-vit-base-patch32 --layout immich -o clip"},
};

}  // namespace

constexpr Command kExportCommand = {
    .name = "export",
    .summary = "Write a model as ONNX, or as safetensors, for other programs",
    .usage = "MODEL -o DIR [options]",
    .description =
        "Writes the model's towers as ONNX graphs with dynamic batch and text length, and beside them its "
        "tokenizer and processor files, a README with examples, and scripts that build TensorRT engines. "
        "The directory appears whole or not at all.\n\n"
        "Prints for each graph how many nodes and bytes it has and, with --verify, the largest difference of "
        "a "
        "component and the least cosine between ONNX Runtime's vectors and moa's, on the unit sphere.\n\n"
        "With --format safetensors, writes the model as transformers, open_clip or sentence-transformers "
        "publish "
        "it, whatever its weights were stored as, and prints the files.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::models,
    .run = run_export,
};

}  // namespace moa::cli
