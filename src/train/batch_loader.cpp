#include "train/batch_loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace moa::train {
namespace {

// Pairs that may be ready before they are asked for: enough that a slow one holds nobody up.
constexpr std::size_t kAheadPerWorker = 16;

// What became of one ticket.
struct Outcome {
  Sample sample = {};
  std::optional<Error> error = {};       // the pair is bad
  std::exception_ptr failure = nullptr;  // something else went wrong
  bool ends_epoch = false;
};

}  // namespace

struct BatchLoader::State {
  const PairSource& source;
  Prepare prepare;
  BatchLoaderOptions options;
  DataPosition position;
  bool gave_batch;  // in this epoch

  std::mutex mutex;
  std::condition_variable room;   // for workers: there is a ticket to take
  std::condition_variable ready;  // for the caller: an outcome has come
  // Guarded by the mutex. Tickets are handed out in the order of the data.
  std::unique_ptr<PairStream> stream;
  DataPosition reading;  // of the stream
  std::uint64_t next_ticket = 0;
  std::uint64_t wanted = 0;
  std::map<std::uint64_t, Outcome> outcomes;
  bool stopped = false;
  std::vector<std::thread> workers;

  State(const PairSource& from, Prepare how, BatchLoaderOptions with, const DataPosition& at)
      : source(from),
        prepare(std::move(how)),
        options(std::move(with)),
        position(at),
        gave_batch(at.taken > 0),
        reading(at) {}

  // The pair of a ticket, or what it is instead of one. With the mutex held.
  std::optional<RawPair> take(Outcome& outcome) {
    try {
      if (!stream) {
        stream = source.epoch(options.seed, reading.epoch);
        stream->skip(reading.taken);
      }
      std::optional<RawPair> pair = stream->next();
      if (pair) return pair;
      outcome.ends_epoch = true;
      stream.reset();
    } catch (const Error& error) {
      outcome.error = error;
    } catch (...) {
      outcome.failure = std::current_exception();
    }
    return std::nullopt;
  }

  void work() {
    const auto ahead = static_cast<std::size_t>(options.workers) * kAheadPerWorker;
    std::unique_lock lock(mutex);
    while (true) {
      room.wait(lock, [&] { return stopped || next_ticket < wanted + ahead; });
      if (stopped) return;
      const std::uint64_t ticket = next_ticket++;
      const DataPosition at = reading;
      Outcome outcome;
      std::optional<RawPair> pair = take(outcome);
      reading =
          outcome.ends_epoch ? DataPosition{at.epoch + 1, 0, 0} : DataPosition{at.epoch, at.taken + 1, 0};
      if (pair) {
        lock.unlock();
        try {
          Random random({options.seed, at.epoch, at.taken});
          outcome.sample = prepare(std::move(*pair), random);
        } catch (const Error& error) {
          outcome.error = error;
        } catch (...) {
          outcome.failure = std::current_exception();
        }
        lock.lock();
      }
      outcomes.emplace(ticket, std::move(outcome));
      ready.notify_one();
    }
  }

  Outcome next_outcome() {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return outcomes.contains(wanted); });
    auto found = outcomes.extract(wanted++);
    room.notify_one();
    return std::move(found.mapped());
  }
};

BatchLoader::BatchLoader(const PairSource& source, Prepare prepare, const BatchLoaderOptions& options,
                         const DataPosition& from)
    : state_(std::make_unique<State>(source, std::move(prepare), options, from)) {
  if (options.batch < 1 || options.workers < 1) {
    throw Error(ErrorCode::invalid_argument, "cannot load batches of " + std::to_string(options.batch) +
                                                 " by " + std::to_string(options.workers) +
                                                 " workers, expected at least one");
  }
  for (int i = 0; i < options.workers; ++i) {
    state_->workers.emplace_back([state = state_.get()] { state->work(); });
  }
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->room.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

std::vector<Sample> BatchLoader::next() {
  State& state = *state_;
  std::vector<Sample> batch;
  while (batch.size() < state.options.batch) {
    Outcome outcome = state.next_outcome();
    if (outcome.failure) std::rethrow_exception(outcome.failure);
    if (outcome.ends_epoch) {
      if (!state.gave_batch) {
        throw Error(ErrorCode::invalid_argument, "cannot train: found " + std::to_string(batch.size()) +
                                                     " sound pairs, expected at least a batch of " +
                                                     std::to_string(state.options.batch));
      }
      batch.clear();
      state.gave_batch = false;
      ++state.position.epoch;
      state.position.taken = 0;
      continue;
    }
    ++state.position.taken;
    if (!outcome.error) {
      batch.push_back(std::move(outcome.sample));
      continue;
    }
    if (state.options.stops_at_bad_pairs) throw *outcome.error;
    ++state.position.skipped;
    if (state.options.on_skipped) state.options.on_skipped(*outcome.error);
  }
  state.gave_batch = true;
  return batch;
}

const DataPosition& BatchLoader::position() const {
  return state_->position;
}

}  // namespace moa::train
