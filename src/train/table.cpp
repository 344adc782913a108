#include "train/table.hpp"

#include <algorithm>
#include <limits>

#include <moa/error.hpp>

#include "base/config.hpp"
#include "base/utf8.hpp"

namespace moa::train {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kMostLineBytes = std::size_t{1} << 20;

std::string_view line_at(std::string_view text, std::size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

// What `read` makes of the JSON in the line that `text` begins with; its errors name the line.
template <typename Read>
auto read_json_line(std::string_view text, const TextOrigin& origin, Read read) {
  const std::string_view line = line_at(text, 0);
  const auto where = [&] { return "cannot read " + place_in(text, 0, origin) + ": "; };
  if (line.size() > kMostLineBytes)
    throw Error(ErrorCode::limit_exceeded, where() + "it is longer than 1 MiB");
  try {
    return read(Config::parse(line, "its JSON"));
  } catch (const Error& error) {
    throw Error(error.code(), where() + error.what());
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

std::vector<std::string> json_values(const Config& record, std::string_view column) {
  if (!record.has(column)) return {};
  if (record.is_array(column)) return record.strings(column, {});
  if (record.is_number(column)) {
    using Limits = std::numeric_limits<std::int64_t>;
    return {std::to_string(record.integer(column, 0, Limits::min(), Limits::max()))};
  }
  return {record.string(column, {})};
}

}  // namespace

TableReading keeping_bad_records(TableReading reading) {
  reading.bad_records = TableReading::BadRecords::keep;
  return reading;
}

Table Table::open(const std::filesystem::path& path, const TableReading& reading) {
  const std::string ending = path.extension().string();
  TableFormat format = TableFormat::delimited;
  if (ending == ".jsonl" || ending == ".ndjson" || ending == ".json") {
    format = TableFormat::json_lines;
  } else if (ending != ".csv" && ending != ".tsv") {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      throw Error(ErrorCode::not_found, "cannot read '" + path.string() + "': it is not there");
    }
    throw Error(ErrorCode::invalid_argument, "cannot read the table '" + path.string() +
                                                 "': expected a name that ends in .csv, .tsv or "
                                                 "its lines of JSON in .jsonl");
  }
  MappedFile file = MappedFile::open(path);
  TableReading by_name = reading;
  if (by_name.separator == 0) by_name.separator = ending == ".tsv" ? '\t' : ',';
  Table table = parse(as_text(file.bytes()), format, by_name, path.string());
  table.file_ = std::move(file);
  return table;
}

Table Table::parse(std::string_view text, TableFormat format, const TableReading& reading,
                   const std::string& where) {
  Table table;
  table.text_ = text;
  table.format_ = format;
  table.rules_ = {reading.separator == 0 ? ',' : reading.separator, reading.has_quotes};
  table.bad_records_ = reading.bad_records;
  table.where_ = where;
  table.index();
  return table;
}

void Table::read_fields(std::string_view text, std::size_t& at, const TextOrigin& origin,
                        std::vector<std::string>& fields) const {
  read_record(text, at, rules_, origin, fields);
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCode::corrupt_data, "cannot read " + place_in(text, 0, origin) + ": " + what);
  };
  if (!is_utf8(text.substr(0, at))) refuse("it is not UTF-8");
  if (!columns_.empty() && fields.size() != columns_.size()) {
    refuse("found " + std::to_string(fields.size()) + " fields, expected " + std::to_string(columns_.size()) +
           " as in the first line");
  }
}

void Table::index() {
  std::vector<std::string> fields;
  TextOrigin origin{where_, 1};
  std::size_t end = 0;
  for (std::size_t at = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0; at < text_.size();
       at = end) {
    const std::string_view rest = text_.substr(at);
    const std::string_view line = line_at(rest, 0);
    std::size_t taken = std::min(line.size() + 1, rest.size());
    if (line.find_first_not_of(" \r") != line.npos) {  // not blank
      const bool names_columns = columns_.empty();
      try {
        if (format_ == TableFormat::delimited) {
          std::size_t behind = 0;
          read_fields(rest, behind, origin, fields);
          taken = behind;
          if (names_columns) columns_ = fields;
        } else if (names_columns || bad_records_ == TableReading::BadRecords::refuse) {
          const auto keys = read_json_line(rest, origin, [](const Config& record) { return record.keys(); });
          if (names_columns) columns_ = keys;
        }
      } catch (const Error&) {
        if (names_columns || bad_records_ == TableReading::BadRecords::refuse) throw;
      }
      if (!names_columns || format_ == TableFormat::json_lines) {
        begins_.push_back(at);
        lines_.push_back(origin.first_line);
      }
    }
    end = at + taken;
    origin.first_line += static_cast<std::uint64_t>(std::ranges::count(rest.substr(0, taken), '\n'));
  }
  if (columns_.empty()) {
    throw Error(ErrorCode::corrupt_data,
                "cannot read '" + where_ + "': it is empty, expected a line that names the columns");
  }
}

std::string Table::column(std::string_view what, std::span<const std::string_view> candidates) const {
  for (const std::string_view name : candidates) {
    if (std::ranges::find(columns_, name) != columns_.end()) return std::string(name);
  }
  std::vector<std::string> wanted(candidates.begin(), candidates.end());
  throw Error(ErrorCode::invalid_argument, "cannot find the column of the " + std::string(what) + " in '" +
                                               where_ + "': found " + listed(columns_) + "; expected " +
                                               listed(wanted));
}

std::vector<std::string> Table::values(std::size_t index, std::string_view column) const {
  if (index >= begins_.size()) {
    throw Error(ErrorCode::out_of_range, "record " + std::to_string(index) + " of " +
                                             std::to_string(begins_.size()) + " in '" + where_ + "'");
  }
  const std::string_view record = text_.substr(begins_[index]);
  if (format_ == TableFormat::json_lines) {
    return read_json_line(record, origin(index),
                          [&](const Config& json) { return json_values(json, column); });
  }
  const auto place = static_cast<std::size_t>(std::ranges::find(columns_, column) - columns_.begin());
  std::vector<std::string> fields;
  std::size_t behind = 0;
  read_fields(record, behind, origin(index), fields);
  if (place >= fields.size()) return {};
  return {fields[place]};
}

std::string Table::place(std::size_t index) const {
  return place_in({}, 0, {where_, lines_.at(index)});
}

}  // namespace moa::train
