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
#include <string_view>
#include <vector>

#include <moa/error.hpp>
#include <moa/export.hpp>
#include <moa/model.hpp>

namespace moa {

struct FailedFile {
  std::string path;
  std::string code;  // of moa::Error, by name
  std::string message;
};

// What an update of a collection found and did. Every file that lies in the places counts once: as added,
// unchanged, failed or skipped.
struct UpdateReport {
  std::size_t added = 0;       // new or changed, and has its vector
  std::size_t reused = 0;      // of those added: moved and copied files, whose content had a vector already
  std::size_t unchanged = 0;   // has its vector as before, perhaps with new times
  std::size_t removed = 0;     // had a vector and is forgotten: no longer there
  std::size_t failed = 0;      // looks like media and could not be read: kept with its error
  std::size_t failed_now = 0;  // of those failed: tried by this update; the others have not changed since
  std::size_t skipped = 0;     // of no kind that the model embeds
  // What lies below these is not known: what was indexed of it stays.
  std::vector<FailedFile> unreadable_folders;
  std::vector<FailedFile> failed_places;  // not there, or cannot be read: what was indexed of them stays
};

struct UpdateOptions {
  std::function<void(std::size_t done, std::size_t total)> progress = {};  // may be empty
  // Called once if another process is updating this collection, before waiting for it to end; may be empty.
  std::function<void()> waiting;
  const std::atomic<bool>* cancelled = nullptr;  // Error cancelled, after what was finished is kept
  std::int64_t batch = 0;
  double max_megapixels = 256;
};

struct SearchOptions {
  std::size_t top = 5;
  std::optional<double> min_score = {};
  // Globs as the shell's, but `*` matches `/` too; against the path inside its place, and against the file
  // name.
  std::vector<std::string> exclude = {};
  std::vector<std::filesystem::path> exclude_files = {};  // however they are spelt
  std::optional<std::filesystem::path> within = {};       // only what lies in this folder
  // How places are written in the results: each stands for the place that it leads to. A place that none of
  // these leads to is written as the last update of this object spelt it, or else as when it was first
  // indexed, or else, if that leads elsewhere from here, with its absolute path.
  std::vector<std::filesystem::path> places;
};

struct Found {
  std::string path;  // its place joined with the path inside it; bytes
  float score = 0;   // cosine
  // The probability that it belongs to the text, if `rerank` looked at it.
  std::optional<float> match = {};
};

struct RerankOptions {
  std::size_t first = 50;  // so many of the best are looked at
  EmbedOptions embed = {};
  // Called for each file that could not be read again; may be empty.
  std::function<void(const std::string& path, const Error& error)> failed = {};
};

// What `moa inspect INDEX` shows.
struct CollectionInfo {
  std::string path;
  std::string model_identity;
  std::string model_name;
  std::int64_t dim = 0;
  std::size_t items = 0;  // with a vector
  std::size_t failed = 0;
  std::size_t skipped = 0;  // files of no kind that the model embeds
  std::size_t rows = 0;     // in the vector file; those that no item names are ignored
  std::vector<std::string> places;
  // Contradictions within the catalogue, and between it and the vectors; empty when sound.
  std::vector<std::string> problems;
};

// An index: one SQLite file, and beside it FILE.vectors (a 4096-byte header, then float32 rows). Several
// processes may use one at once: writers take turns, readers see whole transactions. A process that is killed
// loses at most the batch that it was embedding. One object is used by one thread at a time, and searches
// what the collection held when it was opened or last updated through this object.
class MOA_API Collection {
 public:
  enum class Mode {
    open_existing,  // Error not_found if there is none
    open_or_create,
    create_anew,  // what was there, damaged or another model's, is replaced when the first vectors are
                  // written
  };
  // `model_identity` and `dim` are what the vectors must belong to. Nothing is written before the first
  // update. Errors: model_mismatch if they are another model's; corrupt_data if the file is damaged or not an
  // index; unsupported if a later version of moa made it; io_error; invalid_argument for an impossible `dim`.
  static Collection open(const std::filesystem::path& file, std::string_view model_name,
                         std::string_view model_identity, std::int64_t dim, Mode mode = Mode::open_or_create);
  // Reads everything and checks it against itself. Errors: not_found; corrupt_data if the catalogue cannot be
  // read at all; unsupported; io_error.
  static CollectionInfo inspect(const std::filesystem::path& file);
  // The files that failed, with their errors, in order of place and path. Errors as `inspect`.
  static std::vector<FailedFile> errors(const std::filesystem::path& file);
  // Whether `file` is an index, sound or damaged.
  static bool is_collection(const std::filesystem::path& file);

  // Makes the collection hold exactly what lies in `places` (folders or files) now: embeds what is new or
  // changed, forgets what is gone. `model` is called only if something must be embedded, so that an unchanged
  // folder costs no model. If nothing has changed nothing is written, so that a collection may lie where it
  // cannot be written. A file that failed is tried again when it has changed, or if it had more pixels than
  // another `max_megapixels` allowed, or the machine no memory. Of a place that is not there or cannot be
  // read, what was indexed stays, unless the collection is made anew. Errors: that of the first place if none
  // can be read, before anything is changed; io_error with the path if the disk is full or the folder cannot
  // be written, and the collection is as it was after the last whole batch; model_mismatch; cancelled; what
  // `model` throws, and its prepare() for pictures.
  UpdateReport update(std::span<const std::filesystem::path> places,
                      const std::function<const Model&()>& model, const UpdateOptions& options = {});

  // Files with a vector.
  std::size_t size() const;
  // The places that it holds, each as it was written when it was first indexed, or, if that leads elsewhere
  // from here, with its absolute path.
  std::vector<std::string> places() const;
  // Best first; equal scores in bytewise order of path. `query` is on the unit sphere, as the vectors are.
  // Error: shape_mismatch if it is not `dim` long.
  std::vector<Found> search(std::span<const float> query, const SearchOptions& options = {}) const;

 private:
  struct Impl;
  explicit Collection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

// Puts the first `options.first` of what a search for `text` found in the order of the probabilities that the
// model's head for image-text matching gives them (Scorer::itm), equal ones as they were. Their files are
// read again; one that is gone or broken keeps its place. Errors: unsupported if the model has no such head;
// what the text deserves; cancelled.
MOA_API std::vector<Found> rerank(const Model& model, std::string_view text, std::vector<Found> found,
                                  const RerankOptions& options = {});

// Where the index of `place` is kept for a model: below $XDG_DATA_HOME/moa (~/.local/share/moa), never inside
// the folder. The same for every spelling of the place. Error: not_found if neither variable nor the system
// tells a home folder.
MOA_API std::filesystem::path default_index_path(const std::filesystem::path& place,
                                                 std::string_view model_identity);

}  // namespace moa
