#include "train/class_source.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "train/shuffled_stream.hpp"

namespace moa::train {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> given(const fs::path& names) {
  return names.empty() ? std::nullopt : std::optional(names);
}

[[noreturn]] void refuse(const fs::path& place, const std::string& what) {
  throw Error(ErrorCode::invalid_argument, "cannot learn classes from '" + place.string() + "': " + what);
}

// A folder without a picture is no class to read_labelled_pictures(): here somebody forgot something.
void expect_pictures_in_every_folder(const LabelledPictures& set, const fs::path& place) {
  std::set<std::string> seen;
  for (const Input& picture : set.pictures)
    seen.insert(fs::path(picture.value).lexically_relative(place).begin()->string());
  for (const fs::directory_entry& entry : fs::directory_iterator(place)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.') && !seen.contains(name))
      refuse(place, "the folder of the class '" + name + "' has no picture");
  }
}

}  // namespace

ClassSource::ClassSource(const fs::path& place, const ClassOptions& options, const TableOptions& table)
    : ClassSource(read_sound_pictures(place, given(options.names), table), place) {}

ClassSource::ClassSource(SoundPictures found, const fs::path& place)
    : set_(std::move(found.set)), bad_(std::move(found.bad)) {
  if (fs::is_directory(place)) expect_pictures_in_every_folder(set_, place);
  std::vector<bool> has_picture(set_.class_names.size());
  for (const std::size_t label : set_.classes) has_picture[label] = true;
  std::set<std::string> names;
  for (std::size_t i = 0; i < has_picture.size(); ++i) {
    const std::string& name = set_.class_names[i];
    if (!has_picture[i]) refuse(place, "the class '" + name + "' has no picture");
    if (!names.insert(name).second) refuse(place, "two classes are named '" + name + "'");
  }
  if (names.size() < 2) refuse(place, "found the class '" + *names.begin() + "' alone, expected several");
}

std::unique_ptr<PairStream> ClassSource::epoch(std::uint64_t seed, std::uint64_t epoch) const {
  return std::make_unique<ShuffledStream>(*size(), Random({seed, epoch}),
                                          [this](std::uint64_t index) { return pair(index); });
}

RawPair ClassSource::pair(std::uint64_t index) const {
  if (index >= set_.pictures.size()) throw bad_[index - set_.pictures.size()];
  RawPair pair;
  pair.group = index;
  pair.path = set_.pictures[index].value;
  pair.name = pair.path;
  pair.label = set_.classes[index];
  return pair;
}

LabelledPictures of_classes(LabelledPictures set, const std::vector<std::string>& names,
                            const fs::path& place) {
  std::vector<std::size_t> places;
  for (const std::string& name : set.class_names) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
      throw Error(ErrorCode::invalid_argument, "cannot validate on '" + place.string() +
                                                   "': found the class '" + name + "', expected one of the " +
                                                   std::to_string(names.size()) + " that are learned");
    }
    places.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  for (std::size_t& label : set.classes) label = places[label];
  set.class_names = names;
  return set;
}

}  // namespace moa::train
