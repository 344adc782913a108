// Collection: vectors of files on disk, kept up to date, and searched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moa/error.hpp>
#include <moa/export.hpp>
#include <moa/model.hpp>

namespace moa {

// What an update of a collection did.
struct UpdateReport {
  std::size_t added = 0;  // new or changed files that were embedded
  std::size_t unchanged = 0;
  std::size_t removed = 0;
  std::size_t failed = 0;  // files that look like media and could not be read; they are kept with their error
  std::size_t skipped = 0;  // files of no kind that the model embeds
};

struct UpdateOptions {
  std::function<void(std::size_t done, std::size_t total)> progress;  // may be empty
  const std::atomic<bool>* cancelled = nullptr;  // Error cancelled, after what was finished is kept
  std::int64_t batch = 0;
  double max_megapixels = 256;
};

struct SearchOptions {
  std::size_t top = 5;
  std::optional<double> min_score;
  std::vector<std::string> exclude;  // globs against the path inside its place, and against the file name
  std::vector<std::filesystem::path> exclude_files;  // paths as they were indexed
};

struct Found {
  std::string path;  // its place joined with the path inside it; bytes
  float score = 0;   // cosine
};

struct FailedFile {
  std::string path;
  std::string code;
  std::string message;
};

// What `moa inspect INDEX` shows.
struct CollectionInfo {
  std::string path;
  std::string model_identity;
  std::string model_name;
  std::int64_t dim = 0;
  std::size_t items = 0;
  std::size_t failed = 0;
  std::size_t rows = 0;  // in the vector file; those that no item names are ignored
  std::vector<std::string> places;
  std::vector<std::string>
      problems;  // contradictions between the catalogue and the vectors; empty when sound
};

// An index: one SQLite file, and beside it FILE.vectors (a 4096-byte header, then float32 rows). Several
// processes may use one at once: writers take turns, readers see whole updates. One object is used by one
// thread at a time.
class MOA_API Collection {
 public:
  enum class Mode {
    open_existing,  // Error not_found if there is none
    open_or_create,
    create_anew,  // what was there is replaced when the first update is done
  };
  // `model_identity` and `dim` are what the vectors must belong to. Error: model_mismatch if they are another
  // model's; corrupt_data; io_error.
  static Collection open(const std::filesystem::path& file, std::string_view model_name,
                         std::string_view model_identity, std::int64_t dim, Mode mode = Mode::open_or_create);
  // Reads only the catalogue and checks it against the vectors.
  static CollectionInfo inspect(const std::filesystem::path& file);
  static std::vector<FailedFile> errors(const std::filesystem::path& file);
  static bool is_collection(const std::filesystem::path& file);

  // Makes the collection hold exactly what lies in `places` (folders or files) now: embeds what is new or
  // changed, forgets what is gone. `model` is called only if something must be embedded, so that an unchanged
  // folder costs no model.
  UpdateReport update(std::span<const std::filesystem::path> places,
                      const std::function<const Model&()>& model, const UpdateOptions& options = {});

  std::size_t size() const;
  // Best first; equal scores in bytewise order of path. Error: shape_mismatch if `query` is not `dim` long.
  std::vector<Found> search(std::span<const float> query, const SearchOptions& options = {}) const;

 private:
  struct Impl;
  explicit Collection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

// Where the index of `place` is kept for a model: below $XDG_DATA_HOME/moa (~/.local/share/moa), never inside
// the folder.
MOA_API std::filesystem::path default_index_path(const std::filesystem::path& place,
                                                 std::string_view model_identity);

}  // namespace moa
