// An interpreter of Ops, from the outside: how inputs get in and results get out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tensor/ops.hpp"
#include "tensor/sequences.hpp"

namespace moa {

// How many patches a picture is cut into, down and across.
struct PatchGrid {
  std::int64_t height = 0;
  std::int64_t width = 0;

  std::int64_t patches() const { return height * width; }
  bool operator==(const PatchGrid&) const = default;
};

// One forward pass at a time; not thread-safe. Handles must not outlive the interpreter that made them.
class Interpreter : public Ops {
 public:
  // From here on ids below 0 are looked up in `vectors` [count, width] instead of a table of embeddings: -1
  // is its row 0, -2 its row 1. So learned vectors stand in a text between its tokens.
  void set_prompt_vectors(Parameter vectors) { prompt_vectors_ = std::move(vectors); }

  // `ids` holds sequences.rows() ids; `types` as many token types, or none (all 0). Copied.
  virtual Tokens tokens(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                        const Sequences& sequences) = 0;
  // `values` holds batch * channels * height_px * width_px numbers, [batch, channels, height_px, width_px].
  // Copied.
  virtual Tensor pixels(std::span<const float> values, std::int64_t batch, std::int64_t channels,
                        std::int64_t height_px, std::int64_t width_px) = 0;
  // `values` holds `width` numbers for each patch, the patches of a picture in reading order, one picture of
  // `grids` behind the other. Copied. Error: invalid_argument if a grid is empty.
  virtual Patches patches(std::span<const float> values, std::int64_t width,
                          std::span<const PatchGrid> grids) = 0;
  // The numbers behind `x`, row by row.
  virtual std::vector<float> read(const Rows& x) = 0;

 protected:
  // Their row for `id`, if it is one's. Error: shape_mismatch if they are not as wide as `table`.
  std::optional<std::int64_t> prompt_row(std::int32_t id, const Parameter& table) const;
  const Parameter& prompt_vectors() const noexcept { return prompt_vectors_; }

 private:
  Parameter prompt_vectors_;
};

}  // namespace moa
