#include "export/onnx_verification.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

#include <moa/error.hpp>
#include <nlohmann/json.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "base/file.hpp"
#include "base/new_directory.hpp"
#include "embed/picture_batch.hpp"
#include "export/scripts.hpp"
#include "image/patch_processor.hpp"
#include "image/processor.hpp"

namespace moa {
namespace {

using nlohmann::json;
using Holds = OnnxGraph::Holds;

// Of different lengths, down to none at all.
constexpr std::array<std::string_view, 3> kTexts = {
    "a photo of a dog on the beach, running after a ball that nobody threw", "강아지", ""};
constexpr std::size_t kItems = kTexts.size();

// The bytes [height, width, channels] of a picture as it comes out of resizing, each picture its own.
std::vector<std::uint8_t> sample_picture(std::size_t index, std::int64_t count) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>((i * 7919 + index * 104'729 + i / 97 * 31) % 1021 % 256);
  }
  return bytes;
}

// What a processor makes of them: [channels, height, width].
std::vector<float> processed(const std::vector<std::uint8_t>& bytes, const PixelValues& table) {
  const std::size_t area = bytes.size() / table.size();
  std::vector<float> values(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t channel = i % table.size();
    values[channel * area + i / table.size()] = table[channel][bytes[i]];
  }
  return values;
}

// A picture of a tower that takes patches, each its own shape: nearly square, one line, one column.
PreparedImage sample_patches(std::size_t index, std::int64_t most, std::int64_t width) {
  const auto edge = std::max<std::int64_t>(static_cast<std::int64_t>(std::sqrt(most)), 1);
  const std::array<PatchGrid, kItems> grids = {PatchGrid{edge, most / edge}, {1, (most + 1) / 2}, {most, 1}};
  PreparedImage picture;
  picture.grid = grids[index];
  for (const std::uint8_t byte : sample_picture(index, picture.grid.patches() * width)) {
    picture.values.push_back(static_cast<float>(byte) / 127.5F - 1);
  }
  return picture;
}

// The arrays that the script reads, and how each is described to it.
class Samples {
 public:
  Samples(const LoadedModel& model, std::filesystem::path folder)
      : model_(model), folder_(std::move(folder)), dim_(static_cast<std::size_t>(model.network().dim())) {}

  void prepare_texts() {
    if (!texts_.empty()) return;
    for (const std::string_view text : kTexts) texts_.push_back(model_.prepare_text(text, std::nullopt));
    text_vectors_ = model_.embed_texts(texts_, false);
  }

  void prepare_pictures() {
    if (!pictures_.empty()) return;
    const ImageTowerFacts& tower = *model_.network().image();
    const std::int64_t channels = tower.channels;
    for (std::size_t i = 0; i < kItems && tower.takes_patches(); ++i) {
      pictures_.push_back(sample_patches(i, model_.patch_processor().max_patches(),
                                         channels * tower.patch_px * tower.patch_px));
    }
    for (std::size_t i = 0; i < kItems && !tower.takes_patches(); ++i) {
      const ImageProcessor& size = model_.processor();
      PreparedImage picture;
      picture.height_px = size.height_px();
      picture.width_px = size.width_px();
      bytes_.push_back(sample_picture(i, channels * picture.height_px * picture.width_px));
      picture.values = processed(bytes_.back(), pixel_values(size.recipe()));
      pictures_.push_back(std::move(picture));
    }
    image_vectors_ = model_.embed_images(pictures_, false);
  }

  // What each text makes of the picture beside it.
  void prepare_pairs() {
    prepare_texts();
    prepare_pictures();
    if (!hidden_.empty()) return;
    const PictureBatch batch = PictureBatch::of(pictures_, *model_.network().image());
    CpuBackend backend;
    const std::unique_ptr<Interpreter> ops = backend.interpreter();
    hidden_ = ops->read(model_.network().pair_scorer()->forward_picture(
        *ops, ops->pixels(batch.values, batch.shape[0], batch.shape[1], batch.shape[2], batch.shape[3])));
    const std::vector<float> rows = model_.match_images(pictures_, texts_);
    for (std::size_t i = 0; i < kItems; ++i) probabilities_.push_back(rows[i * (dim_ + kItems) + dim_ + i]);
  }

  // One run of `graph` on items [first, first + count).
  json run(const OnnxGraph& graph, std::size_t first, std::size_t count) {
    json result;
    if (graph.takes_texts()) add_texts(graph, first, count, result);
    if (graph.takes_pictures()) add_pictures(graph, first, count, result);
    if (graph.holds == Holds::both) add_scores(graph, first, count, result);
    if (graph.holds == Holds::match) add_pairs(graph, first, count, result);
    return result;
  }

 private:
  template <typename Value>
  json write(const std::vector<Value>& values, const char* type, std::vector<std::size_t> shape) {
    const std::string name = "array" + std::to_string(written_++);
    std::ofstream stream(folder_ / name, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(Value)));
    stream.close();
    if (!stream) throw Error(ErrorCode::io_error, "cannot write " + (folder_ / name).string());
    return {{"file", name}, {"type", type}, {"shape", std::move(shape)}};
  }

  json vectors(const std::vector<float>& all, std::size_t first, std::size_t count) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first * dim_);
    json entry = write(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(count * dim_)),
                       "float32", {count, dim_});
    entry["unit"] = true;
    entry["scale"] = 1.0;
    return entry;
  }

  void add_texts(const OnnxGraph& graph, std::size_t first, std::size_t count, json& result) {
    std::size_t longest = 0;
    for (std::size_t i = first; i < first + count; ++i) longest = std::max(longest, texts_[i].ids.size());
    std::vector<std::int64_t> ids(count * longest);
    std::vector<std::int64_t> mask(count * longest);
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<std::int32_t>& own = texts_[first + i].ids;
      std::copy(own.begin(), own.end(), ids.begin() + static_cast<std::ptrdiff_t>(i * longest));
      // Behind a text stands what ends it, as CLIP's tokenizer has it; whatever it is, it must not matter.
      std::fill(ids.begin() + static_cast<std::ptrdiff_t>(i * longest + own.size()),
                ids.begin() + static_cast<std::ptrdiff_t>((i + 1) * longest), own.back());
      std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(i * longest), own.size(), 1);
    }
    result["inputs"][graph.text.ids] = integers(graph.text, ids, {count, longest});
    if (!graph.text.mask.empty())
      result["inputs"][graph.text.mask] = integers(graph.text, mask, {count, longest});
    if (!graph.text_vector.empty()) {
      result["outputs"][graph.text_vector] = vectors(text_vectors_, first, count);
    }
  }

  void add_pairs(const OnnxGraph& graph, std::size_t first, std::size_t count, json& result) {
    const onnx::Port& seen = graph.graph.inputs.back();
    const auto part = [&](const std::vector<float>& all) {
      const std::size_t each = all.size() / kItems;
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first * each);
      return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(count * each));
    };
    result["inputs"][graph.hidden] = write(
        part(hidden_), "float32",
        {count, static_cast<std::size_t>(seen.shape[1].size), static_cast<std::size_t>(seen.shape[2].size)});
    json entry = write(part(probabilities_), "float32", {count, 1});
    entry["unit"] = false;
    entry["scale"] = 1.0;
    result["outputs"][graph.probability] = std::move(entry);
  }

  json integers(const OnnxTextInput& input, const std::vector<std::int64_t>& values,
                std::vector<std::size_t> shape) {
    if (input.type == onnx::ElementType::i64) return write(values, "int64", std::move(shape));
    return write(std::vector<std::int32_t>(values.begin(), values.end()), "int32", std::move(shape));
  }

  void add_pictures(const OnnxGraph& graph, std::size_t first, std::size_t count, json& result) {
    if (graph.image.values) return add_bytes(graph, first, count, result);
    const ImageTowerFacts& tower = *model_.network().image();
    const PictureBatch batch = PictureBatch::of(std::span(pictures_).subspan(first, count), tower);
    result["inputs"][graph.image.pixels] =
        write(batch.values, "float32", {batch.shape.begin(), batch.shape.end()});
    if (tower.takes_patches()) {
      result["inputs"][graph.image.mask] =
          write(batch.mask, "int64", {count, static_cast<std::size_t>(batch.shape[1])});
      result["inputs"][graph.image.shapes] = write(batch.grids, "int64", {count, 2});
    }
    result["outputs"][graph.image_vector] = vectors(image_vectors_, first, count);
  }

  void add_bytes(const OnnxGraph& graph, std::size_t first, std::size_t count, json& result) {
    const PreparedImage& size = pictures_.front();
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = first; i < first + count; ++i) {
      bytes.insert(bytes.end(), bytes_[i].begin(), bytes_[i].end());
    }
    result["inputs"][graph.image.pixels] =
        write(bytes, "uint8",
              {count, static_cast<std::size_t>(size.height_px), static_cast<std::size_t>(size.width_px),
               static_cast<std::size_t>(model_.network().image()->channels)});
    result["outputs"][graph.image_vector] = vectors(image_vectors_, first, count);
  }

  void add_scores(const OnnxGraph& graph, std::size_t first, std::size_t count, json& result) {
    const ScoreRule rule = model_.network().score_rule();
    std::vector<float> scores;
    for (std::size_t image = first; image < first + count; ++image) {
      for (std::size_t text = first; text < first + count; ++text) {
        const auto row = image_vectors_.begin() + static_cast<std::ptrdiff_t>(image * dim_);
        const auto other = text_vectors_.begin() + static_cast<std::ptrdiff_t>(text * dim_);
        const double cosine = std::inner_product(row, row + static_cast<std::ptrdiff_t>(dim_), other, 0.0);
        scores.push_back(static_cast<float>(rule.scale * cosine + rule.bias));
      }
    }
    json entry = write(scores, "float32", {count, count});
    entry["unit"] = false;
    entry["scale"] = std::max(rule.scale, 1.0);  // a difference counts as that of a cosine
    result["outputs"][graph.per_image] = std::move(entry);
  }

  const LoadedModel& model_;
  std::filesystem::path folder_;
  std::size_t dim_;
  std::size_t written_ = 0;
  std::vector<PreparedText> texts_;
  std::vector<float> text_vectors_;
  std::vector<std::vector<std::uint8_t>> bytes_;  // of pictures_
  std::vector<PreparedImage> pictures_;
  std::vector<float> image_vectors_;
  std::vector<float> hidden_;         // the rows of each picture that texts look at
  std::vector<float> probabilities_;  // that text i belongs to picture i
};

std::string python_program() {
  const char* chosen = std::getenv("MOA_PYTHON");
  return chosen != nullptr && *chosen != '\0' ? chosen : "python3";
}

// The exit status of `python script folder graphs`, whose stdout and stderr go to files; -1 if there is no
// such program.
int run_python(const std::string& python, const std::filesystem::path& folder,
               const std::filesystem::path& graphs) {
  const std::string script = (folder / "verify.py").string();
  std::array<char*, 6> words = {const_cast<char*>(python.c_str()), const_cast<char*>("-B"),
                                const_cast<char*>(script.c_str()), const_cast<char*>(folder.c_str()),
                                const_cast<char*>(graphs.c_str()), nullptr};
  const std::string out = (folder / "stdout").string();
  const std::string err = (folder / "stderr").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, python.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return "nothing said";
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? -1 : begin));
}

// null stands for what is no number.
double number(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

// What the script wrote, or why it did not. Whatever is no answer of its is not ONNX Runtime's either.
OnnxVerifications answer_of(const std::string& python, int status, const std::filesystem::path& folder) {
  constexpr std::uint64_t kMostBytes = 1 << 20;
  OnnxVerifications result;
  if (status == -1 || status == 127) {
    result.not_verified = "there is no program '" + python + "' (Python; MOA_PYTHON names another)";
    return result;
  }
  const std::string complaint = read_file(folder / "stderr", kMostBytes);
  if (status != 0 && !complaint.empty()) {
    throw Error(ErrorCode::internal, "ONNX Runtime does not run what was exported: " + last_line(complaint));
  }
  const json said = json::parse(read_file(folder / "stdout", kMostBytes), nullptr, false);
  if (status != 0 || !said.is_object()) {
    result.not_verified = "'" + python + "' does not run Python's programs: it ended with status " +
                          std::to_string(status) + " and no answer";
    return result;
  }
  if (said.contains("missing")) {
    result.not_verified = python + " has no onnxruntime (" + said["missing"].get<std::string>() + ")";
    return result;
  }
  result.runtime = said.at("runtime").get<std::string>();
  for (const json& graph : said.at("graphs")) {
    result.graphs.push_back({number(graph.at("largest_difference")), number(graph.at("least_cosine"))});
  }
  return result;
}

}  // namespace

OnnxVerifications verify_onnx(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                              const NewDirectory& directory) {
  NewDirectory folder(temporary_place("verify"),
                      directory.cancelled());  // never committed: it goes when we go
  Samples samples(model, folder.path());
  try {
    for (const OnnxGraph& graph : graphs) {
      if (graph.takes_texts()) samples.prepare_texts();
      if (graph.takes_pictures()) samples.prepare_pictures();
      if (graph.holds == Holds::match) samples.prepare_pairs();
    }
  } catch (const Error& error) {
    OnnxVerifications none;
    none.not_verified = error.what();
    return none;
  }
  json plan;
  for (const OnnxGraph& graph : graphs) {
    json runs = json::array();
    runs.push_back(samples.run(graph, 0, kItems));
    for (std::size_t i = 0; i < kItems; ++i) runs.push_back(samples.run(graph, i, 1));
    plan["graphs"].push_back({{"path", graph.file}, {"runs", std::move(runs)}});
  }
  folder.write("plan.json", plan.dump());
  folder.write("verify.py", kOnnxVerifyScript);
  const std::string python = python_program();
  const int status = run_python(python, folder.path(), directory.path());
  stop_if_raised(directory.cancelled());  // what interrupts us interrupts it
  return answer_of(python, status, folder.path());
}

}  // namespace moa
