// Memory for prepared weights: kept until the backend goes, in large regions, so that weights share huge
// pages (fewer page faults while packing, fewer TLB misses while multiplying).
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace moa::cpu {

// Safe from any thread.
class WeightMemory {
 public:
  WeightMemory() = default;
  ~WeightMemory();
  WeightMemory(const WeightMemory&) = delete;
  WeightMemory& operator=(const WeightMemory&) = delete;

  // Zeroed floats, 64-byte aligned, valid as long as this object. Error: limit_exceeded if there is no
  // memory.
  float* take(std::int64_t floats);
  // Bytes handed out.
  std::int64_t bytes() const;

 private:
  struct Region {
    std::byte* begin;
    std::size_t size;
    std::size_t used;
  };
  mutable std::mutex mutex_;
  std::vector<Region> regions_;
  std::int64_t bytes_ = 0;
};

}  // namespace moa::cpu
