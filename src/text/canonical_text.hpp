// Texts as SigLIP was trained on them: canonicalize_text of transformers' SiglipTokenizer, after big_vision.
#pragma once

#include <memory>

#include "text/normalizer.hpp"

namespace moa {

struct CanonicalTextOptions {
  bool lowercase = true;
};

// Lower case as Python has it; ASCII punctuation deleted; white space of any length one space, none at the
// ends. The beginning of the whole text gets SentencePiece's mark "▁", which counts as no white space here.
std::unique_ptr<Normalizer> make_canonical_text(const CanonicalTextOptions& options);

}  // namespace moa
