// Pairs from a table on disk.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <moa/eval.hpp>

#include "train/pair_source.hpp"
#include "train/table.hpp"
#include "train/table_columns.hpp"

namespace moa::train {

// Lines with the same path are one picture with several captions; one that cannot be read, or names no
// picture, is a bad picture of its own. In each epoch every picture comes once, in an order drawn anew.
class TableSource : public PairSource {
 public:
  // `negative_column`: of texts that are near to the captions, and wrong; empty: none. Errors: as
  // Table::open(), bad records being kept, and PairColumns; if no line names a picture, that of the first, or
  // invalid_argument without lines.
  TableSource(const std::filesystem::path& path, const TableOptions& options,
              const std::string& negative_column = {});

  std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const override;
  std::optional<std::uint64_t> size() const override { return firsts_.size() - 1; }

  // Picture `index` as it stands in the table. Errors: corrupt_data or limit_exceeded, naming the line, for a
  // record that cannot be read, or has not one picture.
  RawPair pair(std::uint64_t index) const;

 private:
  Table table_;
  PairColumns columns_;
  std::string negative_;
  // The records of picture i are records_[firsts_[i]] … records_[firsts_[i + 1] - 1].
  std::vector<std::uint64_t> firsts_;
  std::vector<std::uint64_t> records_;
};

}  // namespace moa::train
