#include "base/gunzip.hpp"

#include <zlib.h>

#include <array>
#include <limits>
#include <span>

#include <moa/error.hpp>

namespace moa {
namespace {

// An inflating stream, ended with its scope.
class Inflater {
 public:
  explicit Inflater(std::string_view packed) {
    constexpr int kGzipWindow = 16 + MAX_WBITS;  // 16: with a gzip header and checksum
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    is_ready_ = inflateInit2(&stream_, kGzipWindow) == Z_OK;
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool is_ready() const { return is_ready_; }
  // Fills `out` as far as it can; gives zlib's status.
  int fill(std::span<char> out, std::size_t& filled) {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    filled = out.size() - stream_.avail_out;
    return status;
  }

 private:
  z_stream stream_ = {};
  bool is_ready_ = false;
};

}  // namespace

std::string gunzip(std::string_view packed, std::uint64_t max_bytes, const std::string& where) {
  const auto corrupt = [&] {
    return Error(ErrorCode::corrupt_data, "cannot unpack " + where + ": not whole gzip");
  };
  if (packed.size() > std::numeric_limits<uInt>::max()) {
    throw Error(ErrorCode::limit_exceeded, "cannot unpack " + where + ": it has more than 4 GiB");
  }
  Inflater inflater(packed);
  if (!inflater.is_ready()) throw Error(ErrorCode::limit_exceeded, "cannot unpack " + where + ": no memory");
  std::string content;
  std::array<char, 1 << 16> piece;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    std::size_t filled = 0;
    status = inflater.fill(piece, filled);
    if ((status != Z_OK && status != Z_STREAM_END) || (status == Z_OK && filled == 0)) throw corrupt();
    if (filled > max_bytes - content.size()) {
      throw Error(ErrorCode::limit_exceeded,
                  "cannot unpack " + where + ": it holds more than " + std::to_string(max_bytes) + " bytes");
    }
    content.append(piece.data(), filled);
  }
  return content;
}

}  // namespace moa
