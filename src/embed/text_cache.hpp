// The vectors of texts that a model embedded before, in memory and, if wanted, on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/vector_memory.hpp"

namespace moa {

struct TextCacheOptions {
  std::size_t memory_bytes = 0;
  // The file; empty: none. Processes may share it. It is made where there is none, and made anew where it is
  // damaged.
  std::filesystem::path file = {};
  // Everything that decides a vector besides the key: the model's identity, and the level of the kernels, for
  // levels may differ in the last bits.
  std::string owner = {};
  // What the file may hold; the oldest vectors go first.
  std::int64_t most_file_bytes = std::int64_t{64} << 20;
};

// Safe from any thread. It never fails: a file that cannot be read or written costs time, and no more.
class TextCache {
 public:
  explicit TextCache(const TextCacheOptions& options);
  ~TextCache();

  std::optional<KnownVector> find(std::string_view key);
  void insert(std::string_view key, const KnownVector& known);
  // Puts into the file what was inserted since the last time.
  void write();

 private:
  class File;
  std::optional<KnownVector> find_in_file(std::string_view key);

  VectorMemory memory_;
  std::mutex mutex_;  // of what follows
  std::unique_ptr<File> file_;
  std::vector<std::pair<std::string, KnownVector>> unwritten_;
};

}  // namespace moa
