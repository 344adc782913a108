// The files of a model's directory that say how texts and pictures become its input.
#pragma once

#include "base/config.hpp"
#include "checkpoint/model_directory.hpp"
#include "text/tokenizer.hpp"

namespace moa {

// Error: not_found, with what to do, if there is no tokenizer.
TokenizerFiles tokenizer_files_of(const ModelDirectory& directory);

// The picture processor's configuration: a file of its own, or, as transformers 5 saves a whole processor, a
// part of another. Error: not_found, with what to do.
Config processor_config_of(const ModelDirectory& directory);

}  // namespace moa
