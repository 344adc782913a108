// One file of the hub, into the blobs of a cached repository.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "checkpoint/pull.hpp"
#include "pull/http.hpp"

namespace moa {

struct FetchedBlob {
  std::string digest;                  // also its name among the blobs
  std::uint64_t downloaded_bytes = 0;  // 0 if it was there
};

// Called with the bytes that are there and the size, 0 while unknown.
using BytesProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

// Makes sure that `blobs`/<digest> holds what the hub has at `path`. While it arrives it is
// <digest>.incomplete, which a later call takes up where this one broke off. Errors: those of `pull`.
FetchedBlob fetch_blob(HttpClient& client, const PullRequest& request, const std::string& path,
                       const std::filesystem::path& blobs, const BytesProgress& progress);

// Throws what a status other than 200 and 206 means: HttpInterruption if it may pass, Error if not. `what`
// names what was asked for.
void check_status(long status, const std::string& what);

}  // namespace moa
