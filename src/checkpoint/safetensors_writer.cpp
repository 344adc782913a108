#include "checkpoint/safetensors_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "checkpoint/widen.hpp"

namespace moa {
namespace {

std::string_view type_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
    case DType::f64:
      return "F64";
    case DType::i64:
      return "I64";
    case DType::i32:
      return "I32";
    case DType::u8:
      return "U8";
    case DType::i8:
      return "I8";
    case DType::q4:
      break;
  }
  throw Error(ErrorCode::internal,
              "cannot write safetensors: " + std::string(name(dtype)) + " is no type of the format");
}

std::uint64_t bytes_of(const TensorToWrite& tensor) {
  return static_cast<std::uint64_t>(tensor.shape.elements()) * element_bytes(tensor.dtype);
}

// The file being written, through a buffer.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path)
      : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail();
    buffer_.reserve(kBuffer);
  }
  ~Writer() {
    if (fd_ >= 0) ::close(fd_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > kBuffer) flush();
    if (bytes.size() >= kBuffer) {
      send(bytes);
    } else {
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    }
  }
  void finish() {
    flush();
    if (::fsync(fd_) != 0) fail();
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20;

  void flush() {
    send(buffer_);
    buffer_.clear();
  }
  void send(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::io_error, "cannot write '" + path_.string() + "': " + std::strerror(errno));
  }

  std::filesystem::path path_;
  int fd_;
  std::vector<std::byte> buffer_;
};

// The length of the header, little-endian, and the header, filled up with spaces so that elements of any size
// are aligned behind it.
std::string header_of(const std::vector<TensorToWrite>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  // transformers takes no file that does not say whose tensors it holds.
  nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
  for (const auto& [key, text] : metadata) header["__metadata__"][key] = text;
  std::uint64_t end = 0;
  for (const TensorToWrite& tensor : tensors) {
    std::vector<std::int64_t> shape;
    for (std::size_t axis = 0; axis < tensor.shape.rank(); ++axis) shape.push_back(tensor.shape[axis]);
    const std::uint64_t begin = end;
    end += bytes_of(tensor);
    header[tensor.name] = {
        {"dtype", type_name(tensor.dtype)}, {"shape", shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 63) / 64 * 64 + 56, ' ');  // 8 bytes of length stand before it
  std::string length(8, '\0');
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return length + text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata, CancelFlag cancelled) {
  std::ranges::sort(tensors, [](const TensorToWrite& a, const TensorToWrite& b) {
    const std::size_t a_size = element_bytes(a.dtype);
    const std::size_t b_size = element_bytes(b.dtype);
    return a_size != b_size ? a_size > b_size : a.name < b.name;
  });
  Writer writer(path);
  writer.write(as_bytes(header_of(tensors, metadata)));
  for (const TensorToWrite& tensor : tensors) {
    stop_if_raised(cancelled);
    std::uint64_t written = 0;
    tensor.content([&](std::span<const std::byte> bytes) {
      written += bytes.size();
      writer.write(bytes);
    });
    if (written != bytes_of(tensor)) {
      throw Error(ErrorCode::internal, "cannot write '" + tensor.name + "': found " +
                                           std::to_string(written) + " bytes, expected " +
                                           std::to_string(bytes_of(tensor)));
    }
  }
  writer.finish();
}

std::vector<TensorToWrite> as_stored(const Parameter& tensor) {
  std::vector<TensorToWrite> out;
  for (const StoredPiece& piece : tensor.pieces()) {
    Shape shape = tensor.shape();
    if (!piece.suffix.empty()) {
      const auto elements = static_cast<std::int64_t>(piece.bytes.size() / element_bytes(piece.dtype));
      shape = Shape{tensor.shape()[0], elements / tensor.shape()[0]};
    }
    // The parameter keeps the bytes mapped.
    out.push_back({tensor.name() + std::string(piece.suffix), piece.dtype, std::move(shape),
                   [tensor, bytes = piece.bytes](const ByteSink& write) { write(bytes); }});
  }
  if (out.empty()) {
    out.push_back({tensor.name(), DType::f32, tensor.shape(), [tensor](const ByteSink& write) {
                     const std::vector<float> values = tensor.read();
                     write(std::as_bytes(std::span(values)));
                   }});
  }
  return out;
}

}  // namespace moa
