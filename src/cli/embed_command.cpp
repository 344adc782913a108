// moa embed: texts and pictures to vectors.
#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/exit_codes.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/npy.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"
#include "cli/truncation.hpp"

namespace moa::cli {
namespace {

std::string jsonl_line(const Embedded& result, const InputList& list, const std::optional<Error>& error,
                       const std::string& dtype) {
  const std::string& name = list.names[result.index];
  const bool is_text = list.inputs[result.index].kind == Input::Kind::text;
  std::string line =
      "{\"index\":" + std::to_string(result.index) + ",\"type\":" + json(moa::name(result.modality)) + ",";
  line += is_text ? "\"input\":" + json(name) : json_path("input", name);
  if (error) {
    line += ",\"error\":" + json_error(moa::name(error->code()), error->what());
  } else {
    line += dtype + ",\"embedding\":";
    append_json(line, result.vector);
  }
  return line + "}\n";
}

// Whether nothing in it looks like a path: then it may have been meant as a text.
bool is_of_words(const InputList& list) {
  return std::ranges::none_of(list.names,
                              [](const std::string& name) { return name.find_first_of("./") != name.npos; });
}

int run_embed(const Arguments& arguments) {
  Console console(arguments);
  const bool npy = arguments.value_or("format", "jsonl") == "npy";
  EmbedOptions options = embed_options(arguments);
  options.raw = arguments.has("raw");
  options.dim = arguments.integer("dim", 0, 1, 1 << 20);
  options.prompt = arguments.value("prompt");

  InputList list;
  for (std::string& text : arguments.values("text")) list.add_text(std::move(text));
  for (const std::string& file : arguments.values("texts-file")) {
    list.add_texts_of(file);
  }
  const std::vector<std::string> words = arguments.inputs();
  if (words.empty() && !arguments.has("text") && !arguments.has("texts-file")) {
    fail_usage(arguments.command(), "expected something to embed: inputs, --text or --texts-file");
  }
  const Model model = load_model(arguments, console);
  add_inputs(list, words, model, console);
  note_skipped(list, console);

  Output output = Output::open(arguments.value("output"));
  const std::int64_t dim = options.dim == 0 ? model.dim() : options.dim;
  const std::vector<float> no_vector(static_cast<std::size_t>(dim), std::numeric_limits<float>::quiet_NaN());
  if (npy) output.write(npy_header(static_cast<std::int64_t>(list.inputs.size()), dim));

  Outcome outcome;
  bool cancelled = false;
  options.progress = [&](std::size_t done) { console.progress("embedding", done, list.inputs.size()); };
  const EmbedReport report = model.embed(list.inputs, options, [&](const Embedded& result) {
    if (result.error && result.error->code() == ErrorCode::cancelled) {
      cancelled = true;
      if (npy) output.write(npy_row(no_vector));  // the header has promised a row
      return;
    }
    std::optional<Error> error;
    if (result.error) {
      error = list.error_of(result.index, *result.error);
      outcome.failed(error->code());
      console.error(moa::name(error->code()), error->what());
    } else {
      outcome.done();
    }
    if (npy) {
      output.write(npy_row(result.error ? no_vector : result.vector));
    } else {
      output.write(jsonl_line(result, list, error, json_dtype(model.dtype(result.modality))));
      output.flush();
    }
  });
  output.finish();
  const bool gives_texts = arguments.has("text") || arguments.has("texts-file");
  if (outcome.exit_code() == exit_code(ErrorCode::not_found) && !gives_texts && is_of_words(list)) {
    console.note("texts are given by --text and --texts-file");
  }
  warn_of_truncation(report, list.names, console);
  if (cancelled) throw Error(ErrorCode::cancelled, "interrupted; what was finished is written");
  return outcome.exit_code();
}

constexpr std::array kOptions = {
    Option{0, "text", "T", "A text to embed; may be given several times"},
    Option{0, "texts-file", "F", "A file of texts, one a line; - is stdin", {}, {}, Completes::files},
    Option{0, "format", "FORMAT",
           "One JSON object a line, or one NumPy matrix of float32, where a failed item's row is NaN",
           "jsonl|npy"},
    Option{'o',
           "output",
           "FILE",
           "Write there instead of stdout; the file appears when all is done",
           {},
           {},
           Completes::files},
    Option{0, "raw", "", "Vectors as the model's projection leaves them, not on the unit sphere"},
    Option{0, "dim", "N", "Keep the first N dimensions, and normalise again"},
    Option{0, "prompt", "P",
           "Put before each text: a prompt's name in the model's configuration, or the words themselves"},
};
constexpr std::array<Options, 4> kGroups = {kOptions, kModelOptions, kPictureOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"A text's vector, as a line of JSON", "moa embed --text \"강아지\""},
    Example{"Every picture of a folder, as a NumPy matrix", "moa embed --format npy -o photos.npy ~/Photos"},
    Example{"Pictures found by another program",
            "find . -name '*.jpg' -mtime -7 -print0 | moa embed - > new.jsonl"},
    Example{"With a CLIP from the local hub cache",
            "moa embed -m openai/clip-vit-base-patch32 --texts-file captions.txt"},
};

}  // namespace

constexpr Command kEmbedCommand = {
    .name = "embed",
    .summary = "Turn texts and pictures into vectors",
    .usage = "[--text T]… [--texts-file F] [INPUT…] [options]",
    .description =
        "Writes one vector an item: every --text, then the lines of --texts-file, then the inputs. An input "
        "is a "
        "file, a folder (walked recursively, hidden files skipped), a pipe, or - for a list of paths on "
        "stdin.\n\n"
        "Vectors are on the unit sphere, so that their dot products are cosines. A bad input is reported in "
        "its "
        "place; the others get their vectors, and the exit code is 3.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::files,
    .run = run_embed,
};

}  // namespace moa::cli
