// The precision of a run: what an interpreter's products are computed in.
#pragma once

#include <string_view>

namespace moa {

// f32: products of f32 numbers. bf16: of numbers rounded to bfloat16 (8 bits of mantissa), summed in f32.
// int8: of integers in [-127, 127], a scale for each output channel of the weights and one for each row of
// activations, summed exactly. Which operations it concerns: ops.hpp.
enum class Precision { f32, bf16, int8 };

std::string_view name(Precision precision) noexcept;

}  // namespace moa
