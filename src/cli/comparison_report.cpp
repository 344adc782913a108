#include "cli/comparison_report.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>

#include "cli/exit_codes.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_arguments.hpp"

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

std::string json_agreement(const char* key, const std::optional<Agreement>& agreement) {
  if (!agreement) return {};
  return ",\"" + std::string(key) + "\":{\"items\":" + std::to_string(agreement->items) +
         ",\"cosine_mean\":" + decimals(agreement->mean_cosine, 6) +
         ",\"cosine_min\":" + decimals(agreement->least_cosine, 6) + "}";
}

}  // namespace

std::string decimals(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string megabytes(std::int64_t bytes) {
  return decimals(static_cast<double>(bytes) / 1e6, 1) + " MB";
}

ComparisonSet read_comparison_set(const Arguments& arguments, const Model& model, Console& console) {
  for (const std::string& place : arguments.values("images")) {
    std::error_code ignored;
    if (place != "-" && !fs::exists(place, ignored))
      throw Error(ErrorCode::not_found, "--images: '" + place + "' is not there");
  }
  // Pictures have classes, in words.
  const bool has_pictures = !arguments.values("images").empty();
  if (has_pictures) model.prepare(Modality::image);
  if (has_pictures || !arguments.values("texts-file").empty()) model.prepare(Modality::text);
  ComparisonSet set;
  add_inputs(set.pictures, arguments.values("images"), model, console);
  note_skipped(set.pictures, console);
  for (const std::string& file : arguments.values("texts-file")) {
    for (std::string& text : read_texts(file)) set.texts.push_back(std::move(text));
  }
  return set;
}

Comparison compare_on(const ComparisonSet& set, const Model& original, const Model& smaller,
                      Console& console) {
  const std::vector<std::string> labels = labels_of(set.pictures.names);
  EmbedOptions embed;
  embed.cancelled = &interrupted();
  embed.progress = [&](std::size_t done) { console.progress("comparing", done, set.pictures.inputs.size()); };
  Comparison comparison = compare(original, smaller, {set.pictures.inputs, set.texts, labels}, embed);
  console.clear_progress();
  return comparison;
}

int tell_failures(const ComparisonSet& set, const Comparison& found, Console& console) {
  std::vector<std::optional<Error>> pictures = found.image_errors;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (pictures[i]) pictures[i] = set.pictures.error_of(i, *pictures[i]);
  }
  Outcome outcome;
  tell_errors(pictures, console, outcome);
  tell_errors(found.text_errors, console, outcome);
  tell_errors(found.label_errors, console, outcome);
  return outcome.exit_code();
}

std::string json_fields(const Comparison& found) {
  std::string text = json_agreement("images", found.images) + json_agreement("texts", found.texts);
  if (found.classes == 0) return text;
  const auto scores = [](const LabelScores& of) {
    return "{\"top1\":" + decimals(of.top1, 4) + ",\"retrieval\":" + decimals(of.retrieval, 4) + "}";
  };
  return text + ",\"classes\":" + std::to_string(found.classes) +
         ",\"before\":" + scores(found.reference_scores) + ",\"after\":" + scores(found.model_scores);
}

std::string table_lines(const Comparison& found) {
  const auto percent = [](double before, double after) {
    return decimals(100 * before, 1) + " % -> " + decimals(100 * after, 1) + " %";
  };
  std::string text;
  const auto line = [&](const char* what, const std::optional<Agreement>& agreement) {
    if (!agreement) return;
    text += std::string(what) + "cosine to f32: mean " + decimals(agreement->mean_cosine, 5) + ", least " +
            decimals(agreement->least_cosine, 5) + " of " + std::to_string(agreement->items) + "\n";
  };
  line("pictures    ", found.images);
  line("texts       ", found.texts);
  if (found.classes == 0) return text;
  const LabelScores& before = found.reference_scores;
  const LabelScores& after = found.model_scores;
  return text + "zero-shot   top-1 of " + std::to_string(found.classes) +
         " classes: " + percent(before.top1, after.top1) +
         "\nretrieval   top-1 of a picture for each class: " + percent(before.retrieval, after.retrieval) +
         "\n";
}

}  // namespace moa::cli
