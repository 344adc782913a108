#include "embed/vector_memory.hpp"

namespace moa {

std::size_t VectorMemory::Entry::bytes() const {
  constexpr std::size_t kBookkeepingBytes = 160;  // a list's node, a map's node and bucket, two allocations
  return key.size() + known.vector.size() * sizeof(float) + kBookkeepingBytes;
}

std::optional<KnownVector> VectorMemory::find(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->known;
}

void VectorMemory::insert(std::string_view key, const KnownVector& known) {
  std::list<Entry> made;
  made.push_back({std::string(key), known});
  const std::size_t added_bytes = made.front().bytes();
  const std::lock_guard lock(mutex_);
  if (added_bytes > most_bytes_ || by_key_.contains(key)) return;
  while (bytes_ + added_bytes > most_bytes_) {
    const Entry& oldest = entries_.back();
    bytes_ -= oldest.bytes();
    by_key_.erase(oldest.key);
    entries_.pop_back();
  }
  bytes_ += added_bytes;
  entries_.splice(entries_.begin(), made);
  by_key_.emplace(entries_.front().key, entries_.begin());
}

}  // namespace moa
