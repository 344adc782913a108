// Parameters that are made of other parameters.
#pragma once

#include <cstdint>

#include "tensor/parameter.hpp"

namespace moa {

// Elements [first, first + count) of the row-major tensor as f32: whole rows, as ParameterSource::read is
// asked for them. Error: out_of_range.
void read_elements(const Parameter& parameter, std::int64_t first, std::int64_t count, float* out);

// `values` as a tensor that is to be stored in `type`: its numbers stay what they are until it is written.
Parameter to_be_stored_in(DType type, const Parameter& values);

}  // namespace moa
