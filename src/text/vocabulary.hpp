// Tokens and their ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moa {

// Ids reach 0 ... kMaxTokenId; published vocabularies stay below 300,000.
inline constexpr std::int32_t kMaxTokenId = (1 << 24) - 1;

// A two-way table of tokens, all characters in one block. Built by `add`, then immutable in use.
class Vocabulary {
 public:
  void reserve(std::size_t tokens, std::size_t bytes);

  // If `token` is there already, it gets the new id as well as the old one: the last id wins in `id_of`, as
  // in the reference. Errors: out_of_range if `id` is negative or above kMaxTokenId; corrupt_data if another
  // token has it.
  void add(std::string_view token, std::int64_t id);

  std::optional<std::int32_t> id_of(std::string_view token) const;
  // Empty for an id that names nothing.
  std::string_view token_of(std::int32_t id) const;
  bool contains(std::int32_t id) const;

  std::size_t tokens() const { return tokens_; }       // different ids in use
  std::size_t ids() const { return entries_.size(); }  // one more than the largest id
  std::size_t longest_bytes() const { return longest_; }

  // For looking up every prefix of a text without hashing it anew: start with kHashSeed, extend byte by byte.
  static constexpr std::uint64_t kHashSeed = 0xCBF29CE484222325u;
  static std::uint64_t extend_hash(std::uint64_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;  // FNV-1a
  }
  // `id_of` with the hash of `token` in hand; -1 if it is not there.
  std::int32_t find(std::string_view token, std::uint64_t hash) const;

 private:
  struct Entry {
    std::uint32_t begin = 0;
    std::uint32_t length = kAbsent;
  };
  struct Slot {
    std::uint32_t tag = 0;
    std::int32_t id = -1;
  };
  static constexpr std::uint32_t kAbsent = 0xFFFFFFFF;

  void grow(std::size_t slots);
  void place(std::uint64_t hash, std::int32_t id);

  std::string characters_;
  std::vector<Entry> entries_;  // by id
  std::vector<Slot> slots_;     // open addressing, a power of two
  std::size_t tokens_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace moa
