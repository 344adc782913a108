#include "checkpoint/model_search.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include <moa/error.hpp>

#include "base/component.hpp"
#include "base/file.hpp"
#include "base/suggest.hpp"
#include "checkpoint/model_directory.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolderPrefix = "models--";
constexpr std::size_t kCommitDigits = 40;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// A variable that holds a path; "~/" at its beginning means the home directory, as the hub's tools take it.
fs::path path_from(const Environment& environment, const char* variable) {
  const std::optional<std::string> value = environment(variable);
  if (!value || value->empty()) return {};
  if (value->starts_with("~/")) {
    const std::optional<std::string> home = environment("HOME");
    if (home && !home->empty()) return fs::path(*home) / value->substr(2);
  }
  return *value;
}

fs::path user_cache_directory(const Environment& environment) {
  fs::path xdg = path_from(environment, "XDG_CACHE_HOME");
  if (xdg.is_absolute()) return xdg;  // the XDG specification: a relative path is to be ignored
  const fs::path home = path_from(environment, "HOME");
  return home.empty() ? fs::path() : home / ".cache";
}

// Letters, digits and "._-", as the hub allows, and nothing that a path could take for "." or "..".
bool is_name_part(std::string_view part) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t kMaxLength = 96;
  return !part.empty() && part.size() <= kMaxLength && part.front() != '.' && part.front() != '-' &&
         part.find_first_not_of(kAllowed) == std::string_view::npos &&
         part.find("--") == std::string_view::npos && part.find("..") == std::string_view::npos;
}

bool is_revision(std::string_view text) {  // branches may be named "a/b"
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    if (!is_name_part(text.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

// The directory of `id` in the cache; empty if it is not there.
fs::path find_in_cache(const HubId& id, const fs::path& cache) {
  constexpr std::uint64_t kMaxReferenceBytes = 4096;
  const fs::path repository = cache / id.folder();
  std::string commit = id.revision;
  if (!is_commit(commit)) {
    const fs::path reference = repository / "refs" / id.revision;
    std::error_code ignored;
    if (!fs::is_regular_file(reference, ignored)) return {};
    commit = read_file(reference, kMaxReferenceBytes);
    commit.erase(commit.find_last_not_of(" \r\n") + 1);
    if (!is_commit(commit)) {
      throw Error(ErrorCode::corrupt_data, "cannot read '" + reference.string() + "': expected a commit");
    }
  }
  fs::path snapshot = repository / "snapshots" / commit;
  return is_folder(snapshot) ? snapshot : fs::path();
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> bundled_names(const ModelSearch& where) {
  std::vector<std::string> all;
  for (const fs::path& directory : where.bundled) {
    for (std::string& name : names_in(directory)) all.push_back(std::move(name));
  }
  return all;
}

bool has_configuration(const fs::path& folder) {
  return is_file(folder / kTransformersFiles.config) || is_file(folder / kOpenClipFiles.config) ||
         is_file(folder / kModulesName);
}

bool is_model(const fs::path& path) {
  try {
    ModelDirectory::open(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// "models--org--name" -> "org/name"; empty if the folder is no model's.
std::string repository_of(std::string_view folder) {
  if (!folder.starts_with(kFolderPrefix)) return {};
  std::string name(folder.substr(kFolderPrefix.size()));
  if (const std::size_t dashes = name.find("--"); dashes != std::string::npos) name.replace(dashes, 2, "/");
  return name;
}

// Of one repository of the cache: the names of its references, such as "main" and "refs/pr/1", then the
// commits that are there.
std::vector<std::string> revisions_in(const fs::path& repository) {
  constexpr int kMaxDepth = 8;
  std::vector<std::string> revisions;
  const fs::path references = repository / "refs";
  std::error_code error;
  for (fs::recursive_directory_iterator at(references, error), end; !error && at != end;
       at.increment(error)) {
    if (at.depth() == kMaxDepth) at.disable_recursion_pending();
    if (is_file(at->path())) revisions.push_back(at->path().lexically_relative(references).generic_string());
  }
  std::ranges::sort(revisions);
  for (std::string& name : names_in(repository / "snapshots")) {
    if (is_commit(name)) revisions.push_back(std::move(name));
  }
  return revisions;
}

}  // namespace

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

fs::path hub_cache_directory(const Environment& environment) {
  for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (fs::path cache = path_from(environment, variable); !cache.empty()) return cache;
  }
  if (const fs::path home = path_from(environment, "HF_HOME"); !home.empty()) return home / "hub";
  const fs::path cache = user_cache_directory(environment);
  return cache.empty() ? fs::path() : cache / "huggingface" / "hub";
}

fs::path moa_cache_directory(const Environment& environment) {
  const fs::path cache = user_cache_directory(environment);
  return cache.empty() ? fs::path() : cache / "moa";
}

ModelSearch ModelSearch::from(const Environment& environment, const std::vector<fs::path>& origins) {
  constexpr int kPrefixLevels = 2;  // PREFIX/bin/moa, PREFIX/lib/ARCHITECTURE/libmoa.so
  constexpr int kBuildLevels = 4;   // build/release/moa, build/release/tests/ROOM/ROOM_test
  ModelSearch where;
  where.hub_cache = hub_cache_directory(environment);
  const auto add = [&](fs::path place) {
    if (std::ranges::find(where.bundled, place) == where.bundled.end()) {
      where.bundled.push_back(std::move(place));
    }
  };
  if (fs::path chosen = path_from(environment, "MOA_MODELS_DIR"); !chosen.empty()) add(std::move(chosen));
  for (const fs::path& origin : origins) {
    fs::path above = origin.parent_path();
    for (int level = 0; level < kBuildLevels && above.has_relative_path(); ++level) {
      const bool is_build = above.filename() == "build";
      above = above.parent_path();
      if (is_build) add(above / "models");
      if (level < kPrefixLevels) add(above / "share" / "moa" / "models");
    }
  }
  return where;
}

ModelSearch ModelSearch::standard() {
  return from(process_environment(), {own_file()});
}

std::optional<HubId> HubId::parse(std::string_view name) {
  HubId id;
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    id.revision = name.substr(at + 1);
    if (!is_revision(id.revision)) return std::nullopt;
    name = name.substr(0, at);
  }
  const std::size_t slash = name.find('/');
  const bool valid = slash == std::string_view::npos
                         ? is_name_part(name)
                         : is_name_part(name.substr(0, slash)) && is_name_part(name.substr(slash + 1));
  if (!valid) return std::nullopt;
  id.repository = name;
  return id;
}

bool is_commit(std::string_view text) noexcept {
  return text.size() == kCommitDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string HubId::folder() const {
  std::string name = repository;
  if (const std::size_t slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  return std::string(kFolderPrefix) + name;
}

fs::path bundled_model(std::string_view name, const ModelSearch& where) {
  if (!is_name_part(name)) return {};
  for (const fs::path& directory : where.bundled) {
    if (is_folder(directory / name)) return directory / name;
  }
  return {};
}

fs::path resolve_model(std::string_view name, const ModelSearch& where) {
  if (name.empty()) throw Error(ErrorCode::invalid_argument, "cannot find a model without a name");
  fs::path place(name);
  fs::path bundled = bundled_model(name, where);
  // What merely happens to be called like a bundled model does not stand in its way.
  if (bundled.empty() ? is_folder(place) || is_file(place) : has_configuration(place)) return place;
  if (!bundled.empty()) return bundled;
  const std::optional<HubId> id = HubId::parse(name);
  if (!id) {
    throw Error(ErrorCode::not_found,
                "cannot find the model '" + std::string(name) +
                    "': no such directory, and not the form of a hub id (ORG/NAME[@REVISION])");
  }
  fs::path cached = where.hub_cache.empty() ? fs::path() : find_in_cache(*id, where.hub_cache);
  if (cached.empty()) {
    const std::string slip = did_you_mean(name, bundled_names(where));
    throw Error(ErrorCode::not_found,
                "cannot find the model '" + std::string(name) +
                    "': no such directory or bundled model, and not in the cache '" +
                    where.hub_cache.string() + "'" +
                    (slip.empty() ? "; 'moa pull " + std::string(name) + "' downloads it" : slip));
  }
  return cached;
}

std::vector<AvailableModel> available_models(const ModelSearch& where) {
  std::vector<AvailableModel> models;
  const auto is_listed = [&](const std::string& name) {
    return std::ranges::find(models, name, &AvailableModel::name) != models.end();
  };
  for (const fs::path& directory : where.bundled) {
    for (const std::string& name : names_in(directory)) {
      if (is_name_part(name) && !is_listed(name) && is_model(directory / name)) {
        models.push_back({name, directory / name, true});
      }
    }
  }
  std::ranges::sort(models, {}, &AvailableModel::name);
  for (const std::string& folder : names_in(where.hub_cache)) {
    const std::string repository = repository_of(folder);
    for (const std::string& revision : revisions_in(where.hub_cache / folder)) {
      const std::string name = revision == "main" ? repository : repository + "@" + revision;
      const std::optional<HubId> id = HubId::parse(name);
      if (!id) continue;
      try {
        const fs::path snapshot = find_in_cache(*id, where.hub_cache);
        const bool is_known = std::ranges::find(models, snapshot, &AvailableModel::path) != models.end();
        if (snapshot.empty() || !is_model(snapshot) || (is_commit(revision) && is_known)) continue;
        models.push_back({name, snapshot, false});
      } catch (const Error&) {  // a broken reference is no model
      }
    }
  }
  return models;
}

}  // namespace moa
