#include "train/table.hpp"

#include <algorithm>
#include <limits>

#include <moa/error.hpp>

#include "base/config.hpp"
#include "base/utf8.hpp"
#include "train/delimited_text.hpp"

namespace moa::train {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kMostLineBytes = std::size_t{1} << 20;

std::string_view line_at(std::string_view text, std::size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

// What `read` makes of the record in the line that begins at `text[at]`; its errors name the line.
template <typename Read>
auto read_json_line(std::string_view text, std::size_t at, const std::string& where, Read read) {
  try {
    return read(Config::parse(line_at(text, at), "its JSON"));
  } catch (const Error& error) {
    throw Error(error.code(), "cannot read " + place_in(text, at, where) + ": " + error.what());
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

Table Table::open(const std::filesystem::path& path, char separator) {
  const std::string ending = path.extension().string();
  TableFormat format = TableFormat::delimited;
  if (ending == ".jsonl" || ending == ".ndjson" || ending == ".json") {
    format = TableFormat::json_lines;
  } else if (ending != ".csv" && ending != ".tsv") {
    throw Error(ErrorCode::invalid_argument, "cannot read the table '" + path.string() +
                                                 "': expected a name that ends in .csv, .tsv or "
                                                 "its lines of JSON in .jsonl");
  }
  MappedFile file = MappedFile::open(path);
  Table table = parse(as_text(file.bytes()), format,
                      separator != 0     ? separator
                      : ending == ".tsv" ? '\t'
                                         : ',',
                      path.string());
  table.file_ = std::move(file);
  return table;
}

Table Table::parse(std::string_view text, TableFormat format, char separator, const std::string& where) {
  Table table;
  table.text_ = text;
  table.format_ = format;
  table.separator_ = separator;
  table.where_ = where;
  table.index();
  return table;
}

void Table::index() {
  std::vector<std::string> fields;
  for (std::size_t at = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0; at < text_.size();) {
    const std::size_t begin = at;
    const std::string_view line = line_at(text_, at);
    if (line.find_first_not_of(" \r") == line.npos) {  // blank
      at = std::min(at + line.size() + 1, text_.size());
      continue;
    }
    const auto refuse = [&](ErrorCode code, const std::string& what) {
      throw Error(code, "cannot read " + place_in(text_, begin, where_) + ": " + what);
    };
    if (format_ == TableFormat::json_lines) {
      if (line.size() > kMostLineBytes) refuse(ErrorCode::limit_exceeded, "it is longer than 1 MiB");
      const auto keys =
          read_json_line(text_, begin, where_, [](const Config& record) { return record.keys(); });
      if (columns_.empty()) columns_ = keys;
      begins_.push_back(begin);
      at = std::min(at + line.size() + 1, text_.size());
      continue;
    }
    read_record(text_, at, separator_, where_, fields);
    if (!is_utf8(text_.substr(begin, at - begin))) refuse(ErrorCode::corrupt_data, "it is not UTF-8");
    if (columns_.empty()) {
      columns_ = fields;
      continue;
    }
    if (fields.size() != columns_.size()) {
      refuse(ErrorCode::corrupt_data, "found " + std::to_string(fields.size()) + " fields, expected " +
                                          std::to_string(columns_.size()) + " as in the first line");
    }
    begins_.push_back(begin);
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
  std::size_t at = begins_[index];
  if (format_ == TableFormat::json_lines) {
    return read_json_line(text_, at, where_,
                          [&](const Config& record) { return json_values(record, column); });
  }
  const auto place = static_cast<std::size_t>(std::ranges::find(columns_, column) - columns_.begin());
  std::vector<std::string> fields;
  read_record(text_, at, separator_, where_, fields);
  if (place >= fields.size()) return {};
  return {fields[place]};
}

std::string Table::place(std::size_t index) const {
  return place_in(text_, begins_.at(index), where_);
}

}  // namespace moa::train
