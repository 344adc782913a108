// train: learning and judging models: tables of pairs, augmentation, evaluation, and the loop of training. It
// knows models through embed and never a framework: what computes gradients stands behind engine.hpp. This
// header: random numbers that are a function of what they are for.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace moa::train {

// SplitMix64 (Steele, Lea, Flood 2014). Unlike the standard library's distributions its numbers are the same
// everywhere. A stream is named by a key, e.g. {seed, epoch, index}, so that an item's numbers depend neither
// on the items before it nor on the thread that draws them.
class Random {
 public:
  explicit Random(std::initializer_list<std::uint64_t> key) {
    for (const std::uint64_t word : key) state_ = mix(state_ + 0x9E3779B97F4A7C15U) ^ word;
  }

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    return mix(state_);
  }
  // In [0, 1), all 53 bits of it.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double least, double most) { return least + (most - least) * uniform(); }
  // In [0, count), with a bias below count / 2^64.
  std::uint64_t below(std::uint64_t count) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * count) >> 64);
  }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  }

  std::uint64_t state_ = 0;
};

}  // namespace moa::train
