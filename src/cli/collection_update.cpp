#include "cli/collection_update.hpp"

#include "cli/exit_codes.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_arguments.hpp"

namespace moa::cli {
namespace {

ErrorCode code_named(const std::string& wanted) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    if (name(static_cast<ErrorCode>(code)) == wanted) return static_cast<ErrorCode>(code);
  }
  return ErrorCode::internal;
}

std::string files(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " file" : " files");
}

}  // namespace

UpdateReport update_collection(Collection& collection, std::span<const std::filesystem::path> places,
                               const Model& model, const Arguments& arguments, Console& console) {
  if (!model.embeds(Modality::image)) {
    throw Error(ErrorCode::unsupported,
                "cannot index pictures with the model '" + model.info().name +
                    "': it has a text tower only; its vectors of texts come by 'moa embed'");
  }
  model.prepare(Modality::image);
  const EmbedOptions embed = embed_options(arguments);
  UpdateOptions options;
  options.batch = embed.batch;
  options.max_megapixels = embed.max_megapixels;
  options.cancelled = &interrupted();
  options.progress = [&](std::size_t done, std::size_t total) { console.progress("indexing", done, total); };
  UpdateReport report = collection.update(
      places, [&]() -> const Model& { return model; }, options);
  console.clear_progress();
  for (const FailedFile& folder : report.unreadable_folders)
    warn_of_folder(folder.path, folder.message, console);
  return report;
}

std::string in_words(const UpdateReport& report, std::size_t items) {
  std::string text = std::to_string(items) + (items == 1 ? " item: " : " items: ") +
                     std::to_string(report.added) + " new or changed, " + std::to_string(report.unchanged) +
                     " unchanged";
  if (report.removed != 0) text += ", " + std::to_string(report.removed) + " removed";
  if (report.skipped != 0) text += ", " + files(report.skipped) + " of other kinds skipped";
  return text;
}

std::string failures_in_words(const UpdateReport& report, const std::filesystem::path& index) {
  return files(report.failed) + " could not be read; see: moa inspect " + index.string() + " --errors";
}

int exit_code_of(const UpdateReport& report, std::size_t items, const std::filesystem::path& index) {
  if (report.failed == 0) return report.failed_places.empty() ? 0 : kSomeInputsFailed;
  if (items != 0) return kSomeInputsFailed;
  // Places are looked at before what lies in them.
  if (!report.failed_places.empty()) return exit_code(code_named(report.failed_places.front().code));
  const std::vector<FailedFile> failed = Collection::errors(index);
  return failed.empty() ? kSomeInputsFailed : exit_code(code_named(failed.front().code));
}

}  // namespace moa::cli
