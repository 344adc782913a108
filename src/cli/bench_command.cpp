// moa bench: how fast a model is on this machine.
#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <moa/bench.hpp>
#include <moa/system.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/display.hpp"
#include "cli/exit_codes.hpp"
#include "cli/inputs.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

// A line of the table: a measurement, or why there is none.
struct Row {
  Modality modality = Modality::image;
  bool from_files = false;
  std::int64_t batch = 0;
  std::string dtype;
  BenchResult result{};
  std::int64_t memory_bytes = 0;
  std::optional<Error> error{};
};

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (std::string_view rest = list;;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    parts.emplace_back(rest.substr(0, comma));
    if (comma == rest.size()) return parts;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<std::int64_t> batches_of(const Arguments& arguments) {
  std::vector<std::int64_t> batches;
  for (const std::string& word : split(arguments.value_or("batch", "1,8,32"))) {
    char* end = nullptr;
    const long long batch = std::strtoll(word.c_str(), &end, 10);
    if (end == word.c_str() || *end != '\0' || batch < 1 || batch > 65536) {
      fail_usage(arguments.command(),
                 "--batch: found '" + word + "', expected numbers from 1 to 65536, separated by commas");
    }
    batches.push_back(batch);
  }
  return batches;
}

// Those that were asked for, or all that this build has.
std::vector<std::string> dtypes_of(const Arguments& arguments) {
  constexpr std::array<std::string_view, 3> kAll = {"f32", "bf16", "int8"};
  const std::string asked = arguments.value_or("dtype", "auto");
  if (asked == "auto") return {kAll.begin(), kAll.end()};
  std::vector<std::string> dtypes = split(asked);
  for (const std::string& dtype : dtypes) {
    if (std::ranges::find(kAll, dtype) == kAll.end())
      fail_usage(arguments.command(), arguments.source_of("dtype") + ": found '" + dtype +
                                          "', expected f32, bf16, int8, separated by commas");
  }
  return dtypes;
}

std::vector<Modality> modalities_of(const Arguments& arguments) {
  const std::string wanted = arguments.value_or("modality", "all");
  if (wanted == "text") return {Modality::text};
  if (wanted == "image") return {Modality::image};
  return {Modality::text, Modality::image};
}

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string number(double value) {
  return fixed(value, value < 100 ? 2 : 1);
}

std::string json_row(const Row& row) {
  std::string line = "{\"modality\":" + json(name(row.modality)) +
                     ",\"source\":" + (row.from_files ? "\"files\"" : "\"memory\"") +
                     ",\"batch\":" + std::to_string(row.batch) + ",\"dtype\":" + json(row.dtype);
  if (row.error) return line + ",\"error\":" + json_error(name(row.error->code()), row.error->what()) + "}";
  line += ",\"per_second\":" + fixed(row.result.per_second, 3) +
          ",\"p50_ms\":" + fixed(row.result.p50_ms, 3) + ",\"p95_ms\":" + fixed(row.result.p95_ms, 3) +
          ",\"best_ms\":" + fixed(row.result.best_ms, 3) + ",\"passes\":" + std::to_string(row.result.passes);
  if (row.result.peak_share > 0) line += ",\"peak_share\":" + fixed(row.result.peak_share, 4);
  return line + ",\"memory_bytes\":" + std::to_string(row.memory_bytes) + "}";
}

std::string table_line(const std::array<std::string, 8>& cells) {
  constexpr std::array<std::size_t, 8> kColumns = {5, 5, 10, 10, 10, 10, 6, 8};
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += i < 1 ? pad_right(cells[i], kColumns[i]) : "  " + pad_left(cells[i], kColumns[i]);
  }
  return line + "\n";
}

std::string table_row(const Row& row) {
  const std::string what = row.from_files ? "files" : std::string(name(row.modality));
  const std::string batch = row.batch == 0 ? "auto" : std::to_string(row.batch);
  if (row.error)
    return pad_right(what, 5) + "  " + pad_left(row.dtype, 5) + "  " + pad_left(batch, 10) + "  " +
           displayable(row.error->what()) + "\n";
  const std::string share = row.result.peak_share > 0 ? fixed(100 * row.result.peak_share, 0) + " %" : "";
  return table_line({what, row.dtype, batch, number(row.result.per_second), number(row.result.p50_ms),
                     number(row.result.p95_ms), share,
                     fixed(static_cast<double>(row.memory_bytes) / 1e6, 0) + " MB"});
}

// Everything that is to be measured, in order; `add` gets each row when it is there.
class Measurements {
 public:
  Measurements(const Arguments& arguments, Console& console) : arguments_(arguments), console_(console) {
    const std::vector<std::string> places = arguments.values("files");
    if (places.empty()) return;
    add_inputs(files_, places, Model::load(model_name(arguments)), console);
    note_skipped(files_, console);
  }

  template <typename Add>
  void run(Add add) {
    const bool asked = arguments_.value_or("dtype", "auto") != "auto";
    const std::vector<std::string> dtypes = dtypes_of(arguments_);
    for (const std::string& dtype : dtypes) {
      LoadOptions options;
      options.device = arguments_.value_or("device", "auto");
      options.dtype = dtype;
      options.adapter = arguments_.value_or("adapter", "");
      options.threads = static_cast<int>(arguments_.integer("threads", 0, 0, 1024));
      std::optional<Bench> bench;
      try {
        bench.emplace(Bench::load(model_name(arguments_), options));
      } catch (const Error& error) {
        // The model's fault and not the precision's: it would be met in each.
        if (dtype == dtypes.front() && (!asked || error.code() != ErrorCode::unsupported)) throw;
        // Without --dtype, what this build cannot do is not worth a line.
        if (asked || error.code() != ErrorCode::unsupported) refuse(dtype, error, add);
      }
      if (bench) measure(*bench, dtype, add);
    }
  }

  // Of each of --files, why it could not be embedded.
  const std::vector<std::optional<Error>>& file_errors() const { return file_errors_; }

 private:
  // A line for each measurement that was asked for in this precision.
  template <typename Add>
  void refuse(const std::string& dtype, const Error& error, Add add) {
    for (const Modality modality : modalities_of(arguments_)) {
      for (const std::int64_t batch : batches_of(arguments_))
        add({.modality = modality, .batch = batch, .dtype = dtype, .error = error});
    }
    if (!files_.inputs.empty()) add({.from_files = true, .dtype = dtype, .error = error});
  }

  template <typename Add>
  void measure(const Bench& bench, const std::string& dtype, Add add) {
    const double seconds = arguments_.number("seconds").value_or(3);
    for (const Modality modality : modalities_of(arguments_)) {
      if (!bench.embeds(modality) && arguments_.value_or("modality", "all") == "all") continue;
      for (const std::int64_t batch : batches_of(arguments_)) {
        console_.progress("measuring " + dtype, 0, 1);
        add(measured({.modality = modality, .batch = batch, .dtype = dtype}, [&] {
          return bench.measure({modality, batch, seconds, &interrupted()});
        }));
      }
    }
    if (files_.inputs.empty()) return;
    file_errors_.assign(files_.inputs.size(), std::nullopt);
    add(measured({.from_files = true, .dtype = dtype}, [&] {
      return bench.measure_files(files_.inputs, {.cancelled = &interrupted()}, [&](const Embedded& item) {
        file_errors_[item.index] = files_.error_of(item.index, *item.error);
      });
    }));
  }

  // `row` with what `measure` finds, or with why it cannot.
  template <typename Measure>
  static Row measured(Row row, Measure measure) {
    try {
      row.result = measure();
      row.memory_bytes = Bench::memory_bytes();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      row.error = error;
    }
    return row;
  }

  const Arguments& arguments_;
  Console& console_;
  InputList files_;
  std::vector<std::optional<Error>> file_errors_;
};

int run_bench(const Arguments& arguments) {
  Console console(arguments);
  if (!arguments.inputs().empty())
    fail_usage(arguments.command(), "expected no inputs; pictures to measure with come by --files");
  if (arguments.number("seconds").value_or(1) <= 0)
    fail_usage(arguments.command(), "--seconds: expected more than 0");
  batches_of(arguments);  // what is wrong with them is said before anything is measured
  dtypes_of(arguments);
  const bool is_json = arguments.value_or("format", "table") == "json";
  Output output = Output::open(arguments.value("output"));
  const SystemInfo system = system_info();
  const int threads = static_cast<int>(arguments.integer("threads", 0, 0, 1024));
  const std::string machine = "level " + system.cpu_level + ", " +
                              std::to_string(threads == 0 ? system.threads : threads) + " threads";

  std::string rows;
  std::string told;  // the last error
  Outcome outcome;
  if (!is_json) {
    output.write(displayable(model_name(arguments)) + ", " + machine + "\n" +
                 table_line({"what", "dtype", "batch", "per second", "p50 ms", "p95 ms", "peak", "memory"}));
    output.flush();
  }
  Measurements measurements(arguments, console);
  std::optional<Error> interruption;
  try {
    measurements.run([&](const Row& row) {
      console.clear_progress();
      if (row.error) {
        outcome.failed(row.error->code());
        // Once for all its lines; those of files are told at the end.
        if (!row.from_files && std::exchange(told, row.error->what()) != row.error->what())
          console.error(name(row.error->code()), row.error->what());
      } else {
        outcome.done();
      }
      if (is_json) {
        rows += (rows.empty() ? "\n" : ",\n") + json_row(row);
      } else {
        output.write(table_row(row));
        output.flush();
      }
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled) throw;
    interruption = error;
  }
  if (is_json) {
    output.write("{\"model\":" + json(model_name(arguments)) + ",\"version\":" + json(system.version) +
                 ",\"cpu_level\":" + json(system.cpu_level) + ",\"threads\":" +
                 std::to_string(threads == 0 ? system.threads : threads) + ",\"rows\":[" + rows + "\n]}\n");
  }
  output.finish();
  if (interruption) throw *interruption;
  tell_errors(measurements.file_errors(), console, outcome);
  return outcome.exit_code();
}

constexpr std::array kOptions = {
    Option{'m',
           "model",
           "M",
           "The model: a directory, the name of a bundled model, or a hub id in the local cache",
           {},
           "MOA_MODEL",
           Completes::models},
    Option{0, "modality", "KIND", "What to embed", "text|image|all"},
    Option{0, "batch", "N,N,…", "Items that go through the model together (1,8,32)"},
    Option{0, "dtype", "T,T,…", "Precisions: f32, bf16, int8 (those that this build has)", {}, "MOA_DTYPE"},
    Option{0, "seconds", "S", "Time for each line (3)"},
    Option{0,
           "files",
           "PLACE",
           "Also these pictures, from file to vector; may be given again",
           {},
           {},
           Completes::files},
    Option{0, "adapter", "F", "Add this adapter to the model's weights", {}, {}, Completes::files},
    Option{0, "device", "DEVICE", "Where to compute", "auto|cpu|cuda", "MOA_DEVICE"},
    Option{'t', "threads", "N", "Threads; 0: as many as there are CPUs", {}, "MOA_THREADS"},
    Option{0, "format", "FORMAT", "How results are written", "table|json"},
    Option{'o', "output", "FILE", "Write there instead of stdout", {}, {}, Completes::files},
};
constexpr std::array<Options, 2> kGroups = {kOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"How fast is the bundled model here?", "moa bench --seconds 1"},
    Example{"Pictures one at a time and 32 at once, for a program",
            "moa bench --modality image --batch 1,32 --format json"},
};

}  // namespace

constexpr Command kBenchCommand = {
    .name = "bench",
    .summary = "Measure how fast a model is on this machine",
    .usage = "[--model M] [options]",
    .description =
        "Embeds captions and pictures made in memory, prepared beforehand, and tells how many a second go "
        "through the model, how "
        "long a batch takes (half of them at most p50, 95 in 100 at most p95), which share that is of what "
        "the machine's "
        "processors do at most, and the memory of the process. With --files pictures go from file to vector, "
        "reading and "
        "decoding included.\n",
    .options = kGroups,
    .examples = kExamples,
    .run = run_bench,
};

}  // namespace moa::cli
