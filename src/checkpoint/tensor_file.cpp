#include "checkpoint/tensor_file.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include <moa/error.hpp>

#include "checkpoint/q4.hpp"
#include "checkpoint/widen.hpp"

namespace moa {
namespace {

class MappedTensor final : public ParameterSource {
 public:
  MappedTensor(MappedFile file, DType dtype, std::span<const std::byte> bytes)
      : file_(std::move(file)), dtype_(dtype), bytes_(bytes) {}

  void read(std::int64_t first, std::int64_t count, float* out) const override {
    widen(dtype_, at(first), count, out);
  }
  const float* in_place(std::int64_t first, std::int64_t) const override {
    const bool aligned = reinterpret_cast<std::uintptr_t>(bytes_.data()) % alignof(float) == 0;
    return dtype_ == DType::f32 && aligned ? reinterpret_cast<const float*>(at(first)) : nullptr;
  }
  bool read_bf16(std::int64_t first, std::int64_t count, std::uint16_t* out) const override {
    if (dtype_ != DType::bf16) return false;
    std::memcpy(out, at(first), static_cast<std::size_t>(count) * sizeof(std::uint16_t));
    return true;
  }
  std::vector<StoredPiece> pieces() const override { return {{"", dtype_, bytes_}}; }
  void drop_pages() const override { moa::drop_pages(bytes_); }

 private:
  const std::byte* at(std::int64_t element) const {
    return bytes_.data() + static_cast<std::size_t>(element) * element_bytes(dtype_);
  }

  MappedFile file_;  // keeps the bytes mapped
  DType dtype_;
  std::span<const std::byte> bytes_;
};

// Elements that do not follow one another: a matrix saved transposed, a slice of a larger tensor. They are
// put in order piece by piece as they are read.
class StridedTensor final : public ParameterSource {
 public:
  StridedTensor(MappedFile file, const StoredTensor& tensor)
      : file_(std::move(file)),
        dtype_(*tensor.dtype),
        shape_(tensor.shape),
        strides_(tensor.strides),
        bytes_(tensor.bytes) {}

  void read(std::int64_t first, std::int64_t count, float* out) const override {
    constexpr std::int64_t kPiece = 512;
    std::array<std::byte, kPiece * 8> piece;
    const std::size_t size = element_bytes(dtype_);
    for (std::int64_t done = 0; done < count;) {
      const std::int64_t taken = std::min(kPiece, count - done);
      for (std::int64_t i = 0; i < taken; ++i) {
        const auto place = static_cast<std::size_t>(place_of(first + done + i));
        std::memcpy(piece.data() + static_cast<std::size_t>(i) * size, bytes_.data() + place * size, size);
      }
      widen(dtype_, piece.data(), taken, out + done);
      done += taken;
    }
  }
  void drop_pages() const override { moa::drop_pages(bytes_); }

 private:
  // Where the element is that comes at `index` in row-major order.
  std::int64_t place_of(std::int64_t index) const {
    std::int64_t place = 0;
    for (std::size_t axis = strides_.size(); axis-- > 0;) {
      place += index % shape_[axis] * strides_[axis];
      index /= shape_[axis];
    }
    return place;
  }

  MappedFile file_;  // keeps the bytes mapped
  DType dtype_;
  Shape shape_;
  std::vector<std::int64_t> strides_;
  std::span<const std::byte> bytes_;
};

class MappedQ4 final : public ParameterSource {
 public:
  MappedQ4(MappedFile blocks_file, std::span<const std::byte> blocks, MappedFile scales_file,
           std::span<const std::byte> scales)
      : blocks_file_(std::move(blocks_file)),
        scales_file_(std::move(scales_file)),
        blocks_(blocks),
        scales_(scales) {}

  void read(std::int64_t first, std::int64_t count, float* out) const override {
    widen_q4(blocks_, scales_, first, count, out);
  }
  std::vector<StoredPiece> pieces() const override {
    return {{".q4", DType::u8, blocks_}, {".scale", DType::f16, scales_}};
  }
  void drop_pages() const override {
    moa::drop_pages(blocks_);
    moa::drop_pages(scales_);
  }

 private:
  MappedFile blocks_file_;
  MappedFile scales_file_;
  std::span<const std::byte> blocks_;
  std::span<const std::byte> scales_;
};

// Integers and a scale for each row of `width` of them.
class MappedInt8 final : public ParameterSource {
 public:
  MappedInt8(MappedFile values_file, std::span<const std::byte> values, std::int64_t width,
             MappedFile scales_file, std::span<const std::byte> scales)
      : values_file_(std::move(values_file)),
        scales_file_(std::move(scales_file)),
        values_(values),
        scales_(scales),
        width_(width) {}

  void read(std::int64_t first, std::int64_t count, float* out) const override {
    widen(DType::i8, values_.data() + first, count, out);
    for (std::int64_t i = 0; i < count;) {
      const std::int64_t row = (first + i) / width_;
      const std::int64_t end = std::min(count, (row + 1) * width_ - first);
      for (const float by = scale(row); i < end; ++i) out[i] *= by;
    }
  }
  bool read_int8(std::int64_t first, std::int64_t count, std::int64_t width, std::int8_t* out,
                 float* scales) const override {
    if (width != width_) return false;  // seen in another shape
    std::memcpy(out, values_.data() + first, static_cast<std::size_t>(count));
    for (std::int64_t row = 0; row < count / width; ++row) scales[row] = scale(first / width + row);
    return true;
  }
  void drop_pages() const override {
    moa::drop_pages(values_);
    moa::drop_pages(scales_);
  }

 private:
  float scale(std::int64_t row) const {
    float value = 0;
    std::memcpy(&value, scales_.data() + static_cast<std::size_t>(row) * sizeof(float), sizeof value);
    return value;
  }

  MappedFile values_file_;
  MappedFile scales_file_;
  std::span<const std::byte> values_;
  std::span<const std::byte> scales_;
  std::int64_t width_;
};

}  // namespace

Parameter TensorFile::parameter(const StoredTensor& tensor, std::string name) const {
  if (!tensor.dtype) {
    throw Error(ErrorCode::unsupported, "cannot load '" + tensor.name + "' from '" + path().string() +
                                            "': found dtype " + std::string(tensor.stored_type) +
                                            ", expected f32, f16 or bf16");
  }
  std::shared_ptr<const ParameterSource> source;
  if (tensor.strides.empty()) {
    source = std::make_shared<MappedTensor>(file_, *tensor.dtype, tensor.bytes);
  } else {
    source = std::make_shared<StridedTensor>(file_, tensor);
  }
  return {std::move(name), tensor.shape, *tensor.dtype, std::move(source)};
}

Parameter TensorFile::q4_parameter(std::string name, const TensorFile& blocks_file,
                                   const StoredTensor& blocks, const TensorFile& scales_file,
                                   const StoredTensor& scales) {
  // Extents are bounded by the bytes behind them (parse_safetensors) except where one is 0.
  const bool matches =
      blocks.stored_type == "U8" && scales.stored_type == "F16" && blocks.shape.rank() == 2 &&
      scales.shape.rank() == 2 && blocks.shape[0] == scales.shape[0] && blocks.shape.elements() > 0 &&
      blocks.shape[1] % kQ4BlockBytes == 0 && blocks.shape[1] / kQ4BlockBytes == scales.shape[1];
  if (!matches) {
    throw Error(ErrorCode::corrupt_data,
                "cannot load '" + name + "' from '" + blocks_file.path().string() + "': found " +
                    std::string(blocks.stored_type) + " " + to_string(blocks.shape) + " with scales " +
                    std::string(scales.stored_type) + " " + to_string(scales.shape) +
                    ", expected U8 [rows, columns / 2] and F16 [rows, columns / 32]");
  }
  return {std::move(name), Shape{blocks.shape[0], blocks.shape[1] * 2}, DType::q4,
          std::make_shared<MappedQ4>(blocks_file.file_, blocks.bytes, scales_file.file_, scales.bytes)};
}

Parameter TensorFile::int8_parameter(std::string name, const TensorFile& values_file,
                                     const StoredTensor& values, const TensorFile& scales_file,
                                     const StoredTensor& scales) {
  const bool matches = values.stored_type == "I8" && scales.stored_type == "F32" &&
                       values.shape.rank() >= 1 && values.shape.elements() > 0 &&
                       scales.shape == Shape{values.shape[0]};
  if (!matches) {
    throw Error(ErrorCode::corrupt_data, "cannot load '" + name + "' from '" + values_file.path().string() +
                                             "': found " + std::string(values.stored_type) + " " +
                                             to_string(values.shape) + " with scales " +
                                             std::string(scales.stored_type) + " " + to_string(scales.shape) +
                                             ", expected I8 [rows, ...] and F32 [rows]");
  }
  return {std::move(name), values.shape, DType::i8,
          std::make_shared<MappedInt8>(values_file.file_, values.bytes, values.shape.elements_per_row(),
                                       scales_file.file_, scales.bytes)};
}

}  // namespace moa
