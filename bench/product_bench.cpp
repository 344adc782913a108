// Matrix products of CLIP ViT-B/32: moa's kernels as a share of the machine's peak, and beside oneDNN.
//   product_bench [seconds for each shape]
// Threads: MOA_THREADS (and OMP_NUM_THREADS for oneDNN), or all. With one thread its processor time counts.
// Precision: MOA_DTYPE, or f32. In bf16 and int8 moa's time includes narrowing the activations; oneDNN gets
// them narrow.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/cpu/peak.hpp"
#include "precision_from_environment.hpp"
#include "stopwatch.hpp"
#ifdef MOA_HAVE_ONEDNN
#include "onednn_product.hpp"
#endif

namespace moa::bench {
namespace {

struct Size {
  std::int64_t rows, depth, columns;
};

// A picture batch of 32 (32 x 50 patches), then texts, alone and in small batches.
constexpr Size kSizes[] = {{1600, 768, 2304}, {1600, 768, 768}, {1600, 768, 3072}, {1600, 3072, 768},
                           {50, 768, 3072},   {8, 512, 2048},   {13, 512, 1536},   {77, 512, 2048},
                           {330, 512, 2048},  {330, 2048, 512}};

std::vector<float> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = uniform(random);
  return values;
}

void measure(const Size& size, CpuBackend& backend, [[maybe_unused]] Precision precision, double peak,
             double budget_seconds) {
  const std::vector<float> x = random_values(size.rows * size.depth, 1);
  const std::vector<float> w = random_values(size.columns * size.depth, 2);
  const std::vector<float> b = random_values(size.columns, 3);
  const Linear layer{Parameter::from_values("w", {size.columns, size.depth}, w),
                     Parameter::from_values("b", {size.columns}, b)};
  const auto ops = backend.interpreter();
  std::vector<std::int32_t> ids(static_cast<std::size_t>(size.rows));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i);
  const Tokens tokens = ops->tokens(ids, {}, Sequences::uniform(1, size.rows));
  const Rows in =
      ops->embedding(tokens, TokenField::id, Parameter::from_values("x", {size.rows, size.depth}, x));
  // A view of all columns, because rows that were narrowed once are not narrowed again.
  const auto moa_run = [&] { ops->linear(ops->columns(in, 0, size.depth), layer); };
  const double flops = 2.0 * static_cast<double>(size.rows) * static_cast<double>(size.depth) *
                       static_cast<double>(size.columns);
  double moa_best = 1e30;
  [[maybe_unused]] double onednn_best = 1e30;
#ifdef MOA_HAVE_ONEDNN
  const auto onednn_run = onednn_product(x, w, b, {size.rows, size.depth, size.columns}, precision);
  if (onednn_run) onednn_run();
#endif
  moa_run();
  const auto timed = [&](const auto& work) {
    return backend.threads() == 1 ? cpu_seconds(work) : seconds(work);
  };
  // In turns, so that both meet the same neighbours on the machine.
  for (double spent = 0; spent < budget_seconds;) {
    spent += seconds([&] {
      for (int i = 0; i < 3; ++i) moa_best = std::min(moa_best, timed(moa_run));
#ifdef MOA_HAVE_ONEDNN
      for (int i = 0; onednn_run && i < 3; ++i) onednn_best = std::min(onednn_best, timed(onednn_run));
#endif
    });
  }
  std::printf("%5ld x %4ld x %4ld  %7.1f GFLOP/s  %3.0f %% of peak", size.rows, size.depth, size.columns,
              flops / moa_best / 1e9, 100 * flops / moa_best / 1e9 / peak);
#ifdef MOA_HAVE_ONEDNN
  if (onednn_run)
    std::printf("  oneDNN %7.1f  ratio %.2f", flops / onednn_best / 1e9, onednn_best / moa_best);
#endif
  std::printf("\n");
}

}  // namespace
}  // namespace moa::bench

int main(int argc, char** argv) {
  using namespace moa;
  const double budget_seconds = argc > 1 ? std::atof(argv[1]) : 2;
  const int threads = std::getenv("MOA_THREADS") == nullptr ? 0 : std::atoi(std::getenv("MOA_THREADS"));
  const Precision precision = bench::precision_from_environment();
  CpuBackend backend({precision, threads});
  ThreadPool pool(backend.threads());
  const double peak = peak_operations(cpu_level(), precision, pool) / 1e9;
  std::printf("level %s, %s, %d threads, measured peak %.1f GFLOP/s; rows x depth x columns:\n",
              std::string(cpu_level()).c_str(), std::string(name(precision)).c_str(), backend.threads(),
              peak);
  for (const bench::Size& size : bench::kSizes)
    bench::measure(size, backend, precision, peak, budget_seconds);
#ifdef MOA_HAVE_ONEDNN
  double total = 0;
  for (std::int64_t rows = 101; rows < 121; ++rows) total += bench::onednn_primitive_seconds(rows, 512, 2048);
  std::printf("oneDNN: %.2f ms for the primitive of a number of rows not seen before (512 x 2048)\n",
              total / 20 * 1e3);
#endif
}
