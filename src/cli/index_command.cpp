// moa index: an index of one's own, over several places.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <moa/collection.hpp>
#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/collection_update.hpp"
#include "cli/console.hpp"
#include "cli/model_arguments.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

// Files that were named and failed, each as an error; what failed inside of folders is told by their number.
void tell_named(const std::string& index, const std::vector<std::string>& places, Console& console) {
  for (const FailedFile& failed : Collection::errors(index)) {
    if (std::ranges::find(places, failed.path) != places.end()) console.error(failed.code, failed.message);
  }
}

int run_index(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  if (words.empty()) fail_usage(arguments.command(), "expected at least one folder or file");
  const std::optional<std::string> file = arguments.value("output");
  if (!file) fail_usage(arguments.command(), "expected -o FILE: where the index is to be");
  const std::vector<std::filesystem::path> places(words.begin(), words.end());

  const Model model = load_model(arguments, console);
  Collection collection = Collection::open(
      *file, model_label(arguments), model.identity(), model.dim(),
      arguments.has("reindex") ? Collection::Mode::create_anew : Collection::Mode::open_or_create);
  const UpdateReport report = update_collection(collection, places, model, arguments, console);
  for (const FailedFile& place : report.failed_places) console.error(place.code, place.message);
  if (report.failed_now != 0) tell_named(*file, words, console);
  console.note(in_words(report, collection.size()));
  if (report.failed != 0) console.warn(failures_in_words(report, *file));
  return exit_code_of(report, collection.size(), *file);
}

constexpr std::array kOptions = {
    Option{'o',
           "output",
           "FILE",
           "The index; its vectors lie beside it in FILE.vectors",
           {},
           {},
           Completes::files},
    Option{0, "reindex", "", "Make it anew, also if it holds another model's vectors"},
};
constexpr std::array<Options, 4> kGroups = {kOptions, kModelOptions, kPictureOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"One index over two folders", "moa index ~/Photos /mnt/archive -o photos.moa"},
    Example{"Search it", "moa search photos.moa \"a birthday cake\""},
};

}  // namespace

constexpr Command kIndexCommand = {
    .name = "index",
    .summary = "Make or update an index of folders",
    .usage = "PLACE… -o FILE [options]",
    .description =
        "Makes FILE hold exactly what lies in the places now: embeds what is new or changed, forgets what is "
        "gone, and places that are no longer named. Of a place that is not there or cannot be read, FILE "
        "keeps what it held, and the others are indexed. "
        "moa search PLACE keeps an index of one folder by itself; this command is for one over several "
        "places, or "
        "in a place of your choice.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::files,
    .run = run_index,
};

}  // namespace moa::cli
