// moa inspect: what a model, an adapter, prompt vectors, an index or this machine is.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <moa/adapter.hpp>
#include <moa/collection.hpp>
#include <moa/model.hpp>
#include <moa/prompt_vectors.hpp>
#include <moa/system.hpp>

#include "base/utf8.hpp"
#include "cli/arguments.hpp"
#include "cli/display.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

// What is known, as names with values: one list for both forms of output.
class Facts {
 public:
  void add(std::string_view key, std::string_view label, const std::string& value) {
    if (!value.empty()) entries_.push_back({key, label, json(value), {value}});
  }
  void add(std::string_view key, std::string_view label, std::int64_t value, const std::string& shown = {}) {
    entries_.push_back({key, label, std::to_string(value), {shown.empty() ? std::to_string(value) : shown}});
  }
  void add(std::string_view key, std::string_view label, const std::vector<std::string>& values) {
    std::string list = "[";
    for (const std::string& value : values) list += (list.size() == 1 ? "" : ",") + json(value);
    entries_.push_back({key, label, list + "]", values});
  }
  void add_path(std::string_view key, std::string_view label, const std::string& path) {
    add(key, label, path);
    if (!is_utf8(path)) add_json("path_base64", "", json(base64(path)), {});
  }
  // Already JSON, and how it reads.
  void add_json(std::string_view key, std::string_view label, std::string text,
                std::vector<std::string> lines) {
    entries_.push_back({key, label, std::move(text), std::move(lines)});
  }

  std::string write(bool as_json) const {
    std::string text = as_json ? "{" : "";
    for (const Entry& entry : entries_) {
      if (as_json) {
        text += (text.size() == 1 ? "" : ",") + json(entry.key) + ":" + entry.value;
        continue;
      }
      for (std::size_t i = 0; i < entry.lines.size(); ++i) {
        text += pad_right(i == 0 ? std::string(entry.label) : std::string(), 15) +
                displayable(entry.lines[i]) + "\n";
      }
    }
    return as_json ? text + "}\n" : text;
  }

 private:
  struct Entry {
    std::string_view key;
    std::string_view label;
    std::string value;
    std::vector<std::string> lines;
  };
  std::vector<Entry> entries_;
};

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string megabytes(std::int64_t bytes) {
  const std::int64_t tenths = (bytes + 50'000) / 100'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MB";
}

Facts facts_of_model(const ModelInfo& info) {
  Facts facts;
  facts.add("name", "model", info.name);
  facts.add("text_model", "texts by", info.text_model);
  facts.add("adapter", "adapter", info.adapter);
  facts.add("prompt_vectors", "prompt vectors", info.prompt_vectors);
  facts.add_path("path", "directory", info.path);
  facts.add("architecture", "architecture", info.architecture);
  facts.add("layout", "layout", info.layout);
  facts.add("dim", "dimensions", info.dim);
  if (info.parameters > 0) {
    facts.add("parameters", "parameters", info.parameters, grouped(info.parameters));
  }
  facts.add("weights_file", "weights file", info.weights_file);
  facts.add("weights_format", "its format", info.weights_format);
  facts.add("weights_bytes", "weights", info.weights_bytes, megabytes(info.weights_bytes));
  facts.add("dtypes", "dtypes", info.dtypes);
  facts.add("precision", "computes in", info.precision);
  facts.add("engine", "by", info.engine);
  std::string towers = "[";
  std::vector<std::string> tower_lines;
  for (const ModelInfo::Tower& tower : info.towers) {
    towers += (towers.size() == 1 ? "" : ",") + std::string("{\"name\":") + json(tower.name) +
              ",\"parameters\":" + std::to_string(tower.parameters) +
              ",\"description\":" + json(tower.description) + "}";
    const std::string count = tower.parameters > 0 ? " (" + grouped(tower.parameters) + " parameters)" : "";
    tower_lines.push_back(tower.name + ": " + tower.description + count);
  }
  facts.add_json("towers", "towers", towers + "]", tower_lines);
  facts.add("tokenizer", "tokenizer", info.tokenizer);
  facts.add("processor", "processor", info.processor);
  facts.add("prompts", "prompts", info.prompts);
  facts.add("templates", "templates", info.templates);
  facts.add("licence", "licence", info.licence);
  facts.add("identity", "identity", info.identity);
  return facts;
}

Facts facts_of_adapter(const AdapterInfo& info) {
  Facts facts;
  facts.add_path("path", "adapter", info.path);
  facts.add("kind", "kind", info.kind);
  facts.add("rank", "rank", info.rank);
  std::string scale;
  append_json(scale, static_cast<float>(info.scale));
  facts.add_json("scale", "scale", scale, {scale});
  facts.add("parameters", "parameters", info.parameters, grouped(info.parameters));
  facts.add("base", "learned for", info.base);
  facts.add("weights_bytes", "its file", info.bytes, megabytes(info.bytes));
  facts.add("layers", "layers", info.layers);
  return facts;
}

Facts facts_of_prompt_vectors(const PromptVectorsInfo& info) {
  Facts facts;
  facts.add_path("path", "prompt vectors", info.path);
  facts.add("vectors", "vectors", info.vectors);
  facts.add("width", "width", info.width);
  facts.add("initial", "began as", info.initial);
  facts.add("label_template", "classes are", info.label_template);
  facts.add("base", "learned for", info.base);
  facts.add("weights_bytes", "its file", info.bytes, megabytes(info.bytes));
  return facts;
}

// A model's identity says at its end how vectors were computed, unless in f32.
std::string dtype_in(const std::string& identity) {
  const std::string end = identity.substr(identity.find_last_of('-') + 1);
  constexpr std::array<std::string_view, 3> kNarrow = {"bf16", "f16", "int8"};
  return std::ranges::find(kNarrow, end) != kNarrow.end() ? end : "f32";
}

Facts facts_of_index(const CollectionInfo& info) {
  Facts facts;
  facts.add_path("path", "index", info.path);
  facts.add("model", "model", info.model_name);
  facts.add("model_identity", "identity", info.model_identity);
  facts.add("dtype", "precision", dtype_in(info.model_identity));
  facts.add("dim", "dimensions", info.dim);
  facts.add("items", "items", static_cast<std::int64_t>(info.items));
  facts.add("failed", "failed files", static_cast<std::int64_t>(info.failed));
  facts.add("rows", "vector rows", static_cast<std::int64_t>(info.rows));
  facts.add("places", "places", info.places);
  if (!std::ranges::all_of(info.places, is_utf8)) {
    std::string bytes;
    for (const std::string& place : info.places) bytes += (bytes.empty() ? "" : ",") + json(base64(place));
    facts.add_json("places_base64", "", "[" + bytes + "]", {});
  }
  facts.add("problems", "problems", info.problems);
  return facts;
}

Facts facts_of_system() {
  const SystemInfo info = system_info();
  Facts facts;
  facts.add("version", "moa", info.version);
  facts.add("cpu_level", "cpu level", info.cpu_level);
  facts.add("threads", "threads", info.threads);
  facts.add("architectures", "architectures", info.architectures);
  return facts;
}

std::string failed_files(const std::filesystem::path& index, bool as_json) {
  std::string lines;
  for (const FailedFile& file : Collection::errors(index)) {
    lines += as_json ? "{" + json_path("input", file.path) +
                           ",\"error\":" + json_error(file.code, file.message) + "}\n"
                     : displayable(file.path) + ": " + file.code + ": " + displayable(file.message) + "\n";
  }
  return lines;
}

int run_inspect(const Arguments& arguments) {
  const bool as_json = arguments.value_or("format", "table") == "json";
  const std::vector<std::string> words = arguments.inputs();
  Output output = Output::to_stdout();
  int code = 0;
  if (arguments.has("system")) {
    if (!words.empty()) fail_usage(arguments.command(), "--system expects nothing beside it");
    output.write(facts_of_system().write(as_json));
  } else if (words.size() != 1) {
    fail_usage(arguments.command(), "expected one MODEL, ADAPTER, PROMPT or INDEX, or --system");
  } else if (Collection::is_collection(words[0])) {
    if (arguments.has("errors")) {
      output.write(failed_files(words[0], as_json));
    } else {
      const CollectionInfo info = Collection::inspect(words[0]);
      output.write(facts_of_index(info).write(as_json));
      if (!info.problems.empty()) code = exit_code(ErrorCode::corrupt_data);
    }
  } else if (arguments.has("errors")) {
    std::error_code failed;
    const bool exists = std::filesystem::exists(words[0], failed);
    throw Error(exists ? ErrorCode::invalid_argument : ErrorCode::not_found,
                "cannot list the errors of '" + words[0] + "': it is not an index");
  } else if (is_adapter(words[0])) {
    output.write(facts_of_adapter(inspect_adapter(words[0])).write(as_json));
  } else if (is_prompt_vectors(words[0])) {
    output.write(facts_of_prompt_vectors(inspect_prompt_vectors(words[0])).write(as_json));
  } else {
    output.write(facts_of_model(Model::load(words[0], load_options(arguments)).info()).write(as_json));
  }
  output.finish();
  return code;
}

constexpr std::array kOptions = {
    Option{0, "errors", "", "Of an index: the files that could not be read, and why"},
    Option{0, "system", "", "This machine: instruction set, threads, what moa supports"},
    Option{0, "format", "FORMAT", "How it is written", "table|json"},
};
constexpr std::array<Options, 3> kGroups = {kOptions, Options(kModelOptions).subspan(1), kTalkOptions};
constexpr std::array kExamples = {
    Example{"What is in the bundled model?", "moa inspect moa-mini"},
    Example{"Which layers does this adapter sit on?", "moa inspect out/adapter"},
    Example{"Is this index sound?", "moa inspect photos.moa"},
    Example{"Which files could not be read?", "moa inspect photos.moa --errors"},
};

}  // namespace

constexpr Command kInspectCommand = {
    .name = "inspect",
    .summary = "Show what a model, an adapter, prompt vectors or an index is",
    .usage = "MODEL|ADAPTER|PROMPT|INDEX|--system [options]",
    .description =
        "Of a model: architecture, towers, sizes, dtypes, tokenizer, processor, licence. Of an adapter: "
        "kind, rank, the layers that it sits on. Of prompt vectors: how many, what they began as, and how "
        "they name a class. Of an index: whose vectors it holds, of how many files, and whether its two "
        "files agree with each other; if not, the exit code is 5.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::models,
    .run = run_inspect,
};

}  // namespace moa::cli
