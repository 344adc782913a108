// open_clip's models whose text tower is one of transformers' (text_cfg.hf_model_name): XLM-RoBERTa, RoBERTa
// or BERT behind CLIP's pictures. Reference: open_clip 3.3 HFTextEncoder.
#pragma once

#include <string_view>

#include "nn/bert_text.hpp"

namespace moa {

// The tower that `text_cfg` describes, into `dim` dimensions; `scope` is where "transformer." and "proj."
// begin. The tower's own configuration is not in open_clip's files: the names of those that are published are
// known, with their sizes. Errors: unsupported, for a name, a projection or a pooling that is not known, and
// for an option that would change the numbers; shape_mismatch.
BertText take_open_clip_hf_text(const Config& text_cfg, const WeightScope& scope, std::int64_t dim);

}  // namespace moa
