// Vectors: what embedding gives back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <moa/error.hpp>
#include <moa/export.hpp>

namespace moa {

// Texts that were longer than the model's context and were cut, as the reference cuts them.
struct Truncation {
  std::size_t texts = 0;
  std::size_t first_index = 0;  // of the first among the inputs, or among the labels that stand in them
  std::string first;            // the first, whole
};

// One vector an input, in the order of the inputs. The row of an input that failed is all NaN and `error`
// tells why. A plain value: copy it, move it, read it from any thread.
class MOA_API Vectors {
 public:
  Vectors() = default;
  // Error: invalid_argument unless `dim` is 1 to 65536.
  explicit Vectors(std::int64_t dim);

  std::size_t size() const noexcept {
    return dim_ == 0 ? 0 : values_.size() / static_cast<std::size_t>(dim_);
  }
  std::int64_t dim() const noexcept { return dim_; }
  // Error: out_of_range.
  std::span<const float> row(std::size_t index) const;
  // All rows, [size, dim].
  std::span<const float> values() const noexcept { return values_; }
  // Why input `index` has no vector; nullptr if it has one.
  const Error* error(std::size_t index) const;
  std::size_t failures() const noexcept { return errors_.size(); }
  const Truncation& truncated() const noexcept { return truncated_; }

  // Errors: shape_mismatch if the row is not `dim` long; invalid_argument without dimensions.
  void append(std::span<const float> row);
  void append(const Error& error);
  void tell_truncated(Truncation truncated) { truncated_ = std::move(truncated); }

 private:
  std::int64_t dim_ = 0;
  std::vector<float> values_;
  std::map<std::size_t, Error> errors_;
  Truncation truncated_;
};

struct Hit {
  std::size_t index = 0;  // row
  float score = 0;        // dot product with the query; the cosine, if both are on the unit sphere
};

// The `count` rows nearest to `query`, best first, equal scores in order of index; rows that failed, or whose
// score is NaN, are never hits. Error: shape_mismatch.
MOA_API std::vector<Hit> top(const Vectors& vectors, std::span<const float> query, std::size_t count);

}  // namespace moa
