#include "checkpoint/q4.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "checkpoint/widen.hpp"

namespace moa {
namespace {

using Block = std::array<float, kQ4BlockElements>;

void widen_block(const std::byte* nibbles, float scale, float* out) {
  for (std::int64_t i = 0; i < kQ4BlockBytes; ++i) {
    const int pair = std::to_integer<int>(nibbles[i]);
    out[2 * i] = static_cast<float>((pair & 15) - 8) * scale;
    out[2 * i + 1] = static_cast<float>((pair >> 4) - 8) * scale;
  }
}

}  // namespace

void widen_q4(std::span<const std::byte> blocks, std::span<const std::byte> scales, std::int64_t first,
              std::int64_t count, float* out) noexcept {
  for (std::int64_t at = first; at < first + count;) {
    const std::int64_t block = at / kQ4BlockElements;
    const std::int64_t skipped = at % kQ4BlockElements;
    const std::int64_t taken = std::min(kQ4BlockElements - skipped, first + count - at);
    std::uint16_t half = 0;
    std::memcpy(&half, scales.data() + block * 2, sizeof(half));
    const std::byte* nibbles = blocks.data() + block * kQ4BlockBytes;
    if (taken == kQ4BlockElements) {
      widen_block(nibbles, widen_f16(half), out);
    } else {
      Block whole;
      widen_block(nibbles, widen_f16(half), whole.data());
      std::copy_n(whole.data() + skipped, taken, out);
    }
    at += taken;
    out += taken;
  }
}

}  // namespace moa
