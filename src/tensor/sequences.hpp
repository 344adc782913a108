// Which rows belong to which item of a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace moa {

// Items lie back to back; item i owns rows [begin(i), end(i)). Immutable and cheap to copy. Made by whoever
// builds a batch, read by interpreters, never seen by a model.
class Sequences {
 public:
  Sequences() : Sequences(std::vector<std::int64_t>{}) {}
  // One length an item. Error: invalid_argument if one is below 1.
  explicit Sequences(std::span<const std::int64_t> lengths);
  explicit Sequences(const std::vector<std::int64_t>& lengths)
      : Sequences(std::span<const std::int64_t>(lengths)) {}
  static Sequences uniform(std::int64_t items, std::int64_t length);

  std::int64_t items() const noexcept { return static_cast<std::int64_t>(offsets_->size()) - 1; }
  std::int64_t rows() const noexcept { return offsets_->back(); }
  std::int64_t begin(std::int64_t item) const { return (*offsets_)[static_cast<std::size_t>(item)]; }
  std::int64_t end(std::int64_t item) const { return (*offsets_)[static_cast<std::size_t>(item) + 1]; }
  std::int64_t length(std::int64_t item) const { return end(item) - begin(item); }
  // The most rows of any item; 0 without items.
  std::int64_t longest() const;
  bool operator==(const Sequences& other) const {
    return offsets_ == other.offsets_ || *offsets_ == *other.offsets_;
  }

 private:
  std::shared_ptr<const std::vector<std::int64_t>> offsets_;  // items + 1, from 0
};

}  // namespace moa
