#include "train/data_source.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <moa/error.hpp>

#include "train/feature_source.hpp"
#include "train/shard_source.hpp"
#include "train/table_source.hpp"

namespace moa::train {
namespace {

// By the file's name alone, for a folder may be called anything. What stands in braces are digits, which
// change nothing here.
bool is_shard(const std::string& place) {
  const std::string name = std::filesystem::path(place).filename().string();
  return name.ends_with(".tar") || name.find(".tar.") != name.npos;  // .tar.gz
}

}  // namespace

bool have(const std::vector<DataSource>& sources, DataSource::Kind kind) {
  return std::ranges::find(sources, kind, &DataSource::kind) != sources.end();
}

bool have_negatives(const std::vector<DataSource>& sources) {
  return std::ranges::any_of(sources, [](const DataSource& source) {
    return !source.negative_column.empty() || !source.texts.negative_column.empty();
  });
}

bool have_pictures(const std::vector<DataSource>& sources) {
  return have(sources, DataSource::Kind::pictures) || have(sources, DataSource::Kind::classes);
}

std::unique_ptr<PairSource> open_pairs(const DataSource& source) {
  const std::vector<std::string>& places = source.places;
  const bool is_one_table = std::ranges::none_of(places, is_shard) && places.size() == 1;
  if (source.kind == DataSource::Kind::texts) {
    if (is_one_table) return std::make_unique<TextPairSource>(places.front(), source.texts);
    throw Error(ErrorCode::invalid_argument,
                "cannot take pairs of texts from '" + places.front() + "': expected one table");
  }
  if (source.kind == DataSource::Kind::classes) {
    if (is_one_table) return std::make_unique<ClassSource>(places.front(), source.classes, source.table);
    throw Error(ErrorCode::invalid_argument,
                "cannot learn classes from '" + places.front() +
                    "': expected one table, or one folder with a folder a class");
  }
  if (!source.features.empty()) {
    if (is_one_table) {
      return std::make_unique<FeatureSource>(
          places.front(), FeatureOptions{source.features, source.table, source.negative_column});
    }
    throw Error(ErrorCode::invalid_argument, "cannot take features from '" + source.features + "' beside '" +
                                                 places.front() + (places.size() > 1 ? "' and others" : "'") +
                                                 ": expected one table, which says the row of each caption");
  }
  if (is_one_table)
    return std::make_unique<TableSource>(places.front(), source.table, source.negative_column);
  if (!std::ranges::all_of(places, is_shard)) {
    throw Error(
        ErrorCode::invalid_argument,
        "cannot train on several places, expected one table, or shards (.tar) alone; several tables are "
        "several sources");
  }
  std::vector<std::string> shards;
  for (const std::string& place : places) {
    for (std::string& shard : expand_braces(place)) shards.push_back(std::move(shard));
  }
  return std::make_unique<ShardSource>(std::move(shards),
                                       ShardOptions{.caption_key = source.table.columns.caption,
                                                    .negative_key = source.negative_column,
                                                    .shuffle = source.shuffle});
}

}  // namespace moa::train
