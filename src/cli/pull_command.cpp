// moa pull: the one command that downloads.
#include <array>
#include <filesystem>
#include <string>

#include <moa/hub.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

int print_path(const std::filesystem::path& path) {
  Output output = Output::to_stdout();
  output.write(path.string() + "\n");
  output.finish();
  return 0;
}

int run_pull(const Arguments& arguments) {
  Console console(arguments);
  const std::vector<std::string> words = arguments.inputs();
  if (words.size() != 1) fail_usage(arguments.command(), "expected one model: ORG/NAME or ORG/NAME@REVISION");
  for (const InstalledModel& model : installed_models()) {
    if (!model.bundled || model.name != words.front()) continue;
    console.note("'" + model.name + "' is bundled with moa: there is nothing to pull");
    return print_path(model.path);
  }
  PullOptions options;
  options.cancelled = &interrupted();
  options.progress = [&](const PullProgress& progress) {
    const std::string what = std::string(progress.file) + " (" + std::to_string(progress.file_number) +
                             " of " + std::to_string(progress.file_count) + "), kB";
    console.progress(what, progress.done_bytes / 1000, progress.total_bytes / 1000);
  };
  const PullResult result = pull(words.front(), options);
  console.note(words.front() + " at " + result.commit + ": " + std::to_string(result.files) + " files, " +
               std::to_string(result.downloaded_bytes) + " bytes downloaded");
  return print_path(result.snapshot);
}

constexpr std::array<Options, 1> kGroups = {kTalkOptions};
constexpr std::array kExamples = {
    Example{"Fetch a CLIP, then use it",
            "moa pull openai/clip-vit-base-patch32 && moa search ~/Photos \"a dog\" -m "
            "openai/clip-vit-base-patch32"},
};

}  // namespace

constexpr Command kPullCommand = {
    .name = "pull",
    .summary = "Download a model into the local hub cache",
    .usage = "ORG/NAME[@REVISION] [options]",
    .description =
        "Fetches the files of a model that moa reads into the cache that other tools of the hub share, "
        "verifies "
        "their size and hash, and prints the model's directory. What broke off is resumed; what is there is "
        "not "
        "fetched again. Endpoint and token come from HF_ENDPOINT and HF_TOKEN.\n\n"
        "This is the only command that uses the network.\n",
    .options = kGroups,
    .examples = kExamples,
    .run = run_pull,
};

}  // namespace moa::cli
