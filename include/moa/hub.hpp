// The models on this machine, and getting more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moa/export.hpp>

namespace moa {

// A model that Model::load finds by name.
struct InstalledModel {
  std::string name;
  std::filesystem::path path;
  bool bundled = false;  // otherwise it lies in the hub cache
};

// Bundled ones first, then those of the hub cache (HF_HUB_CACHE, HF_HOME, ~/.cache/huggingface), each sorted
// by name. Whether moa can run one, only loading it tells.
MOA_API std::vector<InstalledModel> installed_models();

// How far a download is.
struct PullProgress {
  std::string_view file;        // e.g. "model.safetensors"
  std::size_t file_number = 0;  // from 1
  std::size_t file_count = 0;
  std::uint64_t done_bytes = 0;   // of this file, what an earlier pull left included
  std::uint64_t total_bytes = 0;  // of this file; 0 while unknown
};

struct PullOptions {
  std::optional<std::string> endpoint = {};                // instead of HF_ENDPOINT
  std::optional<std::string> token = {};                   // instead of HF_TOKEN; sent to the endpoint only
  std::function<void(const PullProgress&)> progress = {};  // called from the calling thread, often
  const std::atomic<bool>* cancelled = nullptr;
};

// What a pull did.
struct PullResult {
  std::filesystem::path snapshot;  // the model's directory
  std::string commit;
  std::size_t files = 0;
  std::uint64_t downloaded_bytes = 0;  // 0 if everything was there
};

// Downloads a model, "ORG/NAME" or "ORG/NAME@REVISION", into the hub cache: the only thing in this library
// that uses the network. Resumes what broke off, verifies size and hash. Errors: invalid_argument (not such a
// name), not_found, unsupported, corrupt_data, io_error, overloaded, cancelled.
MOA_API PullResult pull(std::string_view name, const PullOptions& options = {});

}  // namespace moa
