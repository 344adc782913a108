#include "search/store.hpp"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <moa/error.hpp>

namespace moa::search {
namespace {

constexpr std::size_t kGenerationBytes = 16;
constexpr std::size_t kRowsAtOnce = 4096;

std::string new_generation() {
  std::string bytes(kGenerationBytes, '\0');
  if (::getentropy(bytes.data(), bytes.size()) != 0) {
    throw Error(ErrorCode::io_error, std::string("cannot get random bytes: ") + std::strerror(errno));
  }
  return bytes;
}

std::filesystem::path with_ending(const std::filesystem::path& path, const char* ending) {
  std::filesystem::path result = path;
  result += ending;
  return result;
}

bool is_empty_file(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

// The vector file that belongs to `heading`, wherever a killed writer left it.
VectorRows open_vectors(const StoreFiles& files, const Heading& heading) {
  std::string found = "there is none";
  // A writer that has just committed renames `next_vectors` to `vectors`: what was missed in the first two
  // looks is there in the third.
  for (const std::filesystem::path* path : {&files.vectors, &files.next_vectors, &files.vectors}) {
    try {
      VectorRows vectors = VectorRows::open(*path);
      const VectorHeader& header = vectors.header();
      if (header.generation == heading.generation && header.dim == heading.dim &&
          header.model_identity == heading.model_identity) {
        if (vectors.rows() >= heading.rows) return vectors;
        found = "it holds " + std::to_string(vectors.rows()) + " rows, the index names " +
                std::to_string(heading.rows);
      } else {
        found = "it belongs to another index";
      }
    } catch (const Error& error) {
      if (error.code() == ErrorCode::io_error) throw;
      if (error.code() != ErrorCode::not_found) found = error.what();
    }
  }
  throw Error(ErrorCode::corrupt_data, "cannot use the index '" + files.catalogue.string() + "' with '" +
                                           files.vectors.string() + "': " + found);
}

void make_folder_of(const std::filesystem::path& file) {
  if (!file.has_parent_path()) return;
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    throw Error(ErrorCode::io_error,
                "cannot make the folder '" + file.parent_path().string() + "': " + error.message());
  }
}

// Whether the catalogue that is to be replaced can be replaced from inside. Error: corrupt_data if it is some
// other program's file, which nobody asked to destroy.
bool is_sound_catalogue(const std::filesystem::path& file) {
  Database database = Database::open(file, Database::Access::read);
  const Catalogue catalogue(database);
  const bool ours = catalogue.is_catalogue();
  try {
    if (!ours && catalogue.is_blank()) return true;
    if (ours) catalogue.load();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_data) throw;
    if (ours) return false;
  }
  if (ours) return true;
  throw Error(ErrorCode::corrupt_data, "cannot replace '" + file.string() + "': it is not an index of moa");
}

}  // namespace

StoreFiles::StoreFiles(std::filesystem::path file)
    : catalogue(std::move(file)),
      vectors(with_ending(catalogue, ".vectors")),
      next_vectors(with_ending(catalogue, ".vectors.new")) {}

std::optional<Snapshot> Snapshot::load(const StoreFiles& files) {
  struct stat status {};
  if (::stat(files.catalogue.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return std::nullopt;
  }
  Database database = Database::open(files.catalogue, Database::Access::read);
  Transaction transaction(database, Transaction::Kind::read);
  const Catalogue catalogue(database);
  if (catalogue.is_blank()) return std::nullopt;
  Contents contents = catalogue.load();
  VectorRows vectors = open_vectors(files, contents.heading);
  transaction.commit();
  return Snapshot{std::move(contents), std::move(vectors)};
}

void check_belongs_to(const Target& target, const Heading& heading, const StoreFiles& files) {
  if (heading.model_identity == target.model_identity && heading.dim == target.dim) return;
  const char* const same_name =
      heading.model_name == target.model_name
          ? " (of the same name, but with other weights, text model, adapter, prompt "
            "vectors, precision or --fast-decode)"
          : "";
  throw Error(ErrorCode::model_mismatch,
              "cannot use the index '" + files.catalogue.string() + "' with the model '" + target.model_name +
                  "' (" + target.model_identity + ", " + std::to_string(target.dim) +
                  " dimensions): it holds vectors of '" + heading.model_name + "' (" +
                  heading.model_identity + ", " + std::to_string(heading.dim) + " dimensions)" + same_name +
                  "; --reindex makes it anew");
}

Writer::Writer(const StoreFiles& files, const Target& target, VectorAppender lock)
    : files_(files), lock_(std::move(lock)) {
  heading_.model_identity = target.model_identity;
  heading_.model_name = target.model_name;
  heading_.dim = target.dim;
}

std::unique_ptr<Writer> Writer::try_begin(const StoreFiles& files, const Target& target, Start start) {
  make_folder_of(files.catalogue);
  std::optional<VectorAppender> lock = VectorAppender::try_lock(files.vectors);
  if (!lock) return nullptr;
  std::unique_ptr<Writer> writer(new Writer(files, target, std::move(*lock)));

  const bool exists = std::filesystem::exists(files.catalogue) && !is_empty_file(files.catalogue);
  if (!exists && !writer->lock_.is_empty() && !writer->lock_.looks_like_vectors()) {
    throw Error(ErrorCode::corrupt_data, "cannot make the index '" + files.catalogue.string() +
                                             "': the file '" + files.vectors.string() +
                                             "', which would hold its vectors, holds something else");
  }
  if (start == Start::anew) {
    if (exists) writer->damaged_ = !is_sound_catalogue(files.catalogue);
    return writer;
  }
  writer->before_ = Snapshot::load(files);
  if (!writer->before_) return writer;
  check_belongs_to(target, writer->before_->contents.heading, files);
  writer->heading_ = writer->before_->contents.heading;
  if (writer->before_->vectors.path() != files.next_vectors) {
    ::unlink(files.next_vectors.c_str());  // of a writer that was killed before its commit
    return writer;
  }
  // Finish what a writer that was killed between its commit and its renaming began.
  std::optional<VectorAppender> next = VectorAppender::try_lock(files.next_vectors);
  if (!next) return nullptr;
  next->rename(files.vectors);
  writer->lock_ = std::move(*next);
  return writer;
}

Writer::~Writer() {
  if (next_) ::unlink(files_.next_vectors.c_str());
  // If nothing came of a new collection, nothing stays behind.
  if (lock_.is_empty()) ::unlink(files_.vectors.c_str());
  if (is_empty_file(files_.catalogue)) ::unlink(files_.catalogue.c_str());
}

void Writer::begin_generation() {
  Heading heading = heading_;
  heading.generation = new_generation();
  heading.rows = 0;
  next_ =
      VectorAppender::create(files_.next_vectors, {heading.dim, heading.generation, heading.model_identity});
  heading_ = heading;
}

std::int64_t Writer::append(std::span<const float> values) {
  if (heading_.generation.empty()) begin_generation();
  const std::int64_t first_row = heading_.rows;
  vectors().append(first_row, values, heading_.dim);
  heading_.rows += static_cast<std::int64_t>(values.size()) / heading_.dim;
  return first_row;
}

void Writer::commit(const Changes& changes) {
  if (heading_.generation.empty()) begin_generation();
  if (damaged_) {
    ::unlink(files_.catalogue.c_str());
    ::unlink(with_ending(files_.catalogue, "-journal").c_str());
    damaged_ = false;
  }
  {
    Database database = Database::open(files_.catalogue, Database::Access::create);
    Transaction transaction(database, Transaction::Kind::write);
    Catalogue catalogue(database);
    if (next_) catalogue.create();
    catalogue.set_heading(heading_);
    if (changes.places) catalogue.set_places(*changes.places);
    catalogue.remove(changes.removed);
    catalogue.put(changes.put);
    transaction.commit();
  }
  if (!next_) return;
  VectorAppender next = std::move(*next_);
  next_.reset();  // from here on it is the collection's, whatever it is called
  next.rename(files_.vectors);
  lock_ = std::move(next);
}

void Writer::compact(const Snapshot& now) {
  begin_generation();
  Changes changes;
  changes.places = now.contents.places;
  changes.put = now.contents.items;
  std::vector<std::int64_t> moved(static_cast<std::size_t>(now.contents.heading.rows), -1);
  std::vector<float> values;
  std::int64_t next_row = 0;
  for (Item& item : changes.put) {
    if (!item.has_vector()) continue;
    std::int64_t& row = moved[static_cast<std::size_t>(item.row)];
    if (row < 0) {
      row = next_row++;
      const std::span<const float> vector = now.vectors.row(item.row);
      values.insert(values.end(), vector.begin(), vector.end());
      if (values.size() >= kRowsAtOnce * vector.size()) {
        append(values);
        values.clear();
      }
    }
    item.row = row;
  }
  if (!values.empty()) append(values);
  commit(changes);
}

}  // namespace moa::search
