// Where models are found: a directory, a bundled model, or the local cache of the Hugging Face hub. Nothing
// here touches the network.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moa {

// Looks up an environment variable; empty if it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
// That of this process. Reads it at each call, so nothing may change it meanwhile.
Environment process_environment();

// The hub's cache, as its own tools find it: HF_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub,
// ~/.cache/huggingface/hub. Empty path if none of them, nor HOME, is set.
std::filesystem::path hub_cache_directory(const Environment& environment);
// moa's own: XDG_CACHE_HOME/moa, ~/.cache/moa. Empty path if neither is set.
std::filesystem::path moa_cache_directory(const Environment& environment);

// The places that names are looked up in.
struct ModelSearch {
  std::filesystem::path hub_cache;
  std::vector<std::filesystem::path> bundled;  // each holds model directories; the first that has one wins

  // Bundled models: MOA_MODELS_DIR; then around each of `origins`, the files that moa itself may have been
  // started from: share/moa/models of an installation's prefix, models/ of the source tree that holds build/.
  static ModelSearch from(const Environment& environment, const std::vector<std::filesystem::path>& origins);
  // Of this process: its environment, and the library or command that holds this code.
  static ModelSearch standard();
};

// A model's name on the hub, with the version of it: "ORG/NAME", "NAME", "ORG/NAME@REVISION".
struct HubId {
  std::string repository;         // "ORG/NAME"
  std::string revision = "main";  // a branch, a tag or a commit

  // Empty if `name` is not of that form. Every part is safe to be part of a path.
  static std::optional<HubId> parse(std::string_view name);
  // "models--ORG--NAME", the repository's folder in the cache.
  std::string folder() const;
};

// Whether `text` is a commit as the hub writes it: 40 lower-case hexadecimal digits.
bool is_commit(std::string_view text) noexcept;

// The bundled model of that name; an empty path if there is none.
std::filesystem::path bundled_model(std::string_view name, const ModelSearch& where);

// What `name` (what follows --model) means: a directory, or a file of weights; else a bundled model; else a
// hub id in the cache. A directory that is called like a bundled model counts only if it has a model's
// configuration. Errors: not_found, which names the bundled model that was probably meant, or `moa pull` if
// `name` can be a hub id; corrupt_data if
// the cache's reference is none; invalid_argument for an empty name.
std::filesystem::path resolve_model(std::string_view name, const ModelSearch& where);

struct AvailableModel {
  std::string name;  // what --model takes
  std::filesystem::path path;
  bool bundled = false;
};
// Every model that `resolve_model` finds by name and that has configuration and weights: bundled ones first,
// then those of the cache, each sorted by name.
std::vector<AvailableModel> available_models(const ModelSearch& where);

}  // namespace moa
