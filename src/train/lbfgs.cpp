#include "train/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>

namespace moa::train {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double largest(const Vector& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

// y += factor * x
void add(Vector& y, double factor, const Vector& x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

// A step that was made, and how the gradient changed over it.
struct Pair {
  Vector step;
  Vector change;
  double curvature;  // their product
};

// The two-loop recursion: minus the inverse Hessian's estimate times `gradient`.
Vector direction(const Vector& gradient, const std::deque<Pair>& pairs) {
  Vector result = gradient;
  std::vector<double> shares(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    shares[i] = dot(pairs[i].step, result) / pairs[i].curvature;
    add(result, -shares[i], pairs[i].change);
  }
  // Without history the first step is at most one long.
  const double scale = pairs.empty() ? 1 / std::max(1.0, std::sqrt(dot(gradient, gradient)))
                                     : pairs.back().curvature / dot(pairs.back().change, pairs.back().change);
  for (double& value : result) value *= scale;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    add(result, shares[i] - dot(pairs[i].change, result) / pairs[i].curvature, pairs[i].step);
  }
  for (double& value : result) value = -value;
  return result;
}

struct State {
  Vector point;
  Vector gradient;
  double value = 0;
};

// From `from` along `along`. False if no step makes it better.
bool line_search(const State& from, const Vector& along, const Objective& objective, State& to) {
  constexpr double kDecrease = 1e-4;
  constexpr double kCurvature = 0.9;
  constexpr int kTries = 40;
  const double slope = dot(from.gradient, along);
  if (!(slope < 0)) return false;
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  double step = 1;
  for (int i = 0; i < kTries; ++i) {
    to.point = from.point;
    add(to.point, step, along);
    to.value = objective(to.point, to.gradient);
    if (!(to.value <= from.value + kDecrease * step * slope)) {
      high = step;
    } else if (dot(to.gradient, along) < kCurvature * slope) {
      low = step;
    } else {
      return true;
    }
    step = std::isinf(high) ? 2 * low : (low + high) / 2;
  }
  return to.value < from.value;
}

}  // namespace

std::size_t minimise(std::vector<double>& point, const Objective& objective, const LbfgsOptions& options) {
  State now{point, Vector(point.size()), 0};
  State next{point, Vector(point.size()), 0};
  now.value = objective(now.point, now.gradient);
  std::deque<Pair> pairs;
  std::size_t iteration = 0;
  while (iteration < options.iterations && largest(now.gradient) > options.tolerance) {
    if (!line_search(now, direction(now.gradient, pairs), objective, next)) {
      if (pairs.empty()) break;
      pairs.clear();  // once more, downhill
      continue;
    }
    ++iteration;
    Pair pair{next.point, next.gradient, 0};
    add(pair.step, -1, now.point);
    add(pair.change, -1, now.gradient);
    pair.curvature = dot(pair.step, pair.change);
    if (pair.curvature > 1e-12 * dot(pair.change, pair.change)) pairs.push_back(std::move(pair));
    if (pairs.size() > options.history) pairs.pop_front();
    std::swap(now, next);
  }
  point = std::move(now.point);
  return iteration;
}

}  // namespace moa::train
