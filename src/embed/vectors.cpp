#include <moa/vectors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace moa {
namespace {

void expect_dimensions(std::int64_t dim) {
  constexpr std::int64_t kMost = 65536;
  if (dim < 1 || dim > kMost) {
    throw Error(ErrorCode::invalid_argument, "cannot hold vectors of " + std::to_string(dim) +
                                                 " dimensions, expected 1 to " + std::to_string(kMost));
  }
}

}  // namespace

Vectors::Vectors(std::int64_t dim) : dim_(dim) {
  expect_dimensions(dim);
}

std::span<const float> Vectors::row(std::size_t index) const {
  if (index >= size()) {
    throw Error(ErrorCode::out_of_range,
                "row " + std::to_string(index) + " of " + std::to_string(size()) + " vectors");
  }
  return std::span(values_).subspan(index * static_cast<std::size_t>(dim_), static_cast<std::size_t>(dim_));
}

const Error* Vectors::error(std::size_t index) const {
  const auto found = errors_.find(index);
  return found == errors_.end() ? nullptr : &found->second;
}

void Vectors::append(std::span<const float> row) {
  expect_dimensions(dim_);
  if (static_cast<std::int64_t>(row.size()) != dim_) {
    throw Error(ErrorCode::shape_mismatch, "cannot append a vector of " + std::to_string(row.size()) +
                                               " numbers, expected " + std::to_string(dim_));
  }
  values_.insert(values_.end(), row.begin(), row.end());
}

void Vectors::append(const Error& error) {
  expect_dimensions(dim_);
  errors_.emplace(size(), error);
  values_.insert(values_.end(), static_cast<std::size_t>(dim_), std::numeric_limits<float>::quiet_NaN());
}

std::vector<Hit> top(const Vectors& vectors, std::span<const float> query, std::size_t count) {
  if (static_cast<std::int64_t>(query.size()) != vectors.dim() && vectors.size() > 0) {
    throw Error(ErrorCode::shape_mismatch, "cannot search vectors of dimension " +
                                               std::to_string(vectors.dim()) + " for one of dimension " +
                                               std::to_string(query.size()));
  }
  std::vector<Hit> hits;
  for (std::size_t index = 0; index < vectors.size(); ++index) {
    if (vectors.error(index) != nullptr) continue;
    const std::span<const float> row = vectors.row(index);
    float score = 0;
    for (std::size_t i = 0; i < row.size(); ++i) score += row[i] * query[i];
    if (!std::isnan(score)) hits.push_back({index, score});
  }
  const auto better = [](const Hit& a, const Hit& b) {
    return a.score != b.score ? a.score > b.score : a.index < b.index;
  };
  const auto last = hits.begin() + static_cast<std::ptrdiff_t>(std::min(count, hits.size()));
  std::partial_sort(hits.begin(), last, hits.end(), better);
  hits.erase(last, hits.end());
  return hits;
}

}  // namespace moa
