// Pairs of texts from a table on disk: questions and answers, sentences and their translations.
#pragma once

#include <filesystem>
#include <string>

#include "train/pair_source.hpp"
#include "train/table.hpp"

namespace moa::train {

struct TextPairOptions {
  std::string first_column = {};     // empty: by its usual names
  std::string second_column = {};    // of a .jsonl table several texts, one of which is drawn
  std::string negative_column = {};  // of texts that are near to the second, and wrong; empty: none
  TableReading reading = {};         // bad records are kept: each is a bad pair
};

// Each line is a pair, and comes once an epoch, in an order drawn anew. Of hundreds of thousands of lines
// only where each begins is in memory.
class TextPairSource : public PairSource {
 public:
  // Errors: as Table::open(); invalid_argument if there is no such column.
  TextPairSource(const std::filesystem::path& path, const TextPairOptions& options);

  std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const override;
  std::optional<std::uint64_t> size() const override { return table_.size(); }

  // The pair in record `index`. Error: corrupt_data, naming the line, for a record that cannot be read, or
  // has not one first text.
  RawPair pair(std::uint64_t index) const;

 private:
  Table table_;
  std::string first_;
  std::string second_;
  std::string negative_;
};

}  // namespace moa::train
