#include "train/text_pair_source.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "train/shuffled_stream.hpp"
#include "train/table_columns.hpp"

namespace moa::train {
namespace {

constexpr std::array<std::string_view, 7> kFirstNames = {"first",  "question",  "query",   "anchor",
                                                         "source", "sentence1", "sentence"};
constexpr std::array<std::string_view, 6> kSecondNames = {"second", "answer",    "positive",
                                                          "target", "sentence2", "translation"};

}  // namespace

TextPairSource::TextPairSource(const std::filesystem::path& path, const TextPairOptions& options)
    : table_(Table::open(path, keeping_bad_records(options.reading))),
      first_(chosen_column(table_, "first texts", options.first_column, kFirstNames)),
      second_(chosen_column(table_, "second texts", options.second_column, kSecondNames)),
      negative_(negative_column(table_, options.negative_column)) {}

std::unique_ptr<PairStream> TextPairSource::epoch(std::uint64_t seed, std::uint64_t epoch) const {
  return std::make_unique<ShuffledStream>(table_.size(), Random({seed, epoch}),
                                          [this](std::uint64_t index) { return pair(index); });
}

RawPair TextPairSource::pair(std::uint64_t index) const {
  RawPair pair;
  pair.group = index;
  pair.name = table_.place(index);
  pair.text = only_value(table_, index, first_);
  pair.captions = table_.values(index, second_);
  add_values(table_, index, negative_, pair.negatives);
  return pair;
}

}  // namespace moa::train
