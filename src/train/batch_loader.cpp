#include "train/batch_loader.hpp"

#include <algorithm>
#include <array>
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
  bool is_own = true;  // not another process's
};

// Some tickets, and what the processes found together.
struct Round {
  std::vector<Outcome> outcomes;
  std::size_t bad = 0;
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
    const auto ahead = static_cast<std::size_t>(options.workers) * kAheadPerWorker * options.parts;
    std::unique_lock lock(mutex);
    while (true) {
      room.wait(lock, [&] { return stopped || next_ticket < wanted + ahead; });
      if (stopped) return;
      const std::uint64_t ticket = next_ticket++;
      const DataPosition at = reading;
      Outcome outcome;
      outcome.is_own = at.taken % options.parts == options.part;
      std::optional<RawPair> pair = take(outcome);
      reading =
          outcome.ends_epoch ? DataPosition{at.epoch + 1, 0, 0} : DataPosition{at.epoch, at.taken + 1, 0};
      if (pair && outcome.is_own) {
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

  // The next `count`, or what is left of the epoch.
  Round next_round(std::size_t count) {
    Round round;
    while (round.outcomes.size() < count && !round.ends_epoch) {
      Outcome outcome = next_outcome();
      if (outcome.failure) std::rethrow_exception(outcome.failure);
      round.ends_epoch = outcome.ends_epoch;
      if (!outcome.ends_epoch) round.outcomes.push_back(std::move(outcome));
    }
    for (const Outcome& outcome : round.outcomes) round.bad += outcome.is_own && outcome.error ? 1 : 0;
    if (options.parts > 1) agree(round);
    return round;
  }

  // Adds up the bad ones of all processes. One that reads other data would wait for the others, forever.
  void agree(Round& round) const {
    const auto size = static_cast<double>(round.outcomes.size());
    std::array<double, 3> sums{static_cast<double>(round.bad), size, size * size};
    options.sum(sums);
    const auto processes = static_cast<double>(options.parts);
    if (sums[1] != size * processes || sums[2] != size * size * processes) {
      throw Error(ErrorCode::corrupt_data,
                  "cannot train: the processes find epochs of different lengths, expected the same data");
    }
    round.bad = static_cast<std::size_t>(sums[0]);
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
  std::size_t sound = 0;  // of all processes
  while (sound < state.options.batch) {
    Round round = state.next_round(state.options.batch - sound);
    for (Outcome& outcome : round.outcomes) {
      if (!outcome.is_own) continue;
      if (!outcome.error) {
        batch.push_back(std::move(outcome.sample));
        continue;
      }
      if (state.options.stops_at_bad_pairs) throw *outcome.error;
      if (state.options.on_skipped) state.options.on_skipped(*outcome.error);
    }
    state.position.taken += round.outcomes.size();
    state.position.skipped += round.bad;
    sound += round.outcomes.size() - round.bad;
    if (!round.ends_epoch) continue;
    if (!state.gave_batch) {
      throw Error(ErrorCode::invalid_argument, "cannot train: found " + std::to_string(sound) +
                                                   " sound pairs, expected at least a batch of " +
                                                   std::to_string(state.options.batch));
    }
    batch.clear();
    sound = 0;
    state.gave_batch = false;
    ++state.position.epoch;
    state.position.taken = 0;
  }
  state.gave_batch = true;
  return batch;
}

const DataPosition& BatchLoader::position() const {
  return state_->position;
}

}  // namespace moa::train
