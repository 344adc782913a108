#include "train/table_columns.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <moa/error.hpp>

namespace moa::train {
namespace {

constexpr std::array<std::string_view, 4> kImageNames = {"filepath", "file_name", "image", "path"};
constexpr std::array<std::string_view, 4> kCaptionNames = {"title", "caption", "captions", "text"};
constexpr std::array<std::string_view, 2> kLabelNames = {"label", "class"};

}  // namespace

std::string chosen_column(const Table& table, std::string_view what, const std::string& asked,
                          std::span<const std::string_view> usual) {
  const std::array<std::string_view, 1> only = {asked};
  return table.column(what, asked.empty() ? usual : std::span<const std::string_view>(only));
}

std::string caption_column(const Table& table, const TableOptions& options) {
  return chosen_column(table, "captions", options.columns.caption, kCaptionNames);
}

std::string negative_column(const Table& table, const std::string& asked) {
  return asked.empty() ? asked : chosen_column(table, "negatives", asked, {});
}

void add_values(const Table& table, std::size_t index, const std::string& column,
                std::vector<std::string>& values) {
  if (column.empty()) return;
  for (std::string& value : table.values(index, column)) values.push_back(std::move(value));
}

std::string only_value(const Table& table, std::size_t index, const std::string& column) {
  std::vector<std::string> values = table.values(index, column);
  if (values.size() != 1 || values.front().empty()) {
    throw Error(ErrorCode::corrupt_data, "cannot read '" + column + "' of " + table.place(index) +
                                             ": found " + std::to_string(values.size()) +
                                             (values.size() == 1 ? " empty value" : " values") +
                                             ", expected one");
  }
  return std::move(values.front());
}

PairColumns::PairColumns(const Table& table, const std::filesystem::path& path, const TableOptions& options,
                         Second second)
    : table_(table),
      root_(options.root.empty() ? path.parent_path() : options.root),
      image_(chosen_column(table, "pictures", options.columns.image, kImageNames)),
      second_(second == Second::captions
                  ? caption_column(table, options)
                  : chosen_column(table, "labels", options.columns.label, kLabelNames)) {}

std::string PairColumns::image(std::size_t index) const {
  return (root_ / only_value(table_, index, image_)).string();
}

std::vector<std::string> PairColumns::captions(std::size_t index) const {
  return table_.values(index, second_);
}

std::string PairColumns::label(std::size_t index) const {
  return only_value(table_, index, second_);
}

}  // namespace moa::train
