// storage: SQLite, for everything that keeps tables on disk: with errors as moa::Error and statements as
// values. It knows no table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace moa {

// A prepared statement. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement(sqlite3& database, std::string file, std::string_view sql);

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind_text(int parameter, std::string_view value);
  Statement& bind_blob(int parameter, std::string_view value);
  Statement& bind_null(int parameter);

  // Moves to the next row of the result; false at its end.
  bool step();
  // Runs a statement that has no result, and makes it ready to be bound and run again.
  void run();

  // Error: corrupt_data if the column holds another type: a damaged or forged file may hold anything.
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step; bytes, not always UTF-8
  std::string_view blob(int column) const;
  bool is_null(int column) const;

 private:
  void check_type(int column, int expected) const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::string file_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One connection to one file. Used by one thread at a time.
class Database {
 public:
  enum class Access {
    read,    // also where the file or its folder cannot be written
    create,  // makes the file if there is none
  };
  // Nothing in the file is trusted: views, triggers and functions in its schema do nothing, values are
  // bounded. Errors: not_found; io_error. That a file is no database shows when it is first read.
  static Database open(const std::filesystem::path& file, Access access);

  void run(std::string_view sql);
  Statement prepare(std::string_view sql) const;
  const std::string& file() const { return file_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(std::unique_ptr<sqlite3, Close> database, std::string file)
      : database_(std::move(database)), file_(std::move(file)) {}

  std::unique_ptr<sqlite3, Close> database_;
  std::string file_;
};

// Begins a transaction, and takes everything back when it ends without commit().
class Transaction {
 public:
  enum class Kind { read, write };
  // Error: overloaded if others do not let go of the file for ten seconds.
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace moa
