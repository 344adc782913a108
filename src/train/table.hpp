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

namespace moa::train {

enum class TableFormat { delimited, json_lines };

// Only where each record begins is kept in memory: a record is parsed when it is asked for. Immutable; safe
// from any thread.
class Table {
 public:
  // The format follows from the name: .csv, .tsv, .jsonl (.ndjson, .json); `separator` as in
  // TableOptions. Every record is checked. Errors: not_found, io_error; invalid_argument (another name);
  // corrupt_data (naming the line: not UTF-8, a wrong number of fields, no header, not JSON);
  // limit_exceeded.
  static Table open(const std::filesystem::path& path, char separator = 0);
  // The same for bytes in memory, which must outlive the table. `where` names them in errors.
  static Table parse(std::string_view text, TableFormat format, char separator, const std::string& where);

  std::size_t size() const noexcept { return begins_.size(); }
  // Of delimited records, from the first line; of JSON lines, the keys of the first.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

  // The first of `candidates` that is a column; a single candidate must be one. Error: invalid_argument that
  // lists the columns.
  std::string column(std::string_view what, std::span<const std::string_view> candidates) const;

  // What record `index` holds in `column`: one value, or of JSON lines as many as its array has; none where
  // it is absent or null. Errors: corrupt_data for a JSON value that is neither; out_of_range.
  std::vector<std::string> values(std::size_t index, std::string_view column) const;
  // "FILE, line 7": where record `index` begins.
  std::string place(std::size_t index) const;

 private:
  Table() = default;
  void index();

  std::optional<MappedFile> file_;
  std::string_view text_;
  TableFormat format_ = TableFormat::delimited;
  char separator_ = ',';
  std::string where_;
  std::vector<std::string> columns_;
  std::vector<std::uint64_t> begins_;
};

}  // namespace moa::train
