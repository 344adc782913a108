// Minimising a smooth convex function.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace moa::train {

struct LbfgsOptions {
  std::size_t iterations = 1000;
  std::size_t history = 10;
  double tolerance = 1e-5;  // ends when no entry of the gradient is larger
};

// Gives the value at `point` and writes the gradient.
using Objective = std::function<double(std::span<const double> point, std::span<double> gradient)>;

// Limited-memory BFGS (Nocedal 1980) with a line search by bisection for the weak Wolfe conditions (Lewis and
// Overton 2013). Moves `point` to the best that was found; returns the iterations made. Ends early where the
// arithmetic finds no better point.
std::size_t minimise(std::vector<double>& point, const Objective& objective, const LbfgsOptions& options);

}  // namespace moa::train
