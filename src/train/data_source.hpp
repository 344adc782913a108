// What a training's settings say of one source of pairs.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <moa/eval.hpp>

#include "train/class_source.hpp"
#include "train/pair_source.hpp"
#include "train/text_pair_source.hpp"

namespace moa::train {

struct DataSource {
  enum class Kind {
    pictures,  // and captions: a table, or shards, which are named .tar, or .tar. and how they are compressed
    texts,     // in pairs: a table
    classes,   // pictures with a class each: a folder with a folder a class, or a table
  };
  Kind kind = Kind::pictures;
  std::vector<std::string> places;
  TableOptions table{};           // of pictures, also of classes
  std::string features{};         // a file of them in the pictures' place; empty: none
  std::string negative_column{};  // beside captions: texts that are near to them, and wrong; empty: none
  TextPairOptions texts{};        // of texts
  ClassOptions classes{};         // of classes
  std::size_t shuffle = 1000;     // shards: pairs held back
  double share = 1;               // of the batches, beside the other sources' shares
};

bool have(const std::vector<DataSource>& sources, DataSource::Kind kind);
bool have_negatives(const std::vector<DataSource>& sources);
// With captions or with classes.
bool have_pictures(const std::vector<DataSource>& sources);

// Errors: as TableSource, FeatureSource, TextPairSource, ClassSource and ShardSource; invalid_argument if
// tables and shards are mixed, or there are several tables or folders, or features beside anything but one
// table.
std::unique_ptr<PairSource> open_pairs(const DataSource& source);

}  // namespace moa::train
