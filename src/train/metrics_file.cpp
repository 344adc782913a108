#include "train/metrics_file.hpp"

#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "train/number_text.hpp"
#include "train/step_table.hpp"
#include "train/table.hpp"

namespace moa::train {
namespace {

constexpr const char* kColumns =
    "step,epoch,loss,learning_rate,logit_scale,gradient_norm,items_per_second,skipped_pairs,source\n";
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path, std::int64_t step) : path_(std::move(path)) {
  std::string kept = kColumns;
  if (step > 0 && std::filesystem::exists(path_)) {
    // What follows the last end of a line was cut off, by a full disk or a killed process.
    std::string text = read_file(path_, kMostBytes);
    text.resize(text.rfind('\n') + 1);
    const Table table = Table::parse(text, TableFormat::delimited, {.separator = ','}, path_.string());
    kept = lines_up_to(table, step);
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto of = parse_number<std::int64_t>(table.values(i, "step").front(), table.place(i));
      if (of > step) break;
      losses_.emplace_back(of, parse_number<double>(table.values(i, "loss").front(), table.place(i)));
    }
  }
  write_file_atomically(path_, kept);
  file_.open(path_, std::ios::binary | std::ios::app);
}

void MetricsFile::add(const StepMetrics& metrics) {
  losses_.emplace_back(metrics.step, metrics.loss);
  file_ << metrics.step << ',' << metrics.epoch << ',' << shortest_digits(metrics.loss) << ','
        << shortest_digits(metrics.learning_rate) << ',' << shortest_digits(metrics.logit_scale) << ','
        << shortest_digits(metrics.gradient_norm) << ',' << shortest_digits(metrics.items_per_second) << ','
        << metrics.skipped_pairs << ',' << metrics.source << '\n';
  file_.flush();
  if (!file_) throw Error(ErrorCode::io_error, "cannot write '" + path_.string() + "'");
}

}  // namespace moa::train
