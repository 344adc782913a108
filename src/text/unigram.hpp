// The unigram language model of SentencePiece (Kudo 2018, arXiv 1804.10959): of all ways to cut a piece into
// tokens, the one whose log-probabilities sum highest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "text/subword_model.hpp"

namespace moa {

// `scores` by id, one for each token and at least one; `unknown` is one of the ids.
std::unique_ptr<SubwordModel> make_unigram(Vocabulary vocabulary, std::vector<double> scores,
                                           std::optional<std::int32_t> unknown, bool byte_fallback);
std::unique_ptr<SubwordModel> make_unigram(const JsonNode& node);

}  // namespace moa
