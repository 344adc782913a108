#include "tensor/relative_position.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace moa {

// In f32, as the reference: a distance at the edge of two buckets belongs where f32 puts it.
std::int64_t bucket_of(std::int64_t distance, std::int64_t buckets, std::int64_t max_distance) {
  const std::int64_t half = buckets / 2;
  const std::int64_t exact = half / 2;
  const std::int64_t side = distance > 0 ? half : 0;
  const std::int64_t size = std::abs(distance);
  if (size < exact) return side + size;
  const float share = std::log(static_cast<float>(size) / static_cast<float>(exact)) /
                      std::log(static_cast<float>(max_distance) / static_cast<float>(exact));
  const auto further = static_cast<std::int64_t>(share * static_cast<float>(half - exact));
  return side + std::min(exact + further, half - 1);
}

}  // namespace moa
