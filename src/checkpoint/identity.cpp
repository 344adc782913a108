#include "checkpoint/identity.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <system_error>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "checkpoint/model_search.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRememberedFromBytes = 1u << 20;  // what is smaller is read as fast as its record
constexpr std::size_t kHashDigits = 32;

struct FileState {
  std::uint64_t device;
  std::uint64_t inode;
  std::uint64_t size_bytes;
  std::int64_t modified_s;
  std::int64_t modified_ns;
  bool operator==(const FileState&) const = default;

  // Several writes within one tick of the file system's clock leave the same time behind, so a file that was
  // written just now may still change unseen.
  bool is_settled() const {
    constexpr std::int64_t kSettlingSeconds = 2;
    return static_cast<std::int64_t>(std::time(nullptr)) - modified_s >= kSettlingSeconds;
  }
  std::string key() const { return std::to_string(device) + "-" + std::to_string(inode); }
  std::string stamp() const {
    return std::to_string(size_bytes) + " " + std::to_string(modified_s) + "." + std::to_string(modified_ns) +
           " ";
  }
};

FileState state_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw Error(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io_error,
                "cannot look at '" + file.string() + "': " + std::strerror(errno));
  }
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(status.st_size), static_cast<std::int64_t>(status.st_mtim.tv_sec),
          static_cast<std::int64_t>(status.st_mtim.tv_nsec)};
}

// The hash in a record whose stamp is that of `state`: "SIZE SECONDS.NANOSECONDS HASH".
std::optional<std::string> recall(const fs::path& record, const FileState& state) {
  constexpr std::uint64_t kMaxRecordBytes = 256;
  try {
    const std::string text = read_file(record, kMaxRecordBytes);
    const std::string stamp = state.stamp();
    if (!text.starts_with(stamp)) return std::nullopt;
    std::string hash = text.substr(stamp.size());
    const bool is_hash =
        hash.size() == kHashDigits && hash.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_hash ? std::optional(std::move(hash)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void remember(const fs::path& record, const FileState& state, const std::string& hash) {
  std::error_code ignored;
  fs::create_directories(record.parent_path(), ignored);
  try {
    write_file_atomically(record, state.stamp() + hash);
  } catch (const Error&) {  // a read-only or full home: the next run hashes again
  }
}

// Piece by piece, so that a file of gigabytes never counts as resident memory.
std::string hash_of_content(const fs::path& file) {
  constexpr std::size_t kPieceBytes = 16u << 20;
  const MappedFile mapped = MappedFile::open(file);
  ContentHash hash;
  for (std::span<const std::byte> rest = mapped.bytes(); !rest.empty();) {
    const std::span<const std::byte> piece = rest.first(std::min(kPieceBytes, rest.size()));
    hash.update(piece);
    drop_pages(piece);
    rest = rest.subspan(piece.size());
  }
  return hash.hex();
}

}  // namespace

std::string remembered_content_hash(const fs::path& file, const fs::path& cache) {
  const FileState state = state_of(file);
  const bool worth_it = state.size_bytes >= kRememberedFromBytes && !cache.empty();
  const fs::path record = cache / "hashes" / state.key();
  if (worth_it) {
    if (std::optional<std::string> hash = recall(record, state)) return *hash;
  }
  std::string hash = hash_of_content(file);
  if (worth_it && state.is_settled() && state_of(file) == state) remember(record, state, hash);
  return hash;
}

std::string model_identity(const ModelDirectory& model, std::string_view salt, const fs::path& cache) {
  ContentHash identity;
  const auto add = [&](std::string_view text) {  // with its length, so that no two lists read the same
    identity.update(std::to_string(text.size()) + ":");
    identity.update(text);
  };
  add("moa model identity 1");
  add(salt);
  for (const fs::path& file : model.identity_files()) {
    add(model.label(file));
    add(remembered_content_hash(file, cache));
  }
  return identity.hex();
}

std::string model_identity(const ModelDirectory& model, std::string_view salt) {
  return model_identity(model, salt, moa_cache_directory(process_environment()));
}

}  // namespace moa
