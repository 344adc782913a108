#include "storage/sqlite.hpp"

#include <sqlite3.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <moa/error.hpp>

namespace moa {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
// Longer than any path (4096) or message that is stored; SQLite refuses to read or write more.
constexpr int kMaxValueBytes = 1 << 20;

ErrorCode code_of(int result) {
  switch (result & 0xff) {  // the primary code, without its extension
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::overloaded;
    case SQLITE_NOMEM:
      return ErrorCode::limit_exceeded;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:
      return ErrorCode::corrupt_data;  // e.g. no such table: our own SQL is right
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return ErrorCode::internal;
    default:
      return ErrorCode::io_error;  // full disk, read-only file, failed read or write
  }
}

[[noreturn]] void fail(int result, sqlite3* database, const std::string& file) {
  std::string reason = sqlite3_errstr(result);
  if (database != nullptr) {
    reason = sqlite3_errmsg(database);
    const int error = sqlite3_system_errno(database);
    if (code_of(result) == ErrorCode::io_error && error != 0)
      reason += std::string(" (") + std::strerror(error) + ")";
  }
  if ((result & 0xff) == SQLITE_NOTADB) reason = "the file is not a database, as an index of moa is";
  throw Error(code_of(result), "cannot use '" + file + "': " + reason);
}

void check(int result, sqlite3* database, const std::string& file) {
  if (result != SQLITE_OK) fail(result, database, file);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(sqlite3& database, std::string file, std::string_view sql) : file_(std::move(file)) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(&database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr),
        &database, file_);
  statement_.reset(statement);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), parameter, value), sqlite3_db_handle(statement_.get()), file_);
  return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view value) {
  check(sqlite3_bind_text64(statement_.get(), parameter, value.empty() ? "" : value.data(), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8),
        sqlite3_db_handle(statement_.get()), file_);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view value) {
  check(sqlite3_bind_blob64(statement_.get(), parameter, value.empty() ? "" : value.data(), value.size(),
                            SQLITE_TRANSIENT),
        sqlite3_db_handle(statement_.get()), file_);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(statement_.get(), parameter), sqlite3_db_handle(statement_.get()), file_);
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) fail(result, sqlite3_db_handle(statement_.get()), file_);
  return false;
}

void Statement::run() {
  while (step()) {
  }
  sqlite3_reset(statement_.get());
}

void Statement::check_type(int column, int expected) const {
  if (sqlite3_column_type(statement_.get(), column) == expected) return;
  throw Error(ErrorCode::corrupt_data, "cannot use '" + file_ + "': the column '" +
                                           sqlite3_column_name(statement_.get(), column) +
                                           "' holds a value of another type than moa writes");
}

std::int64_t Statement::integer(int column) const {
  check_type(column, SQLITE_INTEGER);
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  check_type(column, SQLITE_TEXT);
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::blob(int column) const {
  check_type(column, SQLITE_BLOB);
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Database Database::open(const std::filesystem::path& file, Access access) {
  // SQLite would wait on a pipe, and says no more than "unable to open" of what is not there.
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    if (!absent || access == Access::read) {
      throw Error(absent ? ErrorCode::not_found : ErrorCode::io_error,
                  "cannot open '" + file.string() + "': " + std::strerror(errno));
    }
  } else if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::corrupt_data, "cannot open '" + file.string() + "': expected a regular file");
  }

  // Without SQLITE_OPEN_URI a file name is a file name, whatever it looks like. A file that cannot be written
  // is opened for reading by READWRITE as well; asking for writing lets a reader finish what a killed writer
  // left.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* raw = nullptr;
  const std::string absolute = std::filesystem::absolute(file).string();  // ":memory:" and "" are names here
  const int result = sqlite3_open_v2(absolute.c_str(), &raw, flags, nullptr);
  std::unique_ptr<sqlite3, Close> database(raw);
  check(result, raw, file.string());

  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return Database(std::move(database), file.string());
}

void Database::run(std::string_view sql) {
  prepare(sql).run();
}

Statement Database::prepare(std::string_view sql) const {
  return Statement(*database_, file_, sql);
}

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.run(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {
    // After a failed write SQLite has already rolled back.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace moa
