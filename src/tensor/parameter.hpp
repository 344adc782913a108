// A model's weight, as the checkpoint stores it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.hpp"

namespace moa {

// How a checkpoint stores the elements of a tensor.
enum class DType { f32, f16, bf16, f64, i64, i32, u8, q4, i8 };
std::string_view name(DType dtype) noexcept;

// Bytes that a checkpoint file holds of a tensor, as a file that is made of it would hold them again.
struct StoredPiece {
  std::string_view
      suffix;  // of the tensor's name: "" where it is stored whole, ".q4" and ".scale" where in blocks
  DType dtype = DType::f32;
  std::span<const std::byte> bytes;  // row-major, the tensor's rows one after the other
};

// Where a parameter's elements come from: a mapped file, a buffer, 4-bit blocks. Immutable; called from any
// thread.
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;
  // Writes elements [first, first + count) of the row-major tensor to `out` as f32.
  virtual void read(std::int64_t first, std::int64_t count, float* out) const = 0;
  // The elements [first, first + count) in place, if they are stored as f32; nullptr otherwise.
  virtual const float* in_place(std::int64_t first, std::int64_t count) const;
  // Elements that are whole rows of `width`, if that is how they are stored; otherwise false and nothing is
  // written. bf16: its bits. int8: integers, and a scale for each row that they are multiplied with.
  virtual bool read_bf16(std::int64_t first, std::int64_t count, std::uint16_t* out) const;
  virtual bool read_int8(std::int64_t first, std::int64_t count, std::int64_t width, std::int8_t* out,
                         float* scales) const;
  // The tensor as its file holds it; empty if it is not in one, or not in one piece each.
  virtual std::vector<StoredPiece> pieces() const { return {}; }
  // The elements will not be read again soon: their memory may go.
  virtual void drop_pages() const {}
};

struct ParameterView;

// A named, immutable tensor. Copies are cheap and share it. An interpreter prepares its own form (packed,
// converted, a graph initializer) once per `identity()`, and then may drop the pages of the original.
class Parameter {
 public:
  // No tensor: what a linear layer without a bias has.
  Parameter() = default;
  Parameter(std::string name, Shape shape, DType dtype, std::shared_ptr<const ParameterSource> source);
  // Holds a copy of `values`. Error: shape_mismatch if their number is not the shape's.
  static Parameter from_values(std::string name, Shape shape, std::vector<float> values);
  // Several parameters one below the other along the first axis, e.g. the q, k and v projections as one. The
  // others axes must agree (shape_mismatch). `parts()` gives them back, for interpreters that need the
  // checkpoint's own tensors.
  static Parameter stacked(std::vector<Parameter> parts);
  // f32, computed by `source` as `view` says, with the name of what it comes from in the first place.
  static Parameter computed(std::string name, Shape shape, std::shared_ptr<const ParameterSource> source,
                            ParameterView view);

  explicit operator bool() const noexcept { return data_ != nullptr; }
  // Whether parts() are others: of a stack, of a product (factored.hpp).
  bool has_parts() const noexcept;
  const std::string& name() const;  // verbatim, as in the checkpoint
  const Shape& shape() const;
  DType dtype() const;
  const void* identity() const noexcept { return data_.get(); }
  // What was stacked; just this parameter if nothing was.
  std::vector<Parameter> parts() const;
  // What this is a view of; nullptr if it is a tensor of its own.
  const ParameterView* view() const noexcept;

  // Rows [first, first + count) of the first axis as f32, row-major. Error: out_of_range.
  void read_rows(std::int64_t first, std::int64_t count, float* out) const;
  const float* rows_in_place(std::int64_t first, std::int64_t count) const;
  std::vector<float> read() const;
  // As ParameterSource has them, in rows of the first axis.
  bool read_rows_bf16(std::int64_t first, std::int64_t count, std::uint16_t* out) const;
  bool read_rows_int8(std::int64_t first, std::int64_t count, std::int8_t* out, float* scales) const;
  std::vector<StoredPiece> pieces() const;
  void drop_pages() const;

  // Views. `rows`: part of the first axis, named like the whole with "[begin:end]". `reshaped`: the same
  // elements. `renamed`: the same tensor, called otherwise; to view() a tensor of its own. `transposed`: of a
  // matrix; holds its own copy. Errors: out_of_range, shape_mismatch.
  Parameter rows(std::int64_t begin, std::int64_t end) const;
  Parameter reshaped(Shape shape) const;
  Parameter renamed(std::string name) const;
  Parameter transposed() const;

 private:
  struct Data;
  Parameter seen_as(ParameterView view) const;
  explicit Parameter(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

// A batch norm at inference: (x - mean) / sqrt(variance + eps) * weight + bias, per channel; each [channels].
// Ioffe and Szegedy 2015 (arXiv 1502.03167).
struct BatchNorm {
  Parameter weight;
  Parameter bias;
  Parameter mean;
  Parameter variance;
  double eps = 1e-5;
};

// How a parameter comes from others: for interpreters that learn, and have to reach the checkpoint's own
// tensors.
struct ParameterView {
  enum class Kind {
    rows,
    reshaped,
    transposed,
    normed_weight,  // of a convolution's weight, with `norm` behind it: each output channel times its factor
    normed_bias,    // of its bias, or of none: what it and the norm's own add to a channel
  };
  Parameter of;
  Kind kind = Kind::rows;
  std::int64_t begin = 0;  // of rows
  std::optional<BatchNorm> norm{};
};

// The checkpoint's own tensors that `parameter` is made of and that may be learned: itself, what was stacked,
// what it is a view of. Of a norm weight and bias, not its statistics.
std::vector<Parameter> origins_of(const Parameter& parameter);

}  // namespace moa
