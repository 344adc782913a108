// The numbers of a training, step by step, as a table on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace moa::train {

// A line of metrics.csv.
struct StepMetrics {
  std::int64_t step = 0;
  std::uint64_t epoch = 0;  // of that source
  double loss = 0;
  double learning_rate = 0;
  double logit_scale = 0;
  double gradient_norm = 0;
  double items_per_second = 0;
  std::uint64_t skipped_pairs = 0;
  std::size_t source = 0;  // which of the data's sources the batch came from
};

// A .csv file with a line for every step.
class MetricsFile {
 public:
  // Keeps the lines up to `step`, which a training that goes on from there will not write again. Errors:
  // io_error, corrupt_data.
  MetricsFile(std::filesystem::path path, std::int64_t step);

  // Error: io_error.
  void add(const StepMetrics& metrics);
  // Steps and losses, those that were kept included.
  const std::vector<std::pair<std::int64_t, double>>& losses() const { return losses_; }

 private:
  std::filesystem::path path_;
  std::ofstream file_;
  std::vector<std::pair<std::int64_t, double>> losses_;
};

}  // namespace moa::train
