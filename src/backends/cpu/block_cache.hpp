// Memory for activations: blocks that are used again instead of being freed, so that a forward pass asks the
// system for memory only the first time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace moa::cpu {

// A block of floats, 64-byte aligned, not initialised. It goes back to its cache with the last copy.
using Block = std::shared_ptr<float>;

// Blocks come in sizes a quarter of a power of two apart. At most `kKeptBytes` of unused blocks are kept.
// Safe from any thread; blocks may outlive the cache.
class BlockCache {
 public:
  static constexpr std::int64_t kKeptBytes = std::int64_t{256} << 20;

  BlockCache();
  // Error: limit_exceeded if there is no such memory.
  Block take(std::int64_t floats);
  // All bytes held, in use or kept.
  std::int64_t bytes() const;
  // Frees what is kept unused.
  void trim();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace moa::cpu
