#include "embed/text_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <system_error>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "storage/sqlite.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kVersion = 2;
constexpr std::size_t kMostKeyBytes = 4096;  // a longer text is a document, which does not come again
constexpr std::size_t kMostUnwritten = 4096;

std::int64_t number(const Database& database, std::string_view sql) {
  Statement statement = database.prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

// What people search for is theirs alone. A file that is there keeps the rights that it has.
void make_private_file(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor >= 0) ::close(descriptor);
}

void remove_file(const fs::path& file) {
  std::error_code ignored;
  for (const char* ending : {"", "-journal"}) fs::remove(fs::path(file) += ending, ignored);
}

}  // namespace

// One row a vector. A commit is all or nothing and every row stands for itself, so that whatever a crash
// leaves behind is true.
class TextCache::File {
 public:
  // Errors: those of SQLite; corrupt_data for a file of another version or kind.
  explicit File(const TextCacheOptions& options)
      : owner_(options.owner),
        most_bytes_(options.most_file_bytes),
        database_(Database::open(options.file, Database::Access::create)) {
    database_.run("PRAGMA busy_timeout = 500");
    const std::int64_t version = number(database_, "PRAGMA user_version");
    if (version == kVersion) return;
    if (version != 0)
      throw Error(ErrorCode::corrupt_data, "the cache of texts has version " + std::to_string(version));
    Transaction transaction(database_, Transaction::Kind::write);
    database_.run(
        "CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, key BLOB NOT NULL, "
        "truncated INTEGER NOT NULL, vector BLOB NOT NULL, checksum BLOB NOT NULL, UNIQUE (owner, key))");
    database_.run("PRAGMA user_version = " + std::to_string(kVersion));
    transaction.commit();
  }

  std::optional<KnownVector> find(std::string_view key) const {
    Statement statement =
        database_.prepare("SELECT truncated, vector, checksum FROM vectors WHERE owner = ?1 AND key = ?2");
    statement.bind_text(1, owner_).bind_blob(2, key);
    if (!statement.step()) return std::nullopt;
    const std::string_view bytes = statement.blob(1);
    if (bytes.empty() || bytes.size() % sizeof(float) != 0) return std::nullopt;
    KnownVector known{std::vector<float>(bytes.size() / sizeof(float)), statement.integer(0) != 0};
    std::memcpy(known.vector.data(), bytes.data(), bytes.size());
    return statement.blob(2) == checksum(key, known) ? std::optional(std::move(known)) : std::nullopt;
  }

  void insert(const std::vector<std::pair<std::string, KnownVector>>& entries) {
    Transaction transaction(database_, Transaction::Kind::write);
    Statement statement = database_.prepare(
        "INSERT OR REPLACE INTO vectors (owner, key, truncated, vector, checksum) VALUES (?1, ?2, ?3, ?4, "
        "?5)");
    for (const auto& [key, known] : entries) {
      statement.bind_text(1, owner_).bind_blob(2, key).bind(3, known.truncated ? 1 : 0);
      statement.bind_blob(
          4, {reinterpret_cast<const char*>(known.vector.data()), known.vector.size() * sizeof(float)});
      const std::string sum = checksum(key, known);
      statement.bind_blob(5, sum);
      statement.run();
    }
    while (used_bytes() > most_bytes_ && number(database_, "SELECT count(*) FROM vectors") > 0) {
      database_.run(
          "DELETE FROM vectors WHERE id <= (SELECT min(id) + (max(id) - min(id)) / 4 FROM vectors)");
    }
    transaction.commit();
  }

 private:
  // Of a whole row, for SQLite would not notice a bit that a disk has turned.
  std::string checksum(std::string_view key, const KnownVector& known) const {
    std::string row = owner_ + '\0' + std::string(key) + (known.truncated ? '1' : '0');
    row.append(reinterpret_cast<const char*>(known.vector.data()), known.vector.size() * sizeof(float));
    return content_hash(as_bytes(row));
  }

  std::int64_t used_bytes() const {
    return (number(database_, "PRAGMA page_count") - number(database_, "PRAGMA freelist_count")) *
           number(database_, "PRAGMA page_size");
  }

  std::string owner_;
  std::int64_t most_bytes_;
  Database database_;
};

TextCache::TextCache(const TextCacheOptions& options) : memory_(options.memory_bytes) {
  if (options.file.empty()) return;
  std::error_code ignored;
  fs::create_directories(options.file.parent_path(), ignored);
  for (int attempt = 0; attempt < 2 && !file_; ++attempt) {
    make_private_file(options.file);
    try {
      file_ = std::make_unique<File>(options);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt_data) return;
      remove_file(options.file);
    }
  }
}

TextCache::~TextCache() = default;

std::optional<KnownVector> TextCache::find(std::string_view key) {
  if (std::optional<KnownVector> known = memory_.find(key)) return known;
  std::optional<KnownVector> known = find_in_file(key);
  if (known) memory_.insert(key, *known);
  return known;
}

std::optional<KnownVector> TextCache::find_in_file(std::string_view key) {
  if (key.size() > kMostKeyBytes) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (!file_) return std::nullopt;
  try {
    return file_->find(key);
  } catch (const Error&) {  // damaged, or held by others: as if it were not there
    file_.reset();
    return std::nullopt;
  }
}

void TextCache::insert(std::string_view key, const KnownVector& known) {
  memory_.insert(key, known);
  if (key.size() > kMostKeyBytes) return;
  const std::lock_guard lock(mutex_);
  if (file_ && unwritten_.size() < kMostUnwritten) unwritten_.emplace_back(key, known);
}

void TextCache::write() {
  const std::lock_guard lock(mutex_);
  if (!file_ || unwritten_.empty()) return;
  try {
    file_->insert(unwritten_);
  } catch (
      const Error&) {  // a full disk, a folder that cannot be written: what is not kept is computed again
    file_.reset();
  }
  unwritten_.clear();
}

}  // namespace moa
