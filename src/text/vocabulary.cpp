#include "text/vocabulary.hpp"

#include <algorithm>
#include <bit>

#include <moa/error.hpp>

namespace moa {
namespace {

std::uint64_t hash_of(std::string_view token) {
  std::uint64_t hash = Vocabulary::kHashSeed;
  for (const char byte : token) hash = Vocabulary::extend_hash(hash, byte);
  return hash;
}

// FNV's low bits are weak; the slot and the tag come from a stirred hash.
std::uint64_t stir(std::uint64_t hash) {
  hash ^= hash >> 32;
  return hash * 0x9E3779B97F4A7C15u;
}

}  // namespace

void Vocabulary::reserve(std::size_t tokens, std::size_t bytes) {
  characters_.reserve(bytes);
  entries_.reserve(tokens);
  grow(std::bit_ceil(std::max<std::size_t>(16, tokens * 2)));
}

void Vocabulary::grow(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id >= 0) place(hash_of(token_of(slot.id)), slot.id);
  }
}

void Vocabulary::place(std::uint64_t hash, std::int32_t id) {
  const std::uint64_t stirred = stir(hash);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = stirred >> 40 & mask;
  while (slots_[at].id >= 0) at = (at + 1) & mask;
  slots_[at] = {static_cast<std::uint32_t>(stirred), id};
}

void Vocabulary::add(std::string_view token, std::int64_t id) {
  if (id < 0 || id > kMaxTokenId) {
    throw Error(ErrorCode::out_of_range, "cannot give a token the id " + std::to_string(id) +
                                             ": ids go from 0 to " + std::to_string(kMaxTokenId));
  }
  const auto index = static_cast<std::size_t>(id);
  if (contains(static_cast<std::int32_t>(id))) {
    if (token_of(static_cast<std::int32_t>(id)) == token) return;
    throw Error(ErrorCode::corrupt_data,
                "two tokens, '" + std::string(token_of(static_cast<std::int32_t>(id))) + "' and '" +
                    std::string(token) + "', have the id " + std::to_string(id));
  }
  if (characters_.size() + token.size() >= kAbsent) {
    throw Error(ErrorCode::limit_exceeded, "cannot hold a vocabulary of more than 4 GiB");
  }
  if (index >= entries_.size()) entries_.resize(index + 1);
  entries_[index] = {static_cast<std::uint32_t>(characters_.size()),
                     static_cast<std::uint32_t>(token.size())};
  characters_.append(token);
  ++tokens_;
  longest_ = std::max(longest_, token.size());

  if (slots_.size() < tokens_ * 2) grow(std::bit_ceil(std::max<std::size_t>(16, tokens_ * 2)));
  const std::uint64_t hash = hash_of(token);
  const std::uint64_t stirred = stir(hash);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = stirred >> 40 & mask; slots_[at].id >= 0; at = (at + 1) & mask) {
    if (slots_[at].tag == static_cast<std::uint32_t>(stirred) && token_of(slots_[at].id) == token) {
      slots_[at].id = static_cast<std::int32_t>(id);
      return;
    }
  }
  place(hash, static_cast<std::int32_t>(id));
}

std::int32_t Vocabulary::find(std::string_view token, std::uint64_t hash) const {
  if (slots_.empty()) return -1;
  const std::uint64_t stirred = stir(hash);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = stirred >> 40 & mask; slots_[at].id >= 0; at = (at + 1) & mask) {
    if (slots_[at].tag == static_cast<std::uint32_t>(stirred) && token_of(slots_[at].id) == token) {
      return slots_[at].id;
    }
  }
  return -1;
}

std::optional<std::int32_t> Vocabulary::id_of(std::string_view token) const {
  const std::int32_t id = find(token, hash_of(token));
  return id < 0 ? std::nullopt : std::optional(id);
}

std::string_view Vocabulary::token_of(std::int32_t id) const {
  if (!contains(id)) return {};
  const Entry& entry = entries_[static_cast<std::size_t>(id)];
  return std::string_view(characters_).substr(entry.begin, entry.length);
}

bool Vocabulary::contains(std::int32_t id) const {
  return id >= 0 && static_cast<std::size_t>(id) < entries_.size() &&
         entries_[static_cast<std::size_t>(id)].length != kAbsent;
}

}  // namespace moa
