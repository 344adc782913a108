// How fast a model is on this machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <moa/export.hpp>
#include <moa/model.hpp>

namespace moa {

struct BenchOptions {
  Modality modality = Modality::image;
  // Items that are given to the model together. Those that are more work than Model::embed() puts into one
  // forward pass go through it in several. Error: invalid_argument below 1 or above 65536.
  std::int64_t batch = 32;
  // How long to measure, 0 or more; at least three batches are embedded however long they take.
  double seconds = 3;
  // When it becomes true, no further forward pass is made: error cancelled.
  const std::atomic<bool>* cancelled = nullptr;
};

// One measurement. A pass here is all `batch` items once through the model, in however many forward passes.
struct BenchResult {
  std::int64_t passes = 0;
  double per_second = 0;  // items, over all passes
  double p50_ms = 0;      // of a pass: half of them took no longer
  double p95_ms = 0;
  double best_ms = 0;
  // Operations of the matrix products and attentions of an item (a multiply-add is two), and which share of
  // what the machine does at most in this precision that comes to. The peak is measured with threads that do
  // nothing else; what shares the machine lowers it.
  double operations = 0;
  double peak_share = 0;
};

// A loaded model, measured. Used from one thread at a time.
class MOA_API Bench {
 public:
  // Errors: as Model::load.
  static Bench load(std::string_view name, const LoadOptions& options = {});
  Bench(Bench&&) noexcept;
  ~Bench();

  bool embeds(Modality modality) const;
  // From token ids or pixels, prepared beforehand, to vectors: natural captions of 7 to 22 words, and
  // pictures made in memory. Errors: unsupported for a modality that the model has no tower for.
  BenchResult measure(const BenchOptions& options) const;
  // End to end, from files to vectors: every input once, reading and decoding included. A pass is the whole
  // of them; an input that fails counts as none, and `failed` is told of it. Errors: the first input's, if
  // all fail; cancelled.
  BenchResult measure_files(std::span<const Input> files, const EmbedOptions& options = {},
                            const std::function<void(const Embedded& item)>& failed = {}) const;

  // What the machine does at most in the model's precision, in operations a second: measured at the first
  // call.
  double peak() const;
  int threads() const;
  // Memory of this process, shared pages by their part of it (PSS); 0 where the system does not tell.
  static std::int64_t memory_bytes();

 private:
  struct State;
  explicit Bench(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace moa
