// Pairs of captions and pictures of which only what a tower's trunk gave is there, or that never were
// pictures: what a classifier's trunk would have to give for it to be sure of a class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <moa/eval.hpp>

#include "train/pair_source.hpp"
#include "train/table.hpp"

namespace moa::train {

struct FeatureOptions {
  std::filesystem::path file;        // a .safetensors of one matrix, "features", in any type of numbers
  TableOptions table = {};           // its pictures are rows of the features
  std::string negative_column = {};  // of texts that are near to the captions, and wrong; empty: none
};

// The table says which row of the features each caption belongs to, from 0 on. A row comes once an epoch,
// with all its captions.
class FeatureSource final : public PairSource {
 public:
  // Errors: as Table::open() and SafetensorsFile::open(); invalid_argument if there is no such column;
  // corrupt_data for a row that is no number below that of the features' rows; shape_mismatch.
  FeatureSource(const std::filesystem::path& table, const FeatureOptions& options);

  std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const override;
  std::optional<std::uint64_t> size() const override { return rows_.size(); }

 private:
  // A row that has captions, and the records that name it.
  struct Row {
    std::uint64_t number = 0;
    std::vector<std::size_t> records;
  };
  RawPair pair(std::uint64_t index) const;

  Table table_;
  std::string caption_;
  std::string negative_;
  std::vector<float> features_;
  std::size_t width_ = 0;
  std::vector<Row> rows_;
};

}  // namespace moa::train
