// The cache of Tip-Adapter: labelled pictures that have a say in a classification, without training.
#pragma once

#include <span>

#include <moa/model.hpp>

namespace moa {

// Adds to each label's cosine what the examples of that label say about the picture `vector`:
// alpha / 100 · Σ exp(-beta (1 - cosine of picture and example)). Zhang et al. 2022 (arXiv 2111.03930),
// equation 6, in which cosines are multiplied by 100. The same bits whatever else is classified.
void add_examples(const ExampleCache& examples, std::span<const float> vector, std::span<float> cosines);

// Errors: invalid_argument if the cache names labels that are not there or holds vectors that failed;
// shape_mismatch if its vectors are not `dim` long.
void check_examples(const ExampleCache& examples, std::size_t labels, std::int64_t dim);

}  // namespace moa
