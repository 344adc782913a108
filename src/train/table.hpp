// A table of records on disk: CSV, TSV, or JSON lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "train/delimited_text.hpp"

namespace moa::train {

enum class TableFormat { delimited, json_lines };

struct TableReading {
  char separator = 0;      // of delimited records; 0: as TableOptions says
  bool has_quotes = true;  // FieldRules::has_quotes
  // What cannot be read refuses the whole table; or it is a record all the same, whose values() throw: such a
  // record ends with its line.
  enum class BadRecords { refuse, keep };
  BadRecords bad_records = BadRecords::refuse;
};

// The same, with bad records kept.
TableReading keeping_bad_records(TableReading reading);

// Only where each record begins is kept in memory: a record is parsed when it is asked for. Immutable; safe
// from any thread.
class Table {
 public:
  // The format follows from the name: .csv, .tsv, .jsonl (.ndjson, .json). Every record is checked, unless
  // bad ones are kept. Errors: not_found, io_error; invalid_argument (another name); corrupt_data (naming the
  // line: not UTF-8, a wrong number of fields, no header, not JSON); limit_exceeded.
  static Table open(const std::filesystem::path& path, const TableReading& reading = {});
  // The same for bytes in memory, which must outlive the table. `where` names them in errors.
  static Table parse(std::string_view text, TableFormat format, const TableReading& reading,
                     const std::string& where);

  std::size_t size() const noexcept { return begins_.size(); }
  // Of delimited records, from the first line; of JSON lines, the keys of the first.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

  // The first of `candidates` that is a column; a single candidate must be one. Error: invalid_argument that
  // lists the columns.
  std::string column(std::string_view what, std::span<const std::string_view> candidates) const;

  // What record `index` holds in `column`: one value, or of JSON lines as many as its array has; none where
  // it is absent or null. Errors: corrupt_data for a JSON value that is neither; those of a bad record;
  // out_of_range.
  std::vector<std::string> values(std::size_t index, std::string_view column) const;
  // "FILE, line 7": where record `index` begins.
  std::string place(std::size_t index) const;

 private:
  Table() = default;
  void index();
  TextOrigin origin(std::size_t index) const { return {where_, lines_[index]}; }
  // Fields of the record that `text` begins with; `at` moves behind it.
  void read_fields(std::string_view text, std::size_t& at, const TextOrigin& origin,
                   std::vector<std::string>& fields) const;

  std::optional<MappedFile> file_;
  std::string_view text_;
  TableFormat format_ = TableFormat::delimited;
  FieldRules rules_;
  TableReading::BadRecords bad_records_ = TableReading::BadRecords::refuse;
  std::string where_;
  std::vector<std::string> columns_;
  // Where record i begins: a byte, and the line it is on.
  std::vector<std::uint64_t> begins_;
  std::vector<std::uint64_t> lines_;
};

}  // namespace moa::train
