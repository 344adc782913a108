#include "train/event_file.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include <moa/error.hpp>

namespace moa::train {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41, its bits the other way round
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? kPolynomial : 0);
    table[byte] = rest;
  }
  return table;
}

// A CRC of bytes that hold CRCs is a poor one, so TFRecord turns them and adds a number.
std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

// ---- protobuf's wire format

template <typename Number>
void append_fixed(std::string& bytes, Number number) {
  static_assert(std::endian::native == std::endian::little);
  std::array<char, sizeof number> raw{};
  std::memcpy(raw.data(), &number, sizeof number);
  bytes.append(raw.data(), raw.size());
}

void append_varint(std::string& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes.push_back(static_cast<char>((number & 0x7F) | 0x80));
  bytes.push_back(static_cast<char>(number));
}

enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void append_key(std::string& bytes, std::uint32_t field, Wire wire) {
  append_varint(bytes, (field << 3) | static_cast<std::uint32_t>(wire));
}

void append_bytes(std::string& bytes, std::uint32_t field, std::string_view value) {
  append_key(bytes, field, Wire::bytes);
  append_varint(bytes, value.size());
  bytes += value;
}

// An Event: wall_time = 1, step = 2, and one of file_version = 3, summary = 5, session_log = 7.
std::string event(std::int64_t step, std::uint32_t field, std::string_view content) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string bytes;
  append_key(bytes, 1, Wire::fixed64);
  append_fixed(bytes, now.count());
  if (step != 0) {  // its default is not written
    append_key(bytes, 2, Wire::varint);
    append_varint(bytes, static_cast<std::uint64_t>(step));
  }
  append_bytes(bytes, field, content);
  return bytes;
}

// TensorBoard reads a folder's files in the order of their names.
fs::path new_path(const fs::path& folder) {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  char stem[64];
  std::snprintf(stem, sizeof stem, "events.out.tfevents.%010lld.moa", static_cast<long long>(now.count()));
  fs::path path = folder / stem;
  std::error_code failed;
  for (int again = 1; fs::exists(path, failed); ++again)
    path = folder / (std::string(stem) + "." + std::to_string(again));
  return path;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const fs::path& folder, std::int64_t step)
    : path_(new_path(folder)), file_(path_, std::ios::binary) {
  write(event(0, 3, "brain.Event:2"));
  if (step == 0) return;
  // SessionLog: status = 1, START = 1. Events of this step and later are dropped by readers.
  std::string start;
  append_key(start, 1, Wire::varint);
  append_varint(start, 1);
  write(event(step + 1, 7, start));
}

void EventFile::add(std::int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;  // Summary.Value: tag = 1, simple_value = 2
    append_bytes(value, 1, scalar.tag);
    append_key(value, 2, Wire::fixed32);
    append_fixed(value, static_cast<float>(scalar.value));
    append_bytes(summary, 1, value);
  }
  write(event(step, 5, summary));
}

void EventFile::write(const std::string& event) {
  std::string length;
  append_fixed(length, std::uint64_t{event.size()});
  std::string record = length;
  append_fixed(record, masked_crc(length));
  record += event;
  append_fixed(record, masked_crc(event));
  file_ << record;
  file_.flush();
  if (!file_) throw Error(ErrorCode::io_error, "cannot write '" + path_.string() + "'");
}

}  // namespace moa::train
