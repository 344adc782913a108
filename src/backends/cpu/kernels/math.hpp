// exp and the activations, lane by lane. NaN gives NaN; polynomials were fitted for the least largest error.
#pragma once

#include "backends/cpu/kernels/lanes.hpp"
#include "tensor/ops.hpp"

namespace moa::cpu {

// e^r for |r| up to ln 2 / 2.
template <class V>
inline Floats<V> exp_near_zero(Floats<V> r) {
  Floats<V> q = splat<V>(1.395047311e-3F);
  q = V::fma(q, r, splat<V>(8.368882800e-3F));
  q = V::fma(q, r, splat<V>(4.166620606e-2F));
  q = V::fma(q, r, splat<V>(1.666651889e-1F));
  q = V::fma(q, r, splat<V>(5.000000095e-1F));
  return V::fma(q, r * r, r) + splat<V>(1.0F);
}

// e^x within 2 units in the last place; 0 below -87.3 (results that would be denormal), +inf above 88.7.
template <class V>
inline Floats<V> exp(Floats<V> x) {
  const Floats<V> least = splat<V>(-87.33F);
  const Floats<V> most = splat<V>(89.0F);
  const Floats<V> t = V::minimum(most, V::maximum(least, x));
  // t = n ln 2 + r. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const Floats<V> rounder = splat<V>(12582912.0F);
  const Floats<V> shifted = V::fma(t, splat<V>(1.44269504F), rounder);
  const Floats<V> n = shifted - rounder;
  Floats<V> r = V::fma(n, splat<V>(-0.693359375F), t);  // ln 2 in two parts, the first exact in 10 bits
  r = V::fma(n, splat<V>(2.12194440e-4F), r);
  const Floats<V> e_r = exp_near_zero<V>(r);
  // 2^n as two factors, each representable for n up to 128.
  const Ints<V> exponent = __builtin_bit_cast(Ints<V>, shifted) - __builtin_bit_cast(Ints<V>, rounder);
  const Ints<V> half = exponent >> 1;
  const Floats<V> low = __builtin_bit_cast(Floats<V>, (half + 127) << 23);
  const Floats<V> high = __builtin_bit_cast(Floats<V>, (exponent - half + 127) << 23);
  return x < least ? splat<V>(0.0F) : e_r * low * high;
}

// 1 / (1 + e^-x). Within [-88, 87.33], where all but a last place is said, e^-x is a normal number: its
// exponent can be added to as an integer, which saves a third of the work of exp.
template <class V>
inline Floats<V> sigmoid(Floats<V> x) {
  const Floats<V> least = splat<V>(-88.0F);
  const Floats<V> most = splat<V>(87.33F);
  const Floats<V> one = splat<V>(1.0F);
  const Floats<V> t = V::minimum(most, V::maximum(least, x));
  const Floats<V> rounder = splat<V>(12582912.0F);
  const Floats<V> shifted = V::fma(t, splat<V>(-1.44269504F), rounder);
  const Floats<V> n = shifted - rounder;
  Floats<V> r = V::fma(n, splat<V>(-0.693359375F), -t);
  r = V::fma(n, splat<V>(2.12194440e-4F), r);
  const Floats<V> e_r = exp_near_zero<V>(r);
  const Ints<V> exponent = __builtin_bit_cast(Ints<V>, shifted) << 23;  // n alone is left of it
  return one / (one + __builtin_bit_cast(Floats<V>, __builtin_bit_cast(Ints<V>, e_r) + exponent));
}

template <class V>
inline Floats<V> tanh(Floats<V> x) {
  // Near 0 an odd polynomial, which keeps small values' relative precision; elsewhere 1 - 2 / (e^2|x| + 1).
  const Floats<V> square = x * x;
  Floats<V> q = splat<V>(-5.717054720e-3F);
  q = V::fma(q, square, splat<V>(2.065059698e-2F));
  q = V::fma(q, square, splat<V>(-5.374350148e-2F));
  q = V::fma(q, square, splat<V>(1.333149134e-1F));
  q = V::fma(q, square, splat<V>(-3.333328393e-1F));
  const Floats<V> near = V::fma(q * square, x, x);
  const Floats<V> zero = splat<V>(0.0F);
  const Floats<V> one = splat<V>(1.0F);
  const Floats<V> size = x < zero ? -x : x;
  const Floats<V> far = one - splat<V>(2.0F) / (exp<V>(size + size) + one);
  return size < splat<V>(0.625F) ? near : (x < zero ? -far : far);
}

// x (1 + erf(x / √2)) / 2, computed as max(x, 0) - t Q(t) with t = |x| and Q the upper tail of the normal
// distribution: Q(t) = e^(-t²/2) p(1 / (1 + 0.24 t)), p a polynomial (the form of Abramowitz and
// Stegun 7.1.26 with more terms; error of t Q(t) below 1e-9 before rounding).
template <class V>
inline Floats<V> gelu(Floats<V> x) {
  const Floats<V> zero = splat<V>(0.0F);
  const Floats<V> one = splat<V>(1.0F);
  const Floats<V> limit = splat<V>(14.0F);  // Q is 0 in f32 from here on
  Floats<V> t = x < zero ? -x : x;
  t = t > limit ? limit : t;
  const Floats<V> y = one / V::fma(t, splat<V>(0.24F), one);
  Floats<V> p = splat<V>(-1.237808217e-1F);
  p = V::fma(p, y, splat<V>(5.483946820e-1F));
  p = V::fma(p, y, splat<V>(-6.339435911e-1F));
  p = V::fma(p, y, splat<V>(6.129666925e-1F));
  p = V::fma(p, y, splat<V>(-1.466990995e-1F));
  p = V::fma(p, y, splat<V>(1.532446004e-1F));
  p = V::fma(p, y, splat<V>(8.981755875e-2F));
  const Floats<V> tail = p * y * exp<V>(splat<V>(-0.5F) * t * t);
  return (x > zero ? x : zero) - t * tail;
}

template <class V, Activation kKind>
inline Floats<V> activate(Floats<V> x) {
  const Floats<V> zero = splat<V>(0.0F);
  if constexpr (kKind == Activation::quick_gelu) return x * sigmoid<V>(splat<V>(1.702F) * x);
  if constexpr (kKind == Activation::gelu) return gelu<V>(x);
  if constexpr (kKind == Activation::gelu_tanh) {
    // (1 + tanh u) / 2 is sigmoid(2 u); 2 sqrt(2 / π) = 1.59576912.
    const Floats<V> cubic = V::fma(splat<V>(0.044715F) * x * x, x, x);
    return x * sigmoid<V>(splat<V>(1.59576912F) * cubic);
  }
  if constexpr (kKind == Activation::relu) return x < zero ? zero : x;
  if constexpr (kKind == Activation::relu6) {
    const Floats<V> six = splat<V>(6.0F);
    const Floats<V> positive = x < zero ? zero : x;
    return positive > six ? six : positive;
  }
  if constexpr (kKind == Activation::silu) return x * sigmoid<V>(x);
  if constexpr (kKind == Activation::tanh) return tanh<V>(x);
  if constexpr (kKind == Activation::sigmoid) return sigmoid<V>(x);
  return x;
}

// An activation as a type, so that a loop is compiled for each and keeps its constants in registers.
template <Activation kIts>
struct ActivationKind {
  static constexpr Activation kKind = kIts;
};

// Calls piece with the ActivationKind of `kind`.
template <class Piece>
inline void with_activation(Activation kind, Piece piece) {
  switch (kind) {
    case Activation::none:
      return piece(ActivationKind<Activation::none>());
    case Activation::quick_gelu:
      return piece(ActivationKind<Activation::quick_gelu>());
    case Activation::gelu:
      return piece(ActivationKind<Activation::gelu>());
    case Activation::gelu_tanh:
      return piece(ActivationKind<Activation::gelu_tanh>());
    case Activation::relu:
      return piece(ActivationKind<Activation::relu>());
    case Activation::relu6:
      return piece(ActivationKind<Activation::relu6>());
    case Activation::silu:
      return piece(ActivationKind<Activation::silu>());
    case Activation::tanh:
      return piece(ActivationKind<Activation::tanh>());
    case Activation::sigmoid:
      return piece(ActivationKind<Activation::sigmoid>());
  }
}

template <class V>
inline Floats<V> activate(Activation kind, Floats<V> x) {
  Floats<V> y = x;
  with_activation(kind, [&](auto its) { y = activate<V, decltype(its)::kKind>(x); });
  return y;
}

}  // namespace moa::cpu
