// What a model has beside its weights, and goes with them wherever they are written anew.
#pragma once

#include "base/new_directory.hpp"
#include "checkpoint/model_directory.hpp"

namespace moa {

// Copies into `directory` the files of `model`'s identity that are not weights, its model card, and the words
// of its licence; not what says how its weights are quantized, for there they may be stored otherwise. Error:
// io_error.
void copy_company(const ModelDirectory& model, NewDirectory& directory);

}  // namespace moa
