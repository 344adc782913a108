// What a training leaves behind.
#pragma once

#include <filesystem>
#include <vector>

#include "checkpoint/adapter.hpp"
#include "embed/loaded_model.hpp"
#include "tensor/parameter.hpp"

namespace moa::train {

// The model's directory as write_published() makes it, with the tensors of `learned` in place of those of the
// same name, and `adapter`, if there is one, added to them; what stood at `place` goes once the new one is
// whole. What was learned is stored in f32, f16 or bf16 as it was before, or in f16 where it was in 4-bit
// blocks or int8 (f32, if f16 has no room for a number); what an adapter is added to in f32; blocks of which
// nothing was learned stay as they are. Errors: io_error; internal (a learned tensor that the model has not).
void write_trained_model(const LoadedModel& model, const std::vector<Parameter>& learned,
                         const Adapter* adapter, const std::filesystem::path& place);

// The adapter's folder, likewise.
void write_trained_adapter(const Adapter& adapter, const std::filesystem::path& place);

}  // namespace moa::train
