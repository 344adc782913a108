#include "train/validation_file.hpp"

#include <utility>

#include "base/file.hpp"
#include "train/number_text.hpp"
#include "train/step_table.hpp"
#include "train/table.hpp"

namespace moa::train {

ValidationFile::ValidationFile(std::filesystem::path path, std::int64_t step)
    : path_(std::move(path)), content_("step,metric,value\n") {
  if (step > 0 && std::filesystem::exists(path_)) content_ = lines_up_to(Table::open(path_), step);
}

namespace {

std::string line_begin(std::int64_t step) {
  return "\n" + std::to_string(step) + ",";
}

}  // namespace

bool ValidationFile::has(std::int64_t step) const {
  return content_.find(line_begin(step)) != content_.npos;
}

void ValidationFile::put(std::int64_t step, std::span<const Metric> metrics) {
  if (const std::size_t at = content_.find(line_begin(step)); at != content_.npos) content_.resize(at + 1);
  for (const Metric& metric : metrics) {
    content_ += std::to_string(step) + "," + metric.name + "," + shortest_digits(metric.value) + "\n";
  }
  write_file_atomically(path_, content_);
}

}  // namespace moa::train
