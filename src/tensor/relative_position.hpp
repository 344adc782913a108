// Relative positions: which row of RelativeBias's table a distance has.
#pragma once

#include <cstdint>

namespace moa {

// The bucket of `distance` = key - query among `buckets`, at least 4, where max_distance > buckets / 4
// (ops.hpp, RelativeBias).
std::int64_t bucket_of(std::int64_t distance, std::int64_t buckets, std::int64_t max_distance);

}  // namespace moa
