// What moa writes beside weights that it stored in bf16 or int8 (docs/decisions/0003-precision.md).
#pragma once

#include <optional>
#include <string>

#include "checkpoint/model_directory.hpp"
#include "tensor/precision.hpp"

namespace moa {

// The precision that a directory was quantized to; empty if it was not. Errors: unsupported if another
// version of the format is stated; corrupt_data for a statement that is broken.
std::optional<Precision> quantized_to(const ModelDirectory& directory);

// The content of kQuantizationName for a directory that this version of moa writes.
std::string quantization_statement(Precision precision);

}  // namespace moa
