#include <moa/bench.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "backends/cpu/level.hpp"
#include "backends/cpu/peak.hpp"
#include "base/cancellation.hpp"
#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "embed/bench_inputs.hpp"
#include "embed/loaded_model.hpp"
#include "embed/pass_size.hpp"
#include "embed/pipeline.hpp"

namespace moa {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kLeastBatches = 3;
constexpr std::int64_t kMostBatch = 65536;

// The time that `share` of the batches took at most. `times_s` is sorted and not empty.
double percentile_ms(const std::vector<double>& times_s, double share) {
  const auto last = static_cast<double>(times_s.size() - 1);
  return times_s[static_cast<std::size_t>(std::lround(share * last))] * 1e3;
}

// Sends batches of the items that `make` gives through the model by `forward`: twice unmeasured, since
// weights that are used again are prepared, and then until the time is over. A batch is cut into passes as
// embed() cuts its inputs, and every pass has the same items, so that memory does not grow with the batch.
template <typename Content>
BenchResult measured(const LoadedModel& model, const BenchOptions& options, PassSize pass_size,
                     const std::function<Content(std::int64_t)>& make,
                     const std::function<void(std::span<const Content>)>& forward) {
  const auto multiply_adds_of = [&](const std::function<void()>& run) {
    const std::int64_t before = model.engine().multiply_adds();
    run();
    return model.engine().multiply_adds() - before;
  };
  std::vector<Content> items = {make(0)};
  std::int64_t work = work_of(items.front(), model.facts());
  pass_size.learn(work, multiply_adds_of([&] { forward(items); }));
  std::int64_t pass = 1;
  for (; pass < options.batch; ++pass) {
    Content item = make(pass);
    const std::int64_t more = work_of(item, model.facts());
    if (!pass_size.takes(work, more)) break;
    work += more;
    items.push_back(std::move(item));
  }
  const auto batch = [&] {
    for (std::int64_t left = options.batch; left > 0; left -= pass) {
      if (is_raised(options.cancelled))
        throw Error(ErrorCode::cancelled, "interrupted while it was measured");
      forward(std::span(items).first(static_cast<std::size_t>(std::min(left, pass))));
    }
  };
  const std::int64_t multiply_adds = multiply_adds_of(batch);
  batch();
  std::vector<double> times_s;
  double total_s = 0;
  while (total_s < options.seconds || static_cast<std::int64_t>(times_s.size()) < kLeastBatches) {
    const Clock::time_point start = Clock::now();
    batch();
    times_s.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    total_s += times_s.back();
  }
  std::ranges::sort(times_s);
  BenchResult result;
  result.passes = static_cast<std::int64_t>(times_s.size());
  result.per_second = static_cast<double>(options.batch) * static_cast<double>(times_s.size()) / total_s;
  result.p50_ms = percentile_ms(times_s, 0.5);
  result.p95_ms = percentile_ms(times_s, 0.95);
  result.best_ms = times_s.front() * 1e3;
  result.operations = 2.0 * static_cast<double>(multiply_adds) / static_cast<double>(options.batch);
  return result;
}

}  // namespace

struct Bench::State {
  std::shared_ptr<const LoadedModel> model;
  std::once_flag peak_once;
  double peak = 0;
};

Bench::Bench(std::unique_ptr<State> state) : state_(std::move(state)) {}
Bench::Bench(Bench&&) noexcept = default;
Bench::~Bench() = default;

Bench Bench::load(std::string_view name, const LoadOptions& options) {
  auto state = std::make_unique<State>();
  LoadOptions uncached = options;
  uncached.text_cache_bytes = 0;
  uncached.text_cache_on_disk = false;
  state->model = LoadedModel::load(name, uncached);
  return Bench(std::move(state));
}

bool Bench::embeds(Modality modality) const {
  return state_->model->embeds(modality);
}

BenchResult Bench::measure(const BenchOptions& options) const {
  if (options.batch < 1 || options.batch > kMostBatch) {
    throw Error(ErrorCode::invalid_argument,
                "batch: found " + std::to_string(options.batch) + ", expected 1 to 65536");
  }
  if (!(options.seconds >= 0)) {
    throw Error(ErrorCode::invalid_argument,
                "seconds: found " + std::to_string(options.seconds) + ", expected 0 or more");
  }
  if (!embeds(options.modality)) {
    throw Error(ErrorCode::unsupported, "the model has no tower for " + std::string(name(options.modality)));
  }
  const LoadedModel& model = *state_->model;
  BenchResult result;
  if (options.modality == Modality::text) {
    const std::span<const std::string_view> captions = bench_captions();
    result = measured<PreparedText>(
        model, options, PassSize(kTokensPerPass),
        [&](std::int64_t i) {
          return model.prepare_text(captions[static_cast<std::size_t>(i) % captions.size()], {});
        },
        [&](std::span<const PreparedText> texts) { model.embed_texts(texts, false); });
  } else {
    constexpr std::int64_t kDifferent = 8;  // making more of them takes longer than it tells
    std::vector<PreparedImage> different;
    result = measured<PreparedImage>(
        model, options, PassSize(kPixelsPerPass),
        [&](std::int64_t i) {
          if (i < kDifferent) {
            const std::string file = bench_picture(static_cast<std::uint32_t>(i), 320, 240);
            different.push_back(model.prepare_image(as_bytes(file), 1));
          }
          return different[static_cast<std::size_t>(i % kDifferent)];
        },
        [&](std::span<const PreparedImage> pictures) { model.embed_images(pictures, false); });
  }
  result.peak_share = result.operations * result.per_second / peak();
  return result;
}

BenchResult Bench::measure_files(std::span<const Input> files, const EmbedOptions& options,
                                 const std::function<void(const Embedded&)>& failed) const {
  std::size_t done = 0;
  std::optional<Error> first_error;
  const Clock::time_point start = Clock::now();
  embed_in_order(*state_->model, files, options, [&](const Embedded& item) {
    if (!item.error) {
      ++done;
      return;
    }
    if (item.error->code() == ErrorCode::cancelled) throw *item.error;
    if (!first_error) first_error = item.error;
    if (failed) failed(item);
  });
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (done == 0 && first_error) throw *first_error;
  BenchResult result;
  result.passes = 1;
  result.per_second = static_cast<double>(done) / seconds;
  result.p50_ms = result.p95_ms = result.best_ms = seconds * 1e3;
  return result;
}

double Bench::peak() const {
  std::call_once(state_->peak_once, [this] {
    const Engine& engine = state_->model->engine();
    Precision precision = Precision::f32;  // also of graphs in f16, for which there are no kernels
    for (const Precision other : {Precision::bf16, Precision::int8}) {
      if (name(other) == engine.dtype()) precision = other;
    }
    ThreadPool threads(engine.threads());
    state_->peak = peak_operations(cpu_level(), precision, threads);
  });
  return state_->peak;
}

int Bench::threads() const {
  return state_->model->engine().threads();
}

std::int64_t Bench::memory_bytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string word; rollup >> word;) {
    std::int64_t kib = 0;
    if (word == "Pss:" && rollup >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace moa
