// How many pictures or texts a second a CLIP directory's tower turns into vectors, from pixels or ids:
//   clip_bench MODEL pictures BATCH SECONDS
//   clip_bench MODEL texts BATCH SECONDS IDS      IDS: a file with the ids of one text a line
// Prints the rate of the best batch. Threads: MOA_THREADS, or all. With one thread its processor time counts.
// Precision: MOA_DTYPE, or f32.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "checkpoint/model_directory.hpp"
#include "models/embedding_model.hpp"
#include "precision_from_environment.hpp"
#include "stopwatch.hpp"

namespace moa::bench {
namespace {

struct Texts {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> lengths;
};

// `batch` texts from a file of ids, from its beginning again where it has fewer.
Texts read_texts(const char* path, std::size_t batch) {
  std::vector<std::vector<std::int32_t>> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    lines.emplace_back(std::istream_iterator<std::int32_t>(words), std::istream_iterator<std::int32_t>());
  }
  if (lines.empty()) throw Error(ErrorCode::not_found, std::string(path) + ": no texts");
  Texts texts;
  for (std::size_t i = 0; i < batch; ++i) {
    const std::vector<std::int32_t>& ids = lines[i % lines.size()];
    texts.ids.insert(texts.ids.end(), ids.begin(), ids.end());
    texts.lengths.push_back(static_cast<std::int64_t>(ids.size()));
  }
  return texts;
}

std::vector<float> random_pixels(std::int64_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1.8F, 2.1F);  // the range of normalised pixels
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = uniform(random);
  return values;
}

int run(const std::vector<const char*>& arguments) {
  const std::string tower = arguments[2];
  const std::int64_t batch = std::max(1, std::atoi(arguments[3]));
  const double budget_seconds = std::atof(arguments[4]);
  const ModelDirectory directory = ModelDirectory::open(arguments[1]);
  Weights weights = directory.weights();
  const CheckpointLayout layout = directory.layout() == ModelDirectory::Layout::open_clip
                                      ? CheckpointLayout::open_clip
                                      : CheckpointLayout::transformers;
  const auto model = architecture_of(directory.config(), layout).build(directory.config(), weights);
  weights.finish(directory.weights_name());
  const int threads = std::getenv("MOA_THREADS") == nullptr ? 0 : std::atoi(std::getenv("MOA_THREADS"));
  CpuBackend backend({precision_from_environment(), threads});

  std::function<Rows(Interpreter&)> forward;
  std::vector<float> pixels;
  Texts texts;
  if (tower == "pictures") {
    const ImageTowerFacts& facts = *model->image();
    pixels = random_pixels(batch * facts.channels * facts.height_px * facts.width_px);
    forward = [&](Interpreter& ops) {
      return model->forward_image(ops,
                                  ops.pixels(pixels, batch, facts.channels, facts.height_px, facts.width_px));
    };
  } else {
    texts = read_texts(arguments[5], static_cast<std::size_t>(batch));
    forward = [&](Interpreter& ops) {
      return model->forward_text(ops, ops.tokens(texts.ids, {}, Sequences(texts.lengths)));
    };
  }
  const auto once = [&] {
    const auto ops = backend.interpreter();
    ops->read(forward(*ops));
  };
  const double first = seconds(once);  // prepares the weights
  double best = 1e30;
  for (double spent = 0; spent < budget_seconds;) {
    const double took = backend.threads() == 1 ? cpu_seconds(once) : seconds(once);
    best = std::min(best, took);
    spent += took;
  }
  std::printf(
      "{\"per_second\": %.3f, \"first_seconds\": %.4f, \"prepared_bytes\": %ld, \"activation_bytes\": %ld}\n",
      static_cast<double>(batch) / best, first, backend.memory().prepared_bytes,
      backend.memory().activation_bytes);
  return 0;
}

}  // namespace
}  // namespace moa::bench

int main(int argc, char** argv) {
  const bool pictures = argc == 5 && std::string(argv[2]) == "pictures";
  const bool texts = argc == 6 && std::string(argv[2]) == "texts";
  if (!pictures && !texts) {
    std::fprintf(
        stderr,
        "usage: clip_bench MODEL pictures BATCH SECONDS\n       clip_bench MODEL texts BATCH SECONDS IDS\n");
    return 2;
  }
  try {
    return moa::bench::run({argv, argv + argc});
  } catch (const moa::Error& error) {
    std::fprintf(stderr, "clip_bench: %s\n", error.what());
    return moa::exit_code(error.code());
  }
}
