#include "train/feature_source.hpp"

#include <array>
#include <map>
#include <string>
#include <string_view>

#include <moa/error.hpp>

#include "checkpoint/safetensors.hpp"
#include "train/number_text.hpp"
#include "train/shuffled_stream.hpp"
#include "train/table_columns.hpp"

namespace moa::train {
namespace {

constexpr std::array<std::string_view, 1> kRowNames = {"row"};
constexpr const char* kTensor = "features";

Parameter matrix_in(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name != kTensor) continue;
    if (tensor.shape.rank() == 2) return file.parameter(tensor, kTensor);
    throw Error(ErrorCode::shape_mismatch, "cannot take features from '" + path.string() + "': found '" +
                                               kTensor + "' of shape " + to_string(tensor.shape) +
                                               ", expected a matrix, a row a picture");
  }
  throw Error(ErrorCode::corrupt_data, "cannot take features from '" + path.string() +
                                           "': expected a tensor '" + kTensor + "', a row a picture");
}

}  // namespace

FeatureSource::FeatureSource(const std::filesystem::path& table, const FeatureOptions& options)
    : table_(Table::open(table, {.separator = options.table.separator})),
      caption_(caption_column(table_, options.table)),
      negative_(negative_column(table_, options.negative_column)) {
  const Parameter matrix = matrix_in(options.file);
  features_ = matrix.read();
  width_ = static_cast<std::size_t>(matrix.shape()[1]);
  const std::int64_t count = matrix.shape()[0];
  const std::string column =
      chosen_column(table_, "rows of features", options.table.columns.image, kRowNames);
  std::map<std::uint64_t, std::vector<std::size_t>> records;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const std::string text = only_value(table_, i, column);
    const std::string where = "'" + column + "' of " + table_.place(i);
    const auto row = parse_number<std::int64_t>(text, where);
    if (row < 0 || row >= count) {
      throw Error(ErrorCode::corrupt_data, "cannot read " + where + ": found " + text +
                                               ", expected a number below " + std::to_string(count) +
                                               ", the rows of '" + options.file.string() + "'");
    }
    records[static_cast<std::uint64_t>(row)].push_back(i);
  }
  for (auto& [number, of_row] : records) rows_.push_back({number, std::move(of_row)});
}

std::unique_ptr<PairStream> FeatureSource::epoch(std::uint64_t seed, std::uint64_t epoch) const {
  return std::make_unique<ShuffledStream>(rows_.size(), Random({seed, epoch}),
                                          [this](std::uint64_t index) { return pair(index); });
}

RawPair FeatureSource::pair(std::uint64_t index) const {
  const Row& row = rows_[index];
  RawPair pair;
  pair.group = index;
  pair.name = "row " + std::to_string(row.number);
  const auto begin = features_.begin() + static_cast<std::ptrdiff_t>(row.number * width_);
  pair.features.assign(begin, begin + static_cast<std::ptrdiff_t>(width_));
  for (const std::size_t record : row.records) {
    add_values(table_, record, caption_, pair.captions);
    add_values(table_, record, negative_, pair.negatives);
  }
  return pair;
}

}  // namespace moa::train
