// moa match: every picture against every text.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

#include <moa/model.hpp>

#include "base/utf8.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/exit_codes.hpp"
#include "cli/inputs.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"
#include "cli/truncation.hpp"

namespace moa::cli {
namespace {

std::string json_names(const std::vector<std::string>& names) {
  std::string list = "[";
  for (const std::string& name : names) list += (list.size() == 1 ? "" : ",") + json(name);
  return list + "]";
}

std::string json_matrix(const std::vector<std::vector<float>>& rows, std::size_t columns) {
  std::string matrix = "[";
  for (const std::vector<float>& row : rows) {
    if (matrix.size() > 1) matrix += ',';
    // A failed picture has no row.
    append_json(matrix, row.empty() ? std::vector<float>(columns, NAN) : row);
  }
  return matrix + "]";
}

// The bytes of the paths that are not UTF-8, null for the others; nothing if all are.
std::string json_path_bytes(const std::vector<std::string>& paths) {
  if (std::ranges::all_of(paths, [](const std::string& path) { return is_utf8(path); })) return {};
  std::string list;
  for (const std::string& path : paths)
    list += (list.empty() ? "" : ",") + (is_utf8(path) ? "null" : json(base64(path)));
  return ",\"path_base64\":[" + list + "]";
}

// `input_field(i)`: how item i is called, as a field.
std::string json_errors(const char* key, const std::vector<std::optional<Error>>& errors,
                        const auto& input_field) {
  std::string list;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (!errors[i]) continue;
    list += (list.empty() ? "{\"index\":" : ",{\"index\":") + std::to_string(i) + "," + input_field(i) +
            ",\"error\":" + json_error(moa::name(errors[i]->code()), errors[i]->what()) + "}";
  }
  return list.empty() ? list : ",\"" + std::string(key) + "\":[" + list + "]";
}

std::string json_document(const std::vector<std::string>& images, const std::vector<std::string>& texts,
                          const MatchResult& result, const std::string& dtype) {
  return "{\"images\":" + json_names(images) + json_path_bytes(images) + ",\"texts\":" + json_names(texts) +
         ",\"cosine\":" + json_matrix(result.cosine, texts.size()) +
         ",\"score\":" + json_matrix(result.score, texts.size()) + dtype +
         json_errors("errors", result.image_errors,
                     [&](std::size_t i) { return json_path("input", images[i]); }) +
         json_errors("text_errors", result.text_errors,
                     [&](std::size_t i) { return "\"input\":" + json(texts[i]); }) +
         "}\n";
}

std::string percent(float score) {
  if (!std::isfinite(score)) return "–";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * static_cast<double>(score));
  return text;
}

std::string table(const std::vector<std::string>& images, const std::vector<std::string>& texts,
                  const MatchResult& result, const Paint& paint) {
  constexpr std::size_t kNameColumns = 40;
  constexpr std::size_t kTextColumns = 24;
  constexpr std::size_t kScoreColumns = 8;
  std::size_t name_columns = 0;
  for (const std::string& image : images) {
    name_columns = std::max(name_columns, std::min(display_width(displayable(image)), kNameColumns));
  }
  std::vector<std::size_t> columns;
  std::string rows(name_columns, ' ');
  for (const std::string& text : texts) {
    const std::string heading = cut_end(displayable(text), kTextColumns);
    columns.push_back(std::max(display_width(heading), kScoreColumns));
    rows += "  " + paint.bold + pad_left(heading, columns.back()) + paint.reset;
  }
  rows += "\n";
  for (std::size_t image = 0; image < images.size(); ++image) {
    const std::vector<float>& scores = result.score[image];
    rows += pad_right(cut_middle(displayable(images[image]), kNameColumns), name_columns);
    const auto best = std::max_element(scores.begin(), scores.end(), [](float a, float b) {
      return std::isnan(a) ? !std::isnan(b) : a < b;
    });
    for (std::size_t text = 0; text < texts.size(); ++text) {
      const std::string cell = pad_left(scores.empty() ? "–" : percent(scores[text]), columns[text]);
      const bool wins = !scores.empty() && static_cast<std::size_t>(best - scores.begin()) == text;
      rows += "  " + (wins ? paint.green + cell + paint.reset : cell);
    }
    rows += "\n";
  }
  return rows;
}

Scorer scorer_of(const Arguments& arguments) {
  const std::string name = arguments.value_or("scorer", "auto");
  if (name == "itm") return Scorer::itm;
  return name == "itc" ? Scorer::itc : Scorer::automatic;
}

int run_match(const Arguments& arguments) {
  Console console(arguments);
  if (!arguments.inputs().empty()) {
    fail_usage(arguments.command(), "found '" + arguments.inputs().front() +
                                        "', expected --image before every picture and --text before every "
                                        "text: --image a.jpg --image b.jpg --text T");
  }
  const std::vector<std::string> images = arguments.values("image");
  const std::vector<std::string> texts = arguments.values("text");
  if (images.empty() || texts.empty()) {
    fail_usage(arguments.command(), "expected at least one --image and one --text");
  }
  for (const std::string& image : images) {
    std::error_code ignored;
    if (std::filesystem::is_directory(image, ignored))
      fail_usage(arguments.command(), "--image: found the folder '" + image + "', expected a picture");
  }
  const Scorer scorer = scorer_of(arguments);
  const Model model = load_model(arguments, console);
  const EmbedOptions options = embed_options(arguments);
  InputList list;
  for (const std::string& image : images) list.add_file(image);
  const MatchResult result = model.match(list.inputs, texts, {scorer, options});
  warn_of_truncation(result.truncated, console);

  Outcome of_images;
  Outcome of_texts;
  tell_errors(result.image_errors, console, of_images);
  tell_errors(result.text_errors, console, of_texts);
  Output output = Output::open(arguments.value("output"));
  const Paint paint = output.is_terminal() ? Paint::for_stream(1) : Paint{};
  output.write(arguments.value_or("format", "table") == "json"
                   ? json_document(images, texts, result, json_dtype(model.dtype()))
                   : table(images, texts, result, paint));
  output.finish();
  // Sound texts do not make up for pictures that are not, nor the other way round: without either nothing was
  // matched.
  const int code = of_images.exit_code();
  if ((code != 0 && code != kSomeInputsFailed) || of_texts.exit_code() == 0) return code;
  return of_texts.exit_code();
}

constexpr std::array kOptions = {
    Option{0, "image", "F", "A picture; may be given several times", {}, {}, Completes::files},
    Option{0, "text", "T", "A text; may be given several times"},
    Option{0, "scorer", "SCORER",
           "itc: of the vectors' cosine; itm: by a head that reads picture and text together, if the model "
           "has one; "
           "auto: itm if there is one",
           "auto|itc|itm"},
    Option{0, "format", "FORMAT", "How the scores are written", "table|json"},
    Option{'o', "output", "FILE", "Write there instead of stdout", {}, {}, Completes::files},
};
constexpr std::array<Options, 4> kGroups = {kOptions, kModelOptions, kPictureOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"Which caption belongs to which picture?",
            "moa match --image dog.jpg --image hills.jpg --text \"a dog\" --text \"풍경과 산이 있는 사진\""},
    Example{"Cosines and scores, for a program", "moa match --image dog.jpg --text \"a dog\" --format json"},
};

}  // namespace

constexpr Command kMatchCommand = {
    .name = "match",
    .summary = "Score which text belongs to which picture",
    .usage = "--image F… --text T… [options]",
    .description =
        "Every picture against every text. The table shows scores as the model defines them (a picture's "
        "shares "
        "over the texts, for SigLIP one of its own for each pair, for BLIP the probability that its head for "
        "image-text matching gives); JSON has the cosines, too.\n",
    .options = kGroups,
    .examples = kExamples,
    .run = run_match,
};

}  // namespace moa::cli
