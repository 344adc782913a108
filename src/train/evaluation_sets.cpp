// Reading what a model is evaluated on: folders of classes, and tables.
#include "train/evaluation_sets.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <map>
#include <unordered_map>
#include <utility>

#include <moa/error.hpp>
#include <moa/eval.hpp>

#include "base/file.hpp"
#include "base/walk.hpp"
#include "image/picture.hpp"
#include "train/table.hpp"
#include "train/table_columns.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kMostNamesBytes = std::uint64_t{64} << 20;

bool begins_like_a_picture(const fs::path& path) {
  std::array<char, kSniffBytes> first{};
  std::ifstream file(path, std::ios::binary);
  file.read(first.data(), first.size());
  return sniff_picture(as_bytes({first.data(), static_cast<std::size_t>(file.gcount())})).has_value();
}

// Pictures, and for each what its place says of its class.
struct KeyedPictures {
  std::vector<Input> pictures;
  std::vector<std::string> keys;
  std::vector<Error> bad;  // of lines that are kept though they have no picture and key
};

KeyedPictures pictures_in_class_folders(const fs::path& folder) {
  KeyedPictures found;
  for (const WalkedFile& file : walk(folder).files) {
    if (!begins_like_a_picture(folder / file.inside)) continue;
    const std::size_t slash = file.inside.find('/');
    if (slash == std::string::npos) {
      throw Error(ErrorCode::invalid_argument,
                  "cannot read classes from '" + folder.string() + "': found the picture '" + file.inside +
                      "' beside the folders, expected every picture in the folder of its class");
    }
    found.pictures.push_back(Input::file(folder / file.inside));
    found.keys.push_back(file.inside.substr(0, slash));
  }
  return found;
}

using train::TableReading;

KeyedPictures pictures_of_table(const fs::path& path, const TableOptions& options,
                                TableReading::BadRecords bad_records) {
  const train::Table table =
      train::Table::open(path, {.separator = options.separator, .bad_records = bad_records});
  const train::PairColumns columns(table, path, options, train::PairColumns::Second::label);
  KeyedPictures found;
  for (std::size_t i = 0; i < table.size(); ++i) {
    try {
      Input picture = Input::file(columns.image(i));
      found.keys.push_back(columns.label(i));
      found.pictures.push_back(std::move(picture));
    } catch (const Error& error) {
      if (bad_records == TableReading::BadRecords::refuse) throw;
      found.bad.push_back(error);
    }
  }
  return found;
}

std::vector<std::string> lines_of(const fs::path& path) {
  const std::string text = read_file(path, kMostNamesBytes);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

std::optional<std::size_t> as_place(const std::string& key) {
  std::size_t place = 0;
  const auto [end, failed] = std::from_chars(key.data(), key.data() + key.size(), place);
  if (failed != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return place;
}

// Classes by their keys, and their names.
struct Classes {
  std::map<std::string, std::size_t> places;
  std::vector<std::string> names;
};

Classes named_by_keys(const std::vector<std::string>& keys) {
  Classes classes;
  for (const std::string& key : keys) classes.places.try_emplace(key, 0);
  for (auto& [key, place] : classes.places) {
    place = classes.names.size();
    classes.names.push_back(key);
    std::ranges::replace(classes.names.back(), '_', ' ');
  }
  return classes;
}

Classes named_by_file(const std::vector<std::string>& keys, const fs::path& file) {
  Classes classes = named_by_keys(keys);
  const std::vector<std::string> lines = lines_of(file);
  const auto refuse = [&](const std::string& found) {
    throw Error(ErrorCode::invalid_argument, "cannot name classes by '" + file.string() + "': " + found);
  };
  if (lines.empty()) refuse("it is empty, expected a class a line");
  if (std::ranges::all_of(lines, [](const std::string& line) { return line.find('\t') != line.npos; })) {
    classes.names.clear();
    std::map<std::string, std::size_t> listed;
    for (const std::string& line : lines) {
      const std::size_t tab = line.find('\t');
      if (!listed.emplace(line.substr(0, tab), listed.size()).second)
        refuse("found '" + line.substr(0, tab) + "' twice");
      classes.names.push_back(line.substr(tab + 1));
    }
    for (const auto& [key, place] : classes.places) {
      if (!listed.contains(key)) refuse("found no line for the class '" + key + "'");
    }
    classes.places = std::move(listed);
    return classes;
  }
  const bool are_places = std::ranges::all_of(
      classes.places, [](const auto& entry) { return as_place(entry.first).has_value(); });
  if (are_places) {
    for (auto& [key, place] : classes.places) {
      place = *as_place(key);
      if (place >= lines.size())
        refuse("found " + std::to_string(lines.size()) + " lines, but the label " + key);
    }
  } else if (lines.size() != classes.names.size()) {
    refuse("found " + std::to_string(lines.size()) + " lines, expected one for each of the " +
           std::to_string(classes.names.size()) + " classes, or FOLDER<tab>words in each");
  }
  classes.names = lines;
  return classes;
}

KeyedPictures keyed_pictures(const fs::path& place, const TableOptions& options,
                             TableReading::BadRecords bad_records) {
  if (!fs::exists(place)) {
    throw Error(ErrorCode::not_found,
                "cannot read pictures and their classes from '" + place.string() + "': it does not exist");
  }
  KeyedPictures found = fs::is_directory(place) ? pictures_in_class_folders(place)
                                                : pictures_of_table(place, options, bad_records);
  if (!found.pictures.empty()) return found;
  if (!found.bad.empty()) throw found.bad.front();
  throw Error(ErrorCode::invalid_argument, "cannot read pictures and their classes from '" + place.string() +
                                               "': found no pictures in it");
}

LabelledPictures named(KeyedPictures&& found, const std::optional<fs::path>& class_names) {
  Classes classes = class_names ? named_by_file(found.keys, *class_names) : named_by_keys(found.keys);
  LabelledPictures set;
  for (const std::string& key : found.keys) set.classes.push_back(classes.places.at(key));
  set.pictures = std::move(found.pictures);
  set.class_names = std::move(classes.names);
  return set;
}

}  // namespace

LabelledPictures read_labelled_pictures(const fs::path& place, const std::optional<fs::path>& class_names,
                                        const TableOptions& options) {
  return named(keyed_pictures(place, options, TableReading::BadRecords::refuse), class_names);
}

train::SoundPictures train::read_sound_pictures(const fs::path& place,
                                                const std::optional<fs::path>& class_names,
                                                const TableOptions& options) {
  KeyedPictures found = keyed_pictures(place, options, TableReading::BadRecords::keep);
  std::vector<Error> bad = std::move(found.bad);
  return {named(std::move(found), class_names), std::move(bad)};
}

CaptionedPictures read_captioned_pictures(const fs::path& path, const TableOptions& options) {
  const train::Table table = train::Table::open(path, {.separator = options.separator});
  const train::PairColumns columns(table, path, options, train::PairColumns::Second::captions);
  CaptionedPictures set;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::string image = columns.image(i);
    const auto [entry, is_new] = places.try_emplace(image, set.pictures.size());
    if (is_new) set.pictures.push_back(Input::file(image));
    for (std::string& caption : columns.captions(i)) {
      set.captions.push_back(std::move(caption));
      set.picture_of_caption.push_back(entry->second);
    }
  }
  if (set.captions.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "cannot evaluate on '" + path.string() + "': found no captions in it");
  }
  return set;
}

}  // namespace moa
