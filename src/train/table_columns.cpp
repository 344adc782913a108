#include "train/table_columns.hpp"

#include <array>
#include <string_view>

#include <moa/error.hpp>

namespace moa::train {
namespace {

using Names = std::span<const std::string_view>;

std::string chosen(const Table& table, std::string_view what, const std::string& asked, Names usual) {
  const std::array<std::string_view, 1> only = {asked};
  return table.column(what, asked.empty() ? usual : Names(only));
}

constexpr std::array<std::string_view, 4> kImageNames = {"filepath", "file_name", "image", "path"};
constexpr std::array<std::string_view, 4> kCaptionNames = {"title", "caption", "captions", "text"};
constexpr std::array<std::string_view, 2> kLabelNames = {"label", "class"};

}  // namespace

PairColumns::PairColumns(const Table& table, const std::filesystem::path& path, const TableOptions& options,
                         Second second)
    : table_(table),
      root_(options.root.empty() ? path.parent_path() : options.root),
      image_(chosen(table, "pictures", options.columns.image, kImageNames)),
      second_(second == Second::captions ? chosen(table, "captions", options.columns.caption, kCaptionNames)
                                         : chosen(table, "labels", options.columns.label, kLabelNames)) {}

std::string PairColumns::only_value(std::size_t index, const std::string& column) const {
  std::vector<std::string> values = table_.values(index, column);
  if (values.size() != 1 || values.front().empty()) {
    throw Error(ErrorCode::corrupt_data, "cannot read '" + column + "' of " + table_.place(index) +
                                             ": found " + std::to_string(values.size()) +
                                             (values.size() == 1 ? " empty value" : " values") +
                                             ", expected one");
  }
  return values.front();
}

std::string PairColumns::image(std::size_t index) const {
  return (root_ / only_value(index, image_)).string();
}

std::vector<std::string> PairColumns::captions(std::size_t index) const {
  return table_.values(index, second_);
}

std::string PairColumns::label(std::size_t index) const {
  return only_value(index, second_);
}

}  // namespace moa::train
