// What a training leaves behind.
#pragma once

#include <filesystem>
#include <vector>

#include "embed/loaded_model.hpp"
#include "tensor/parameter.hpp"

namespace moa::train {

// The model's directory as write_published() makes it, with the tensors of `learned` in place of those of the
// same name; what stood at `place` goes once the new one is whole. Errors: io_error; internal (a learned
// tensor that the model has not).
void write_trained_model(const LoadedModel& model, const std::vector<Parameter>& learned,
                         const std::filesystem::path& place);

}  // namespace moa::train
