#include "cli/search_place.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "cli/collection_update.hpp"
#include "cli/inputs.hpp"
#include "cli/model_arguments.hpp"

namespace moa::cli {
namespace {

namespace fs = std::filesystem;

std::string listed(const std::vector<fs::path>& places) {
  std::string list;
  for (const fs::path& place : places) list += (list.empty() ? "" : ", ") + place.string();
  return list;
}

bool is_same_place(const fs::path& a, const fs::path& b) {
  std::error_code failed;
  return fs::equivalent(a, b, failed) && !failed;
}

// The places of the folder's index, that folder as it was just spelt: it may be one among several, and the
// others stay. Error: invalid_argument if it is not among them, as then its files would take the others'
// room.
std::vector<fs::path> places_with(const fs::path& folder, const Collection& collection,
                                  const fs::path& index) {
  std::vector<fs::path> places;
  for (const std::string& place : collection.places()) places.emplace_back(place);
  if (places.empty()) places.push_back(folder);
  const auto same =
      std::ranges::find_if(places, [&](const fs::path& place) { return is_same_place(place, folder); });
  if (same == places.end()) {
    throw Error(ErrorCode::invalid_argument, "cannot search '" + folder.string() + "' with the index '" +
                                                 index.string() + "': it holds " + listed(places) +
                                                 ", expected that folder; --reindex makes it anew");
  }
  *same = folder;
  return places;
}

// The places that an index is made anew from. Errors: not_found, io_error if one of them cannot be read,
// since what the index holds of it would be lost.
std::vector<fs::path> places_of(const std::string& index) {
  const std::vector<std::string> held = Collection::inspect(index).places;
  for (const std::string& place : held) {
    if (::access(place.c_str(), R_OK) == 0) continue;
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    throw Error(absent ? ErrorCode::not_found : ErrorCode::io_error,
                "cannot make the index '" + index + "' anew: its place '" + place +
                    "': " + std::strerror(errno) + "; moa index PLACE… -o " + index +
                    " --reindex makes it from others");
  }
  return {held.begin(), held.end()};
}

[[noreturn]] void fail_no_place(const std::string& file, ErrorCode code, const std::string& found) {
  throw Error(code, "cannot search '" + file + "': it is " + found +
                        ", expected a PLACE: a folder, or an index made by moa index");
}

class PlaceOpener {
 public:
  PlaceOpener(const Model& model, const Arguments& arguments, Console& console)
      : model_(model), arguments_(arguments), console_(console) {}

  Collection open_folder(const std::string& folder) const {
    const std::optional<std::string> chosen = arguments_.value("index");
    const fs::path index = chosen ? fs::path(*chosen) : default_index_path(folder, model_.identity());
    const bool updates = !arguments_.has("no-update");
    Collection collection =
        open(index, updates ? Collection::Mode::open_or_create : Collection::Mode::open_existing);
    const std::vector<fs::path> places = places_with(folder, collection, index);
    if (updates) update(collection, places, index);
    return collection;
  }

  Collection open_index(const std::string& file) const {
    if (arguments_.has("index"))
      fail_usage(arguments_.command(), "--index belongs to a folder, and '" + file + "' is a file");
    if (is_picture_file(file)) {
      fail_no_place(file, ErrorCode::invalid_argument,
                    "a picture, which is looked for by --image or --similar behind the PLACE");
    }
    try {
      if (!arguments_.has("reindex")) return open(file, Collection::Mode::open_existing);
      const std::vector<fs::path> places = places_of(file);
      Collection collection = open(file, Collection::Mode::create_anew);
      update(collection, places, file);
      return collection;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt_data || Collection::is_collection(file)) throw;
      fail_no_place(file, ErrorCode::corrupt_data, "a file and no index");
    }
  }

 private:
  Collection open(const fs::path& index, Collection::Mode mode) const {
    if (arguments_.has("reindex")) mode = Collection::Mode::create_anew;
    return Collection::open(index, model_label(arguments_), model_.identity(), model_.dim(), mode);
  }

  void update(Collection& collection, const std::vector<fs::path>& places, const fs::path& index) const {
    const UpdateReport report = update_collection(collection, places, model_, arguments_, console_);
    for (const FailedFile& place : report.failed_places)
      console_.warn(place.message + "; what is known of it stays");
    if (report.added != 0 || report.removed != 0)
      console_.note("indexed " + listed(places) + ": " + in_words(report, collection.size()));
    if (report.failed != 0) console_.warn(failures_in_words(report, index));
  }

  const Model& model_;
  const Arguments& arguments_;
  Console& console_;
};

}  // namespace

Collection open_place(const std::string& place, const Model& model, const Arguments& arguments,
                      Console& console) {
  if (arguments.has("no-update") && arguments.has("reindex"))
    fail_usage(arguments.command(), "--no-update and --reindex contradict each other");
  std::error_code failed;
  const fs::file_status status = fs::status(place, failed);
  if (!fs::exists(status)) {
    throw Error(ErrorCode::not_found, "cannot search '" + place + "': there is no such folder or index");
  }
  const PlaceOpener opener(model, arguments, console);
  return fs::is_directory(status) ? opener.open_folder(place) : opener.open_index(place);
}

}  // namespace moa::cli
