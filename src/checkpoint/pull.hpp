// Downloading a model into the hub cache: the only thing in moa that uses the network, and only when the user
// says `moa pull`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <moa/hub.hpp>

#include "checkpoint/model_search.hpp"

namespace moa {

struct PullRequest {
  HubId id;
  std::filesystem::path cache;                        // the hub cache (hub_cache_directory)
  std::string endpoint = "https://huggingface.co";    // http or https, no path behind it needed
  std::string token;                                  // sent to the endpoint only; empty: none
  int attempts = 4;                                   // to get each file, if the connection breaks
  std::chrono::milliseconds retry_delay{1000};        // before the second attempt; doubles each time
  std::function<void(const PullProgress&)> progress;  // called from the thread that pulls, often
  const std::atomic<bool>* cancelled = nullptr;       // may be set from any thread or signal handler

  // Cache, endpoint (HF_ENDPOINT) and token (HF_TOKEN) from the environment.
  static PullRequest from(HubId id, const Environment& environment);
};

// Asks the hub which commit the revision is, gets the files of it that moa reads (configuration, tokenizer,
// processor, weights, model card) and lays them out as the hub's own tools do: blobs named by their hash,
// snapshots/<commit>/ with links to them, and, when all is there, refs/<revision>. Size and hash (SHA-256 of
// large files, git's SHA-1 of small ones) of every file are verified. What was there is not fetched again, a
// download that broke off is resumed. Two pulls into one cache do not disturb each other.
//
// Errors: not_found (no such model or revision, or no right to see it); unsupported (no weights that moa
// reads, or moa's component for downloads is not installed); corrupt_data (a file whose bytes do not have its
// hash; it is deleted); io_error (network, disk; what arrived is kept); overloaded (the hub asks to come
// later, or another pull is at the same file); cancelled; invalid_argument (endpoint, token).
PullResult pull(const PullRequest& request);

// The function that the component exports as `kPullFunction`: `pull` without exceptions. Returns 0, or 1 more
// than the ErrorCode, with its message. Component and library are parts of one build, so that C++ types may
// pass.
using PullFunction = int(const PullRequest* request, PullResult* result, std::string* message);
inline constexpr const char* kPullComponent = "moa-pull";
inline constexpr const char* kPullFunction = "moa_pull";

}  // namespace moa
