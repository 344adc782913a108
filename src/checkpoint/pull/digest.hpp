// pull: the part of moa that downloads; it alone links libcurl and libcrypto, and only the component holds
// it. This header: the hashes by which the hub names contents.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace moa {

// Whether `text` is one: 64 lower-case hexadecimal digits (SHA-256, large files) or 40 (git's SHA-1 of a
// blob, small ones).
bool is_hub_digest(std::string_view text) noexcept;

// Whether the file's content has the digest `expected`, of the kind that its length says. Error: io_error,
// not_found.
bool has_hub_digest(const std::filesystem::path& file, std::string_view expected);

}  // namespace moa
