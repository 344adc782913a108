#include "backends/cpu/block_cache.hpp"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <string>

#include <moa/error.hpp>

namespace moa::cpu {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// The size that a request is served with: within a quarter of it.
std::size_t size_class(std::int64_t floats) {
  constexpr std::size_t kLeast = 4096;
  // Far above any real activation and far below overflow.
  if (floats < 0 || floats > (std::int64_t{1} << 40)) {
    throw Error(ErrorCode::limit_exceeded,
                "cannot reserve memory for " + std::to_string(floats) + " activations");
  }
  const std::size_t bytes = static_cast<std::size_t>(floats) * sizeof(float);
  if (bytes <= kLeast) return kLeast;
  const std::size_t quarter = std::bit_ceil(bytes) / 8;
  return (bytes + quarter - 1) / quarter * quarter;
}

float* allocate(std::size_t bytes) {
  void* memory = nullptr;
  if (::posix_memalign(&memory, bytes >= kHugePage ? kHugePage : 64, bytes) != 0) {
    throw Error(ErrorCode::limit_exceeded,
                "no memory for " + std::to_string(bytes) + " bytes of activations");
  }
  if (bytes >= kHugePage) ::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: failure changes nothing
  return static_cast<float*>(memory);
}

}  // namespace

struct BlockCache::State {
  mutable std::mutex mutex;
  std::map<std::size_t, std::vector<float*>> kept;
  std::size_t kept_bytes = 0;
  std::size_t used_bytes = 0;

  ~State() { free_kept(); }

  void free_kept() {
    for (const auto& [bytes, blocks] : kept) {
      for (float* block : blocks) std::free(block);
    }
    kept.clear();
    kept_bytes = 0;
  }

  float* take(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex);
      if (const auto found = kept.find(bytes); found != kept.end() && !found->second.empty()) {
        float* block = found->second.back();
        found->second.pop_back();
        kept_bytes -= bytes;
        used_bytes += bytes;
        return block;
      }
    }
    float* block = allocate(bytes);
    const std::lock_guard lock(mutex);
    used_bytes += bytes;
    return block;
  }

  void give_back(float* block, std::size_t bytes) {
    const std::lock_guard lock(mutex);
    used_bytes -= bytes;
    if (kept_bytes + bytes > static_cast<std::size_t>(kKeptBytes)) {
      std::free(block);
    } else {
      kept[bytes].push_back(block);
      kept_bytes += bytes;
    }
  }
};

BlockCache::BlockCache() : state_(std::make_shared<State>()) {}

Block BlockCache::take(std::int64_t floats) {
  const std::size_t bytes = size_class(floats);
  float* block = state_->take(bytes);
  return {block, [state = state_, bytes](float* memory) { state->give_back(memory, bytes); }};
}

std::int64_t BlockCache::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<std::int64_t>(state_->kept_bytes + state_->used_bytes);
}

void BlockCache::trim() {
  const std::lock_guard lock(state_->mutex);
  state_->free_kept();
}

}  // namespace moa::cpu
