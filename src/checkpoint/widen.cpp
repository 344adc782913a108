#include "checkpoint/widen.hpp"

#include <bit>
#include <cstring>

// One body, compiled for several instruction sets and chosen when the program starts. Not under sanitizers,
// whose run-time is not up yet when the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define MOA_FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define MOA_FOR_EACH_CPU
#endif

namespace moa {
namespace {

template <typename T>
T load(const std::byte* stored, std::int64_t index) {
  T value;
  std::memcpy(&value, stored + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

// Without a branch and without f32 subnormals, which cost 150 cycles each. f16 has 5 bits of exponent around
// 15 and 10 of mantissa, f32 8 around 127 and 23: the mantissa moves by 13 and the exponent gains 112.
inline float widen_bits(std::uint32_t half) {
  constexpr std::uint32_t kRebias = 112u << 23;
  const std::uint32_t magnitude = half & 0x7FFFu;
  const std::uint32_t shifted = magnitude << 13;
  const std::uint32_t normal = shifted + kRebias;
  // Subnormal: mantissa * 2^-24, got as (1 + mantissa / 1024) * 2^-14 minus 2^-14.
  const float small = std::bit_cast<float>(shifted + (113u << 23)) - 0x1p-14F;
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(small);
  // Masks, not a choice: GCC would compute the subtraction only where it counts, and that with a branch.
  const std::uint32_t is_subnormal = 0u - static_cast<std::uint32_t>(magnitude < 0x400u);
  const std::uint32_t finite = (subnormal & is_subnormal) | (normal & ~is_subnormal);
  const std::uint32_t special = magnitude >= 0x7C00u ? kRebias : 0u;  // exponent 143 becomes 255
  return std::bit_cast<float>((finite + special) | (half & 0x8000u) << 16);
}

MOA_FOR_EACH_CPU void widen_f16_all(const std::byte* stored, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = widen_bits(load<std::uint16_t>(stored, i));
}

MOA_FOR_EACH_CPU void widen_bf16_all(const std::byte* stored, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(load<std::uint16_t>(stored, i)) << 16);
  }
}

template <typename T>
void widen_plain(const std::byte* stored, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(load<T>(stored, i));
}

}  // namespace

std::size_t element_bytes(DType dtype) noexcept {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::u8:
    case DType::i8:
      return 1;
    case DType::q4:
      break;
  }
  return 0;
}

void widen(DType dtype, const std::byte* stored, std::int64_t count, float* out) noexcept {
  switch (dtype) {
    case DType::f32:
      if (count > 0) std::memcpy(out, stored, static_cast<std::size_t>(count) * sizeof(float));
      return;
    case DType::f16:
      return widen_f16_all(stored, count, out);
    case DType::bf16:
      return widen_bf16_all(stored, count, out);
    case DType::f64:
      return widen_plain<double>(stored, count, out);
    case DType::i64:
      return widen_plain<std::int64_t>(stored, count, out);
    case DType::i32:
      return widen_plain<std::int32_t>(stored, count, out);
    case DType::u8:
      return widen_plain<std::uint8_t>(stored, count, out);
    case DType::i8:
      return widen_plain<std::int8_t>(stored, count, out);
    case DType::q4:
      return;
  }
}

float widen_f16(std::uint16_t half) noexcept {
  return widen_bits(half);
}

}  // namespace moa
