// The unigram language model of SentencePiece (Kudo 2018, arXiv 1804.10959): of all ways to cut a piece into
// tokens, the one whose log-probabilities sum highest.
#pragma once

#include <memory>

#include "text/subword_model.hpp"

namespace moa {

std::unique_ptr<SubwordModel> make_unigram(const JsonNode& node);

}  // namespace moa
