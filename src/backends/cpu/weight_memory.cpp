#include "backends/cpu/weight_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <string>

#include <moa/error.hpp>

namespace moa::cpu {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kRegion = std::size_t{64} << 20;  // address space; memory is taken as it is touched

constexpr std::size_t round_to(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}

}  // namespace

WeightMemory::~WeightMemory() {
  for (const Region& region : regions_) ::munmap(region.begin, region.size);
}

float* WeightMemory::take(std::int64_t floats) {
  // 2^40 floats are more than any machine holds and far from overflow.
  const bool sane = floats >= 0 && floats <= (std::int64_t{1} << 40);
  const std::size_t size = sane ? round_to(static_cast<std::size_t>(floats) * sizeof(float), 64) : 0;
  const std::lock_guard lock(mutex_);
  if (regions_.empty() || regions_.back().size - regions_.back().used < size) {
    const std::size_t region_size = round_to(std::max(size, kRegion), kHugePage) + kHugePage;
    void* memory = sane ? ::mmap(nullptr, region_size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                        : MAP_FAILED;
    if (memory == MAP_FAILED) {
      throw Error(ErrorCode::limit_exceeded, "no memory for " + std::to_string(floats) + " prepared weights");
    }
    ::madvise(memory, region_size, MADV_HUGEPAGE);  // a wish: failure changes nothing
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    regions_.push_back(
        {static_cast<std::byte*>(memory), region_size, round_to(address, kHugePage) - address});
  }
  Region& region = regions_.back();
  auto* weights = reinterpret_cast<float*>(region.begin + region.used);
  region.used += size;
  bytes_ += static_cast<std::int64_t>(size);
  return weights;
}

std::int64_t WeightMemory::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace moa::cpu
