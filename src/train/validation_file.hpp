// What a model in training was found to be worth, as a table on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include <moa/eval.hpp>

namespace moa::train {

// A .csv file with a line for every metric of every validation: step,metric,value.
class ValidationFile {
 public:
  // Keeps the lines up to `step`. Errors: io_error, corrupt_data.
  ValidationFile(std::filesystem::path path, std::int64_t step);

  bool has(std::int64_t step) const;
  // In place of what was found at this step, which is the last. Error: io_error; the file is the old one
  // then.
  void put(std::int64_t step, std::span<const Metric> metrics);

 private:
  std::filesystem::path path_;
  std::string content_;
};

}  // namespace moa::train
