#include "cli/json_text.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/utf8.hpp"

namespace moa::cli {

std::string json(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char byte : replace_ill_formed(text)) {
    switch (byte) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\t':
        quoted += "\\t";
        break;
      default:
        if (static_cast<std::uint8_t>(byte) < 0x20 || byte == 0x7F) {
          quoted += "\\u00";
          quoted += kDigits[static_cast<std::uint8_t>(byte) >> 4];
          quoted += kDigits[byte & 15];
        } else {
          quoted += byte;
        }
    }
  }
  return quoted += '"';
}

void append_json(std::string& out, float number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}

void append_json(std::string& out, std::span<const float> numbers) {
  out += '[';
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i != 0) out += ',';
    append_json(out, numbers[i]);
  }
  out += ']';
}

std::string json_path(std::string_view key, std::string_view path) {
  std::string field = json(key) + ":" + json(path);
  if (!is_utf8(path)) field += ",\"path_base64\":" + json(base64(path));
  return field;
}

std::string json_error(std::string_view code, std::string_view message) {
  return "{\"code\":" + json(code) + ",\"message\":" + json(message) + "}";
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const std::size_t taken = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < taken ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= taken ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

}  // namespace moa::cli
