// How long a collection takes to open, to search and to find unchanged: search_bench [items [dim]].
//
// Makes that many tiny files and an index of them with random vectors in a temporary folder, in place of a
// model's. "first" is the first search after opening, with the vectors in the page cache but not yet mapped.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "search/opened.hpp"
#include "stopwatch.hpp"

namespace {

std::vector<float> random_unit_vector(std::mt19937& random, std::int64_t dim) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(static_cast<std::size_t>(dim));
  float square = 0;
  for (float& value : vector) {
    value = normal(random);
    square += value * value;
  }
  for (float& value : vector) value /= std::sqrt(square);
  return vector;
}

void run(const std::filesystem::path& folder, int items, std::int64_t dim) {
  using namespace moa;
  const std::vector<std::filesystem::path> places = {folder / "files"};
  for (int i = 0; i < items; ++i) {
    const std::filesystem::path path = places[0] / std::to_string(i / 1000) / std::to_string(i);
    if (i % 1000 == 0) std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << i;
  }
  ::sleep(2);  // files whose times are this old are known by their times alone

  std::mt19937 random(7);
  search::Embedder embedder;
  embedder.embed = [&](std::span<const std::string> paths, const search::Embedder::Deliver& deliver) {
    for (std::size_t i = 0; i < paths.size(); ++i) deliver(i, random_unit_vector(random, dim), nullptr);
  };
  const std::filesystem::path file = folder / "bench.sqlite";
  const search::Target target{"random", "random", dim};

  const auto open = [&](Collection::Mode mode) { return search::Opened(file, target, mode); };

  const double indexing =
      bench::seconds([&] { open(Collection::Mode::open_or_create).update(places, embedder, {}); });
  std::printf("index %d files, %d dimensions, no model: %.2f s\n", items, static_cast<int>(dim), indexing);

  std::optional<search::Opened> opened;
  const double opening = bench::seconds([&] { opened = open(Collection::Mode::open_existing); });
  std::printf("open: %.1f ms\n", opening * 1e3);

  std::vector<double> searching;
  for (int round = 0; round < 21; ++round) {
    const std::vector<float> query = random_unit_vector(random, dim);
    searching.push_back(bench::seconds([&] { opened->search(query, {}); }));
  }
  std::printf("search, first: %.1f ms\n", searching.front() * 1e3);
  std::sort(searching.begin() + 1, searching.end());
  std::printf("search, of 20: best %.1f ms, median %.1f ms\n", searching[1] * 1e3, searching[11] * 1e3);

  UpdateReport report;
  const double again =
      bench::seconds([&] { report = open(Collection::Mode::open_existing).update(places, embedder, {}); });
  std::printf("open and find %zu files unchanged: %.2f s\n", report.unchanged, again);
}

}  // namespace

int main(int argc, char** argv) {
  const int items = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const int dim = argc > 2 ? std::atoi(argv[2]) : 512;
  std::string name = (std::filesystem::temp_directory_path() / "moa-bench-XXXXXX").string();
  if (items < 1 || dim < 1 || ::mkdtemp(name.data()) == nullptr) return 2;
  try {
    run(name, items, dim);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  std::filesystem::remove_all(name);
  return 0;
}
