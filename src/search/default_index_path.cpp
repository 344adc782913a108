// Where folders' own indexes lie.
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <moa/collection.hpp>
#include <moa/error.hpp>

#include "base/hash.hpp"

namespace moa {
namespace {

constexpr std::size_t kReadableBytes = 40;
constexpr std::size_t kHashDigits = 16;

// $XDG_DATA_HOME, which counts only if absolute (XDG Base Directory Specification), or ~/.local/share.
std::filesystem::path data_home() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && data[0] == '/') return data;
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] == '\0') {
    const passwd* user = ::getpwuid(::getuid());
    home = user != nullptr ? user->pw_dir : nullptr;
  }
  if (home == nullptr || home[0] == '\0') {
    throw Error(ErrorCode::not_found,
                "cannot tell where indexes are kept: XDG_DATA_HOME and HOME are not set");
  }
  return std::filesystem::path(home) / ".local" / "share";
}

// Enough of a folder's name to recognise it in a listing; the hash behind it makes it unique.
std::string readable(const std::filesystem::path& place) {
  std::string result;
  for (const char c : place.filename().string()) {
    if (result.size() == kReadableBytes) break;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || c == '_') {
      result += c;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  if (result.empty() || result.back() != '-') result += '-';
  return result == "-" ? "folder-" : result;
}

}  // namespace

std::filesystem::path default_index_path(const std::filesystem::path& place,
                                         std::string_view model_identity) {
  std::error_code error;
  std::filesystem::path canonical = std::filesystem::weakly_canonical(place, error);
  if (error) canonical = std::filesystem::absolute(place);
  if (!canonical.has_filename()) canonical = canonical.parent_path();
  ContentHash hash;
  hash.update(canonical.string());
  hash.update(std::string_view("\0", 1));
  hash.update(model_identity);
  return data_home() / "moa" / "indexes" /
         (readable(canonical) + hash.hex().substr(0, kHashDigits) + ".sqlite");
}

}  // namespace moa
