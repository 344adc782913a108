// moa search: the pictures that fit words, or other pictures.
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <moa/collection.hpp>
#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/exit_codes.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/search_place.hpp"
#include "cli/search_query.hpp"
#include "cli/search_results.hpp"
#include "cli/shared_options.hpp"
#include "cli/truncation.hpp"

namespace moa::cli {
namespace {

namespace fs = std::filesystem;

// How many of the best are put in the order of the model's head for image-text matching; 0: none.
std::size_t to_rerank(const Arguments& arguments) {
  return static_cast<std::size_t>(arguments.integer("rerank", 0, 1, 100000));
}

SearchOptions search_options(const Arguments& arguments) {
  SearchOptions options;
  options.top = static_cast<std::size_t>(arguments.integer("top", 5, 1, 1 << 20));
  options.min_score = arguments.number("min-score");
  options.exclude = arguments.values("exclude");
  // The folder's index may hold other places, too.
  const std::string place = arguments.inputs().front();
  std::error_code failed;
  if (fs::is_directory(place, failed)) {
    options.within = place;
    options.places = {place};
  }
  return options;
}

void check_sheet_name(const Arguments& arguments) {
  const std::optional<std::string> sheet = arguments.value("sheet");
  if (!sheet || ::strcasecmp(fs::path(*sheet).extension().c_str(), ".png") == 0) return;
  fail_usage(arguments.command(),
             "--sheet writes a PNG: found '" + *sheet + "', expected a name that ends in .png");
}

// What is written must not be written over, nor over the index.
void check_outputs(const Arguments& arguments) {
  std::vector<std::pair<std::string, fs::path>> files;  // a file, and what it is
  const auto add = [&](const std::string& what, const fs::path& file) {
    std::error_code failed;
    if (fs::exists(file, failed) && !fs::is_regular_file(file, failed)) return;  // a terminal, a pipe
    const fs::path path = fs::weakly_canonical(file, failed);
    for (const auto& [other, taken] : files) {
      if (taken != path) continue;
      fail_usage(arguments.command(), what + " and " + other + " are one file: '" + file.string() + "'");
    }
    files.emplace_back(what, path);
  };
  const auto add_index = [&](const std::string& what, const std::string& file) {
    add(what, file);
    add("the vectors of " + what, file + ".vectors");
  };
  std::error_code failed;
  const std::string place = arguments.inputs().front();
  if (fs::is_regular_file(place, failed)) add_index("the index", place);
  if (const auto index = arguments.value("index")) add_index("--index", *index);
  for (const char* option : {"output", "html", "sheet"}) {
    if (const auto file = arguments.value(option)) add(std::string("--") + option, *file);
  }
}

bool is_one_of(const std::string& path, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::error_code failed;
    if (fs::equivalent(path, file, failed) && !failed) return true;
  }
  return false;
}

// Searches; pictures that the query says are to be left out are found, if at all, under any name, so that
// they are recognised by what they are and not by their path.
SearchResult search(const Collection& collection, const Model& model, const SearchQuery& query,
                    const EmbedOptions& embed, SearchOptions options, std::size_t at_least) {
  const std::vector<float> vector = query_vector(query, model, embed);
  const std::size_t wanted = std::max(options.top, at_least);
  SearchResult result{.query = query.shown, .dtype = model.dtype()};
  for (options.top = wanted + query.similar_to.size();; options.top *= 2) {
    result.found = collection.search(vector, options);
    const bool complete = result.found.size() < options.top;
    std::erase_if(result.found, [&](const Found& found) { return is_one_of(found.path, query.similar_to); });
    if (complete || result.found.size() >= wanted) break;
  }
  result.found.resize(std::min(result.found.size(), wanted));
  return result;
}

class ResultWriter {
 public:
  ResultWriter(const Arguments& arguments, Console& console)
      : format_(arguments.value_or("format", "table")),
        end_(arguments.has("null") ? '\0' : '\n'),
        html_(arguments.value("html")),
        sheet_(arguments.value("sheet")),
        output_(Output::open(arguments.value("output"))),
        console_(console) {
    if (arguments.has("null") && !arguments.value("format")) format_ = "paths";
    if (arguments.has("null") && format_ != "paths") {
      fail_usage(arguments.command(), "-0 belongs to --format paths");
    }
    if (output_.is_terminal()) {
      paint_ = Paint::for_stream(STDOUT_FILENO);
      columns_ = terminal_columns();
    }
  }

  void add(SearchResult result) {
    if (format_ == "jsonl") {
      output_.write(as_jsonl(result));
    } else if (format_ == "paths") {
      output_.write(as_paths(result, end_));
    } else {
      const std::string table = as_table(result, paint_, columns_);
      if (tables_written_ && !table.empty()) output_.write("\n");
      output_.write(table);
      tables_written_ |= !table.empty();
    }
    output_.flush();
    results_.push_back(std::move(result));
  }

  void finish() {
    output_.finish();
    if (html_) write_file(*html_, as_html(results_, console_));
    if (sheet_) write_file(*sheet_, as_sheet(results_, console_));
  }

 private:
  void write_file(const std::string& path, const std::string& content) {
    console_.clear_progress();
    write_whole_file(path, content);
    console_.note("wrote " + path);
  }

  std::string format_;
  char end_;
  std::optional<std::string> html_;
  std::optional<std::string> sheet_;
  Output output_;
  Console& console_;
  Paint paint_;
  std::size_t columns_ = 0;
  bool tables_written_ = false;
  std::vector<SearchResult> results_;
};

// The answer to one query, as the options ask for it.
SearchResult found_for(const SearchQuery& query, const Collection& collection, const Model& model,
                       const Arguments& arguments, Console& console) {
  const SearchOptions options = search_options(arguments);
  const EmbedOptions embed = embed_options(arguments);
  const std::size_t first = to_rerank(arguments);
  if (first == 0) return search(collection, model, query, embed, options, 0);
  if (query.terms.size() != 1 || query.terms.front().kind != SearchTerm::Kind::text) {
    throw Error(ErrorCode::invalid_argument,
                "cannot rerank what is found for '" + query.shown + "': expected a query that is one text");
  }
  SearchResult result = search(collection, model, query, embed, options, first);
  const auto failed = [&](const std::string& path, const Error& error) {
    console.warn("'" + path + "' keeps its place: " + error.what());
  };
  result.found = rerank(model, query.terms.front().value, std::move(result.found), {first, embed, failed});
  result.found.resize(std::min(result.found.size(), options.top));
  return result;
}

// Runs one query; a query that fails is reported in its place, and the others go on.
void answer(const SearchQuery& query, const Collection& collection, const Model& model,
            const Arguments& arguments, ResultWriter& writer, Outcome& outcome, Console& console) {
  throw_if_interrupted();
  try {
    writer.add(found_for(query, collection, model, arguments, console));
    outcome.done();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::internal) throw;
    console.error(name(error.code()), error.what());
    writer.add({.query = query.shown, .error = error});
    outcome.failed(error.code());
  }
}

// Queries from the terminal, line by line, until the end of input.
void converse(const Collection& collection, const Model& model, const Arguments& arguments,
              ResultWriter& writer, Outcome& outcome, Console& console) {
  console.note("searching " + std::to_string(collection.size()) +
               " items; a text or a picture's path a line, Ctrl-D ends");
  std::string line;
  while (std::cerr << "? " << std::flush, std::getline(std::cin, line)) {
    try {
      for (const SearchQuery& query : read_query_line(line))
        answer(query, collection, model, arguments, writer, outcome, console);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
      console.error(name(error.code()), error.what());
    }
  }
  std::cerr << "\n";
  throw_if_interrupted();
}

// What a model lacks for texts is told before anything is indexed.
void expect_texts(const std::vector<SearchQuery>& queries, const Model& model, const Arguments& arguments,
                  Console& console) {
  std::vector<Input> texts;
  std::vector<std::string> words;
  for (const SearchQuery& query : queries) {
    for (const SearchTerm& term : query.terms) {
      if (term.kind == SearchTerm::Kind::text) words.push_back(term.value);
    }
  }
  if (words.empty()) return;
  model.prepare(Modality::text);
  std::ranges::transform(words, std::back_inserter(texts),
                         [](const std::string& word) { return Input::text(word); });
  // The model keeps the vectors for the answers.
  const EmbedReport report = model.embed(texts, embed_options(arguments), [](const Embedded&) {});
  warn_of_truncation(report, words, console);
}

int run_search(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  if (words.empty())
    fail_usage(arguments.command(), "expected a PLACE: a folder, or an index made by moa index");
  const std::vector<SearchQuery> queries = read_queries(arguments);
  const bool converses = queries.empty();
  if (converses && ::isatty(STDIN_FILENO) != 1) {
    fail_usage(arguments.command(),
               "expected a query: a text or a picture (without one, queries are read from a terminal)");
  }
  search_options(arguments);
  check_sheet_name(arguments);
  check_outputs(arguments);
  to_rerank(arguments);  // what is wrong with the options is said before the work begins

  const Model model = load_model(arguments, console);
  if (to_rerank(arguments) > 0 && !model.matches_pairs()) {
    throw Error(ErrorCode::unsupported,
                "cannot rerank with model '" + model_name(arguments) +
                    "': it has no head for image-text matching, expected one, as BLIP's");
  }
  expect_texts(queries, model, arguments, console);
  const Collection collection = open_place(words.front(), model, arguments, console);
  ResultWriter writer(arguments, console);
  Outcome outcome;
  if (converses) {
    converse(collection, model, arguments, writer, outcome, console);
  } else {
    for (const SearchQuery& query : queries)
      answer(query, collection, model, arguments, writer, outcome, console);
  }
  writer.finish();
  return converses ? 0 : outcome.exit_code();
}

constexpr std::array kOptions = {
    Option{'k', "top", "K", "Show the best K of each query (5)"},
    Option{0, "text", "Q", "A query that is a text, whatever it looks like"},
    Option{0, "image", "F", "A query that is a picture", {}, {}, Completes::files},
    Option{0, "similar", "F", "As --image, without F itself among the results", {}, {}, Completes::files},
    Option{0, "rerank", "N",
           "Order the best N by the model's head for image-text matching, if it has one (BLIP)"},
    Option{0, "min-score", "X", "Only what has at least this cosine"},
    Option{0, "exclude", "GLOB",
           "Leave out files whose name, or path inside PLACE, matches; may be given several times"},
    Option{0, "format", "FORMAT", "How results are written", "table|jsonl|paths"},
    Option{'0', "null", "",
           "End each path with NUL instead of a newline (with --format paths, which it implies)"},
    Option{'o', "output", "FILE", "Write there instead of stdout", {}, {}, Completes::files},
    Option{0, "html", "FILE", "Also write a page with thumbnails", {}, {}, Completes::files},
    Option{0, "sheet", "FILE.png", "Also write a contact sheet with thumbnails", {}, {}, Completes::files},
    Option{0,
           "index",
           "FILE",
           "Keep the folder's index there, and not below $XDG_DATA_HOME/moa",
           {},
           {},
           Completes::files},
    Option{0, "no-update", "", "Take the index as it is: the folder is not walked"},
    Option{0, "reindex", "", "Make the index anew"},
};
constexpr std::array<Options, 4> kGroups = {kOptions, kModelOptions, kPictureOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"Find dogs", "moa search ~/Photos \"강아지\""},
    Example{"Two queries at once, and a contact sheet of both",
            "moa search ~/Photos \"a dog\" \"눈 덮인 산\" --sheet found.png"},
    Example{"Pictures like this one", "moa search ~/Photos --similar beach.jpg --html found.html"},
    Example{"A sum: a horse with stripes, and not in a zoo",
            "moa search ~/Photos \"a horse\" + \"2:stripes\" - \"zoo\""},
    Example{"Copy the best twenty", "moa search ~/Photos \"sunset\" -k 20 -0 | xargs -0 cp -t best/"},
};

}  // namespace

constexpr Command kSearchCommand = {
    .name = "search",
    .summary = "Find pictures by words, or by other pictures",
    .usage = "PLACE QUERY… [options]",
    .description =
        "PLACE is a folder, or an index made by moa index. A folder is indexed when it is first searched; "
        "later, only what is "
        "new or changed is embedded. The index lies below $XDG_DATA_HOME/moa, never inside the folder.\n\n"
        "A query is a text, or a picture if it names a picture file. Each query is a search of its own, "
        "unless a lone + or - "
        "joins it with its neighbour into a sum, in which a term may have a weight in front: 2:stripes. "
        "Without a query, on a "
        "terminal, queries are read line by line; + and - with spaces around them join there, too.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::files,
    .run = run_search,
};

}  // namespace moa::cli
