// Vectors that were computed before, so that they need not be again.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moa {

// A vector as the model left it: full width, on the unit sphere unless it was asked for raw.
struct KnownVector {
  std::vector<float> vector;
  bool truncated = false;  // its text was longer than the model's context
};

// Bounded: what was not asked for the longest goes first. Safe from any thread. A key must say everything
// that decides the vector and that may differ between the users of one memory.
class VectorMemory {
 public:
  explicit VectorMemory(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  std::optional<KnownVector> find(std::string_view key);
  // What is larger than the whole memory is not kept. A key that is there already keeps its vector.
  void insert(std::string_view key, const KnownVector& known);

 private:
  struct Entry {
    std::string key;
    KnownVector known;
    std::size_t bytes() const;
  };

  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // the last one used in front
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;
};

}  // namespace moa
