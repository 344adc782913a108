// bf16 and int8 by the instructions that multiply a word's numbers at once: vdpbf16ps and vpdpbusd. Needs
// -mavx512bf16 and -mavx512vnni.
#pragma once

#include "backends/cpu/kernels/dot.hpp"
#include "backends/cpu/kernels/vector16.hpp"

namespace moa::cpu {
namespace {  // NOLINT(google-build-namespaces)

struct Bf16Dot16 {
  static constexpr int kElements = 2;
  static constexpr int kParts = 1;
  static constexpr int kTogether = 1;
  static constexpr bool kScaled = false;
  static constexpr int kZeroPoint = 0;
  struct ColumnScales {};
  using Words = Floats<Vector16>;

  static Words part(Words words, int /*only*/) { return words; }
  static Words add(const Words (&value)[1], const Words (&columns)[1], Words sums) {
    return _mm512_dpbf16_ps(sums, __builtin_bit_cast(__m512bh, value[0]),
                            __builtin_bit_cast(__m512bh, columns[0]));
  }
  static float narrow(const float* x, std::int64_t width, float* words) {
    for_vectors<Vector16>(width, [&](std::int64_t at, std::int64_t count) {
      const __m256bh half = _mm512_cvtneps_pbh(load<Vector16>(x + at, count));
      __builtin_memcpy(words + at / 2, &half, sizeof half);
    });
    return 1;
  }
};

// Up to 65,536 products of 255 * -128 fit into the 32 bits of a sum.
struct Int8Dot16 : UnsignedInt8Rows<Vector16> {
  using Words = Floats<Vector16>;
  static Words add(const Words (&value)[1], const Words (&columns)[1], Words sums) {
    // Spelt out, because GCC 12 moves sums back and forth between registers when it sees them as floats here
    // and as integers there: the product is then half as fast.
    asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(value[0]), "vm"(columns[0]));
    return sums;
  }
};

}  // namespace
}  // namespace moa::cpu
