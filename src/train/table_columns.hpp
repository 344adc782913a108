// Which columns of a table say what.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <moa/eval.hpp>

#include "train/table.hpp"

namespace moa::train {

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
  std::string only_value(std::size_t index, const std::string& column) const;

  const Table& table_;
  std::filesystem::path root_;
  std::string image_;
  std::string second_;
};

}  // namespace moa::train
