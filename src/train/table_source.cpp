#include "train/table_source.hpp"

#include <numeric>
#include <optional>
#include <unordered_map>

#include <moa/error.hpp>

#include "train/shuffled_stream.hpp"

namespace moa::train {

TableSource::TableSource(const std::filesystem::path& path, const TableOptions& options,
                         const std::string& negative_column)
    : table_(Table::open(path, keeping_bad_records({.separator = options.separator}))),
      columns_(table_, path, options, PairColumns::Second::captions),
      negative_(train::negative_column(table_, negative_column)) {
  std::unordered_map<std::string, std::uint64_t> by_path;
  std::vector<std::uint64_t> picture_of(table_.size());
  std::uint64_t pictures = 0;
  std::optional<Error> first_error;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    try {
      const auto [known, is_new] = by_path.try_emplace(columns_.image(i), pictures);
      picture_of[i] = known->second;
      pictures += is_new ? 1 : 0;
    } catch (const Error& error) {
      if (!first_error) first_error = error;
      picture_of[i] = pictures++;
    }
  }
  if (by_path.empty() && first_error) throw *first_error;
  if (by_path.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "cannot train on '" + path.string() + "': found no pictures in it");
  }
  firsts_.assign(pictures + 1, 0);
  for (const std::uint64_t picture : picture_of) ++firsts_[picture + 1];
  std::partial_sum(firsts_.begin(), firsts_.end(), firsts_.begin());
  records_.resize(picture_of.size());
  std::vector<std::uint64_t> ends(firsts_.begin(), firsts_.end() - 1);
  for (std::size_t i = 0; i < picture_of.size(); ++i) records_[ends[picture_of[i]]++] = i;
}

std::unique_ptr<PairStream> TableSource::epoch(std::uint64_t seed, std::uint64_t epoch) const {
  return std::make_unique<ShuffledStream>(*size(), Random({seed, epoch}),
                                          [this](std::uint64_t index) { return pair(index); });
}

RawPair TableSource::pair(std::uint64_t index) const {
  RawPair pair;
  pair.group = index;
  pair.path = columns_.image(records_[firsts_[index]]);
  pair.name = pair.path;
  for (std::uint64_t i = firsts_[index]; i < firsts_[index + 1]; ++i) {
    for (std::string& caption : columns_.captions(records_[i])) pair.captions.push_back(std::move(caption));
    add_values(table_, records_[i], negative_, pair.negatives);
  }
  return pair;
}

}  // namespace moa::train
