// JSON as it is written here: built by appending, so that a line of a million numbers costs no document.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace moa::cli {

// A quoted string; what is not UTF-8 becomes U+FFFD.
std::string json(std::string_view text);
// The shortest digits that read back as the same float; null if it is not finite.
void append_json(std::string& out, float number);
// [1,0.5,…]
void append_json(std::string& out, std::span<const float> numbers);

// "KEY":"PATH", and if the path is not UTF-8, "path_base64" with its very bytes.
std::string json_path(std::string_view key, std::string_view path);

// {"code":…,"message":…}
std::string json_error(std::string_view code, std::string_view message);

// RFC 4648, with padding.
std::string base64(std::string_view bytes);

}  // namespace moa::cli
