// Which columns of a table say what.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moa/eval.hpp>

#include "train/table.hpp"

namespace moa::train {

// The column that holds `what`: `asked`, or, if that is empty, the first of its usual names that is one.
// Error: invalid_argument that lists the columns.
std::string chosen_column(const Table& table, std::string_view what, const std::string& asked,
                          std::span<const std::string_view> usual);
// The one that holds captions.
std::string caption_column(const Table& table, const TableOptions& options);
// The one that holds negatives: `asked`, which may be empty: none does.
std::string negative_column(const Table& table, const std::string& asked);
// Adds what record `index` holds in `column`, if that is not empty. Errors: as Table::values().
void add_values(const Table& table, std::size_t index, const std::string& column,
                std::vector<std::string>& values);
// The one value of record `index` in `column`. Error: corrupt_data, naming the line, if there is none, an
// empty one or several.
std::string only_value(const Table& table, std::size_t index, const std::string& column);

// A table of pictures and what belongs to each: captions, or a label. A view of the table, which must outlive
// it. Immutable; safe from any thread.
class PairColumns {
 public:
  enum class Second { captions, label };

  // `path` is the table's, whose folder is the root unless the options have one. Error: invalid_argument if
  // there is no such column.
  PairColumns(const Table& table, const std::filesystem::path& path, const TableOptions& options,
              Second second);

  // The picture's path, behind the root if it is relative. Error: corrupt_data if there is none or several.
  std::string image(std::size_t index) const;
  // One, or several of an array; empty ones too.
  std::vector<std::string> captions(std::size_t index) const;
  // Error: corrupt_data if there is none or several.
  std::string label(std::size_t index) const;

 private:
  const Table& table_;
  std::filesystem::path root_;
  std::string image_;
  std::string second_;
};

}  // namespace moa::train
