// A model's directory as people publish it, with weights of its own or others.
#pragma once

#include <optional>
#include <span>

#include "base/new_directory.hpp"
#include "checkpoint/model_directory.hpp"
#include "tensor/parameter.hpp"

namespace moa {

struct PublishedTypes {
  // Of every tensor of floats; without it, f32, f16 and bf16 stay, and what is stored in other ways becomes
  // f32.
  std::optional<DType> wanted{};
  // But 4-bit blocks, and the factors of a product, which moa alone reads, stay what they are.
  bool keeps_blocks = false;
};

// Writes `tensors`, named as `model`'s are, and a copy of what `model` has beside its weights, in its own
// layout; of a file of OpenAI's, in open_clip's. Errors: out_of_range for a number that f16 has no room for;
// io_error; what reading a tensor throws.
void write_published(const ModelDirectory& model, std::span<const Parameter> tensors,
                     const PublishedTypes& types, NewDirectory& directory);

}  // namespace moa
