#include "checkpoint/safetensors.hpp"

#include <cstdint>
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
  void drop_pages() const override { moa::drop_pages(bytes_); }

 private:
  const std::byte* at(std::int64_t element) const {
    return bytes_.data() + static_cast<std::size_t>(element) * element_bytes(dtype_);
  }

  MappedFile file_;  // keeps the bytes mapped
  DType dtype_;
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

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  MappedFile file = MappedFile::open(path);
  std::vector<StoredTensor> tensors = parse_safetensors(file.bytes(), "'" + path.string() + "'");
  return {std::move(file), std::move(tensors)};
}

Parameter SafetensorsFile::parameter(const StoredTensor& tensor, std::string name) const {
  if (!tensor.dtype) {
    throw Error(ErrorCode::unsupported, "cannot load '" + tensor.name + "' from '" + path().string() +
                                            "': found dtype " + std::string(tensor.stored_type) +
                                            ", expected F32, F16 or BF16");
  }
  return {std::move(name), tensor.shape, *tensor.dtype,
          std::make_shared<MappedTensor>(file_, *tensor.dtype, tensor.bytes)};
}

Parameter SafetensorsFile::q4_parameter(std::string name, const SafetensorsFile& blocks_file,
                                        const StoredTensor& blocks, const SafetensorsFile& scales_file,
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

}  // namespace moa
