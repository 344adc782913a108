// The two files of a collection as one: what they hold together at one moment, and the one writer that
// changes them so that they never contradict each other, whenever it is killed.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "search/catalogue.hpp"
#include "search/vector_file.hpp"

namespace moa::search {

struct StoreFiles {
  explicit StoreFiles(std::filesystem::path file);

  std::filesystem::path catalogue;
  std::filesystem::path vectors;
  // The vector file of a new generation, until the catalogue that names it is committed.
  std::filesystem::path next_vectors;
};

// What a collection holds at one moment. Later writers do not disturb it.
struct Snapshot {
  Contents contents;
  VectorRows vectors;

  // Nothing, if there is no collection yet. Errors: corrupt_data; unsupported; io_error.
  static std::optional<Snapshot> load(const StoreFiles& files);
};

// The model that vectors belong to.
struct Target {
  std::string model_name;
  std::string model_identity;
  std::int64_t dim = 0;
};

// One transaction.
struct Changes {
  std::vector<Item> put;
  std::vector<Item> removed;
  std::optional<std::vector<Place>> places;
};

// The only writer of a collection, as long as it exists.
//
// Rows are appended and synced first; a transaction names them afterwards. A new generation (the first,
// another model's, or the same one without its unused rows) is a new vector file under another name: the
// transaction commits to it, then it takes the old one's place. Killed between the two, the next one to open
// the collection finds it by its generation.
class Writer {
 public:
  enum class Start {
    from_what_is_there,
    anew,  // what is there is replaced by the first commit, not before
  };
  // Null, if another process is writing. Errors: io_error with the path; model_mismatch; as Snapshot::load,
  // but starting anew a damaged collection is replaced.
  static std::unique_ptr<Writer> try_begin(const StoreFiles& files, const Target& target, Start start);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // What was there when the lock was won; nothing, if started anew.
  const std::optional<Snapshot>& before() const { return before_; }

  // In the vector file, named or not.
  std::int64_t rows() const { return heading_.rows; }
  // Adds rows, on disk when it returns, and gives the number of the first.
  std::int64_t append(std::span<const float> values);
  // Everything or nothing.
  void commit(const Changes& changes);
  // Makes a vector file of only those rows that `now` names. Ends this writer's use of `before`.
  void compact(const Snapshot& now);

 private:
  Writer(const StoreFiles& files, const Target& target, VectorAppender lock);
  void begin_generation();
  VectorAppender& vectors() { return next_ ? *next_ : lock_; }

  StoreFiles files_;
  VectorAppender lock_;                 // on `files_.vectors`
  std::optional<VectorAppender> next_;  // the new generation's, not yet in its place
  std::optional<Snapshot> before_;
  Heading heading_;  // as committed, but for `rows`, which counts appended ones too
  bool damaged_ = false;
};

// Error: model_mismatch, naming both.
void check_belongs_to(const Target& target, const Heading& heading, const StoreFiles& files);

}  // namespace moa::search
