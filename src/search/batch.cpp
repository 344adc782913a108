#include "search/batch.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace moa::search {
namespace {

// Of files to embed, and of files in all. A batch is what a kill may lose; each costs a few syncs of the
// disk.
constexpr std::size_t kMaxWaiting = 256;
constexpr std::size_t kMaxChanges = 4096;
constexpr std::size_t kMaxMessageBytes = 4096;

std::shared_ptr<const Failure> failure_of(const Error& error) {
  return std::make_shared<Failure>(
      Failure{std::string(name(error.code())), std::string(error.what()).substr(0, kMaxMessageBytes)});
}

FileStamp stamp_of(const Examined& examined) {
  FileStamp stamp = examined.stamp;
  if (!examined.settled) stamp.ctime_ns = 0;
  return stamp;
}

}  // namespace

Batch::Batch(Writer& writer, const Target& target, const Plan& plan, const Embedder& embedder,
             UpdateReport& report)
    : writer_(writer), target_(target), plan_(plan), embedder_(embedder), report_(report) {
  if (writer.before() && !plan.candidates.empty()) know_rows(writer.before()->contents);
}

void Batch::know_rows(const Contents& contents) {
  rows_.reserve(contents.items.size());
  for (const Item& item : contents.items) {
    if (item.has_vector() && item.hash) rows_.emplace(*item.hash, item.row);
  }
}

void Batch::add(const Candidate& candidate) {
  Examined examined = examine(candidate.path, candidate.named ? Recognises() : embedder_.recognises);
  Item item;
  item.place = candidate.place;
  item.inside = candidate.inside;
  item.stamp = stamp_of(examined);
  item.hash = examined.hash;
  switch (examined.outcome) {
    case Examined::Outcome::gone:
      if (candidate.previous != nullptr) {
        changes_.removed.push_back(*candidate.previous);
        if (candidate.previous->has_vector()) ++report_.removed;
      }
      return;
    case Examined::Outcome::skipped:
      ++report_.skipped;
      changes_.put.push_back(std::move(item));
      return;
    case Examined::Outcome::failed:
      item.failure = failure_of(*examined.error);
      ++report_.failed;
      ++report_.failed_now;
      changes_.put.push_back(std::move(item));
      return;
    case Examined::Outcome::readable:
      break;
  }

  const Item* previous = candidate.previous;
  const auto stands = [&](const Failure& failure) {
    return !embedder_.tries_again || !embedder_.tries_again(failure);
  };
  if (previous != nullptr && item.hash && previous->hash == item.hash &&
      (previous->has_vector() || (previous->failure && stands(*previous->failure)))) {
    item.row = previous->row;
    item.failure = previous->failure;
    ++(item.has_vector() ? report_.unchanged : report_.failed);
    changes_.put.push_back(std::move(item));
    return;
  }
  const auto known = item.hash ? rows_.find(*item.hash) : rows_.end();
  if (known != rows_.end()) {
    item.row = known->second;
    ++report_.added;
    ++report_.reused;
    changes_.put.push_back(std::move(item));
    return;
  }
  wait_for_vector(candidate, std::move(item), std::move(examined));
}

void Batch::wait_for_vector(const Candidate& candidate, Item item, Examined examined) {
  if (item.hash) {
    const auto [same, is_new] = waiting_by_content_.emplace(*item.hash, waiting_.size());
    if (!is_new) {
      waiting_[same->second].items.push_back(std::move(item));
      return;
    }
  }
  Waiting& file = waiting_.emplace_back();
  file.path = candidate.path;
  file.examined = std::move(examined);
  file.items.push_back(std::move(item));
}

bool Batch::is_full() const {
  return waiting_.size() >= kMaxWaiting || changes_.put.size() >= kMaxChanges;
}

void Batch::finish() {
  if (!waiting_.empty()) {
    std::vector<std::string> paths;
    for (const Waiting& file : waiting_) paths.push_back(file.path);
    try {
      embedder_.embed(paths, [&](std::size_t index, std::vector<float> vector, const Error* error) {
        deliver(waiting_.at(index), std::move(vector), error);
      });
    } catch (...) {
      write();
      throw;
    }
  }
  write();
}

void Batch::deliver(Waiting& file, std::vector<float> vector, const Error* error) {
  if (error != nullptr && error->code() == ErrorCode::cancelled) return;
  const bool sound = vector.size() == static_cast<std::size_t>(target_.dim) &&
                     std::ranges::all_of(vector, [](float value) { return std::isfinite(value); });
  const Error unsound(ErrorCode::internal, "cannot index '" + file.path +
                                               "': the model gave a vector that is not " +
                                               std::to_string(target_.dim) + " finite numbers");
  if (error == nullptr && !sound) error = &unsound;
  const bool still = is_still(file.path, file.examined.stamp);
  std::int64_t row = -1;
  if (error == nullptr) {
    row = static_cast<std::int64_t>(values_.size()) / target_.dim;
    values_.insert(values_.end(), vector.begin(), vector.end());
  }
  for (Item& item : file.items) {
    item.row = row;
    if (!still) {
      // What was embedded is not certain to be what was hashed: keep the vector, and look again next time.
      item.hash.reset();
      item.stamp.ctime_ns = 0;
    }
    if (error == nullptr) {
      ++report_.added;
      embedded_.push_back(std::move(item));
    } else {
      item.failure = failure_of(*error);
      ++report_.failed;
      ++report_.failed_now;
      changes_.put.push_back(std::move(item));
    }
  }
  if (error == nullptr) report_.reused += file.items.size() - 1;
}

void Batch::write() {
  waiting_.clear();
  waiting_by_content_.clear();
  if (!embedded_.empty()) {
    const std::int64_t first_row = writer_.append(values_);
    for (Item& item : embedded_) {
      item.row += first_row;
      if (item.hash) rows_.emplace(*item.hash, item.row);
      changes_.put.push_back(std::move(item));
    }
    values_.clear();
    embedded_.clear();
  }
  if (changes_.put.empty() && changes_.removed.empty()) return;
  if (!places_written_) changes_.places = plan_.places_meanwhile;
  writer_.commit(changes_);
  places_written_ = true;
  changes_ = {};
}

void Batch::remove_absent() {
  const bool places_go = plan_.places_meanwhile.size() != plan_.places.size();
  if (places_written_ && !places_go && plan_.removed.empty()) return;
  changes_.removed = plan_.removed;
  changes_.places = plan_.places;
  writer_.commit(changes_);
  changes_ = {};
}

}  // namespace moa::search
