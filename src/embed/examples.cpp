#include "embed/examples.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <moa/error.hpp>

#include "embed/dot.hpp"

namespace moa {

void check_examples(const ExampleCache& examples, std::size_t labels, std::int64_t dim) {
  if (!std::isfinite(examples.alpha) || !std::isfinite(examples.beta)) {
    throw Error(ErrorCode::invalid_argument, "examples: found an alpha or beta that is no number");
  }
  const std::size_t count = examples.vectors.size();
  if (examples.labels.size() != count) {
    throw Error(ErrorCode::invalid_argument, "examples: " + std::to_string(count) + " vectors, but " +
                                                 std::to_string(examples.labels.size()) + " labels of them");
  }
  if (count > 0 && examples.vectors.dim() != dim) {
    throw Error(ErrorCode::shape_mismatch, "examples: their vectors have " +
                                               std::to_string(examples.vectors.dim()) +
                                               " dimensions, expected " + std::to_string(dim));
  }
  if (examples.vectors.failures() > 0) {
    throw Error(ErrorCode::invalid_argument, "examples: " + std::to_string(examples.vectors.failures()) +
                                                 " of them failed and have no vector");
  }
  for (const std::size_t label : examples.labels) {
    if (label >= labels) {
      throw Error(ErrorCode::invalid_argument, "examples: one has label " + std::to_string(label) +
                                                   ", expected less than " + std::to_string(labels));
    }
  }
}

void add_examples(const ExampleCache& examples, std::span<const float> vector, std::span<float> cosines) {
  std::vector<double> say(cosines.size(), 0);
  for (std::size_t i = 0; i < examples.labels.size(); ++i) {
    const double affinity = dot(vector, examples.vectors.row(i));
    say[examples.labels[i]] += std::exp(-examples.beta * (1 - affinity));
  }
  for (std::size_t label = 0; label < cosines.size(); ++label) {
    cosines[label] = static_cast<float>(cosines[label] + examples.alpha / 100 * say[label]);
  }
}

}  // namespace moa
