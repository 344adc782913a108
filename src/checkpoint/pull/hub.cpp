#include "pull/hub.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <moa/error.hpp>

#include "base/config.hpp"
#include "base/file.hpp"
#include "checkpoint/file_names.hpp"
#include "checkpoint/layout_choice.hpp"
#include "checkpoint/module_folders.hpp"
#include "pull/attempts.hpp"
#include "pull/download.hpp"
#include "pull/http.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// A short document, kept in memory.
class TextReceiver final : public HttpReceiver {
 public:
  bool begin(const HttpResponse&, const HttpHeaders&) override {
    text.clear();
    return true;
  }
  void receive(std::span<const std::byte> bytes) override {
    constexpr std::size_t kMaxBytes = 16u << 20;
    if (bytes.size() > kMaxBytes - text.size()) {
      throw Error(ErrorCode::limit_exceeded, "the hub's list of files is longer than 16 MiB");
    }
    text += as_text(bytes);
  }
  std::string text;
};

struct Listing {
  std::string commit;
  std::vector<std::string> names;
};

Listing list_files(HttpClient& client, const PullRequest& request) {
  std::string revision;  // as one part of a path
  for (const char c : request.id.revision) revision += c == '/' ? std::string("%2F") : std::string(1, c);
  const std::string path = "/api/models/" + request.id.repository + "/revision/" + revision;
  const std::string what = client.endpoint() + path;
  TextReceiver answer;
  with_attempts(request, what, [&] { check_status(client.get(path, 0, answer).status, what); });

  const Config document = Config::parse(answer.text, what);
  Listing listing;
  listing.commit = document.string("sha", "");
  if (!is_commit(listing.commit)) {
    throw Error(ErrorCode::corrupt_data, what + ": 'sha': found no commit");
  }
  for (const Config& file : document.objects("siblings")) {
    listing.names.push_back(file.string("rfilename", ""));
  }
  return listing;
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw Error(ErrorCode::io_error, "cannot make the folder '" + path.string() + "': " + error.message());
  }
}

// A link beside the others that is there whole or not at all.
void link_to_blob(const fs::path& link, const fs::path& blobs, const std::string& digest) {
  make_directories(link.parent_path());
  const fs::path temporary = link.string() + ".link";
  std::error_code error;
  fs::remove(temporary, error);
  fs::create_symlink((blobs / digest).lexically_relative(link.parent_path()), temporary, error);
  if (!error) fs::rename(temporary, link, error);
  if (error) {
    throw Error(ErrorCode::io_error, "cannot make the link '" + link.string() + "': " + error.message());
  }
}

}  // namespace

namespace {

// Of a repository with modules.json: a module's folder is named by its place in the list, "1_Pooling".
std::vector<std::string> module_files(std::span<const std::string> names) {
  const auto has = [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); };
  const auto is_one_of = [](const auto& known, std::string_view name) {
    return std::ranges::find(known, name) != known.end();
  };
  std::vector<std::string> wanted;
  for (const std::string& name : names) {
    const std::size_t slash = name.find('/');
    const std::string folder = slash == std::string::npos ? "" : name.substr(0, slash);
    const std::string_view file = std::string_view(name).substr(slash == std::string::npos ? 0 : slash + 1);
    const bool is_module = folder.empty() || (is_plain_name(folder) && folder[0] >= '0' && folder[0] <= '9');
    if (!is_module || !is_plain_name(file)) continue;
    const bool is_weights =
        !folder.empty() && (file == kTransformersFiles.safetensors.whole ||
                            (file == kTransformersFiles.pytorch.whole &&
                             !has(folder + "/" + std::string(kTransformersFiles.safetensors.whole))));
    if (is_weights || file == kModulesName || is_one_of(kModuleConfigNames, file) ||
        (!folder.empty() && is_one_of(kIdentityFileNames, file))) {
      wanted.push_back(name);
    }
  }
  return wanted;
}

}  // namespace

std::vector<std::string> files_to_pull(std::span<const std::string> names,
                                       const std::function<bool()>& yields) {
  const auto has = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  const std::optional<LayoutChoice> layout = choose_layout(has, yields);
  const WeightNames* const weight_names = layout ? layout->weights : nullptr;
  std::vector<std::string> wanted;
  if (has(kModulesName)) wanted = module_files(names);
  if (weight_names == nullptr && wanted.empty()) {
    throw Error(
        ErrorCode::unsupported,
        "cannot pull the model: found no config.json with model.safetensors or pytorch_model.bin, and "
        "no open_clip_config.json with open_clip_model.safetensors or open_clip_pytorch_model.bin");
  }

  std::vector<std::string> weights;
  for (const std::string& name : names) {
    const bool is_small = std::ranges::find(kIdentityFileNames, name) != kIdentityFileNames.end() ||
                          std::ranges::find(kModelCardNames, name) != kModelCardNames.end();
    const bool is_weights = weight_names != nullptr &&
                            (has(weight_names->whole) ? name == weight_names->whole
                                                      : name == weight_names->index ||
                                                            (weight_names->is_shard(name) &&
                                                             name.starts_with(weight_names->shard_begin)));
    if (is_small) wanted.push_back(name);
    if (is_weights) weights.push_back(name);
  }
  std::ranges::sort(wanted);
  std::ranges::sort(weights);
  wanted.insert(wanted.end(), weights.begin(), weights.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  return wanted;
}

PullResult pull_from_hub(const PullRequest& request) {
  if (request.cache.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "cannot pull " + request.id.repository + ": no cache directory; set HF_HUB_CACHE or HOME");
  }
  HttpClient client(request.endpoint, request.token, request.cancelled);
  const Listing listing = list_files(client, request);
  const fs::path repository = request.cache / request.id.folder();
  const fs::path blobs = repository / "blobs";
  PullResult result;
  result.commit = listing.commit;
  result.snapshot = repository / "snapshots" / listing.commit;
  make_directories(blobs);
  make_directories(result.snapshot);

  PullProgress state;
  const auto fetch = [&](const std::string& name) {
    std::error_code ignored;
    if (fs::is_regular_file(result.snapshot / name, ignored)) return;  // a link whose blob is there
    const auto progress = [&](std::uint64_t done_bytes, std::uint64_t total_bytes) {
      state.done_bytes = done_bytes;
      state.total_bytes = total_bytes;
      if (request.progress && !state.file.empty()) request.progress(state);
    };
    const std::string path = "/" + request.id.repository + "/resolve/" + listing.commit + "/" + name;
    const FetchedBlob blob = fetch_blob(client, request, path, blobs, progress);
    result.downloaded_bytes += blob.downloaded_bytes;
    link_to_blob(result.snapshot / name, blobs, blob.digest);
  };
  const std::vector<std::string> names = files_to_pull(listing.names, [&] {
    constexpr std::uint64_t kMaxConfigBytes = 16u << 20;
    const std::string name(kTransformersFiles.config);
    fetch(name);
    return yields_to_open_clip(Config::parse(read_file(result.snapshot / name, kMaxConfigBytes), name));
  });
  result.files = state.file_count = names.size();
  for (const std::string& name : names) {
    state.file = name;
    state.file_number += 1;
    fetch(name);
  }

  if (request.id.revision != listing.commit) {  // last: a branch names only what is whole
    const fs::path reference = repository / "refs" / request.id.revision;
    make_directories(reference.parent_path());
    write_file_atomically(reference, listing.commit);
  }
  return result;
}

}  // namespace moa
