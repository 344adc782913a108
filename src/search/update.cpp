#include "search/update.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/cancellation.hpp"
#include "search/batch.hpp"
#include "search/places.hpp"
#include "search/plan.hpp"

namespace moa::search {
namespace {

constexpr auto kLockPause = std::chrono::milliseconds(50);

void stop_if_cancelled(const StoreFiles& files, const UpdateOptions& options) {
  if (!is_raised(options.cancelled)) return;
  throw Error(ErrorCode::cancelled, "cannot finish updating '" + files.catalogue.string() + "': interrupted");
}

std::unique_ptr<Writer> begin_writing(const StoreFiles& files, const Target& target, Writer::Start start,
                                      const UpdateOptions& options) {
  for (bool first = true;; first = false) {
    std::unique_ptr<Writer> writer = Writer::try_begin(files, target, start);
    if (writer != nullptr) return writer;
    stop_if_cancelled(files, options);
    if (first && options.waiting) options.waiting();
    std::this_thread::sleep_for(kLockPause);
  }
}

std::vector<std::filesystem::path> own_files(const StoreFiles& files) {
  std::vector<std::filesystem::path> own = {files.catalogue, files.vectors, files.next_vectors,
                                            files.catalogue};
  own.back() += "-journal";
  return own;
}

// Rewriting costs as much as the rows that stay: worth it when most of the file is waste.
void compact_if_wasteful(const StoreFiles& files, Writer& writer, std::size_t vectors) {
  constexpr std::int64_t kSpareRows = 4096;
  if (writer.rows() <= 2 * static_cast<std::int64_t>(vectors) + kSpareRows) return;
  const std::optional<Snapshot> now = Snapshot::load(files);
  if (!now) return;
  try {
    writer.compact(*now);
  } catch (const Error& error) {
    // No room for a second copy: the first is as good as it was.
    if (error.code() != ErrorCode::io_error) throw;
  }
}

}  // namespace

UpdateReport update(const StoreFiles& files, const Target& target, Writer::Start start,
                    const std::optional<Snapshot>& known, std::span<const std::filesystem::path> places,
                    const Embedder& embedder, const UpdateOptions& options) {
  const std::vector<ListedPlace> listed = list_places(places, own_files(files), options.cancelled);
  const bool anew = start == Writer::Start::anew;
  const Contents nothing;
  Plan plan = make_plan(listed, known && !anew ? known->contents : nothing, embedder.tries_again);

  UpdateReport report;
  const auto count_kept = [&] {
    report.unchanged = plan.unchanged;
    report.failed = plan.failed;
    report.skipped = plan.skipped;
    report.removed = plan.removed_vectors;
  };
  count_kept();
  for (const ListedPlace& place : listed) {
    if (place.error) {
      report.failed_places.push_back(
          {place.spelling, std::string(name(place.error->code())), place.error->what()});
    }
    for (const UnreadableFolder& folder : place.unreadable) {
      report.unreadable_folders.push_back(
          {join(place.spelling, folder.inside), std::string(name(ErrorCode::io_error)), folder.reason});
    }
  }
  if (known && !anew && plan.is_empty()) return report;

  const std::unique_ptr<Writer> writer = begin_writing(files, target, start, options);
  plan = make_plan(listed, writer->before() ? writer->before()->contents : nothing, embedder.tries_again);
  count_kept();
  if (writer->before() && plan.is_empty()) return report;  // someone else has just done it

  Batch batch(*writer, target, plan, embedder, report);
  std::size_t done = 0;
  for (const Candidate& candidate : plan.candidates) {
    if (is_raised(options.cancelled)) break;
    batch.add(candidate);
    if (batch.is_full()) batch.finish();
    if (options.progress) options.progress(++done, plan.candidates.size());
  }
  batch.finish();
  stop_if_cancelled(files, options);
  batch.remove_absent();
  compact_if_wasteful(files, *writer, report.unchanged + report.added);
  return report;
}

}  // namespace moa::search
