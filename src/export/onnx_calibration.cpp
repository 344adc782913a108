#include "export/onnx_calibration.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <moa/error.hpp>

#include "backends/onnx/writer.hpp"
#include "backends/onnxruntime/session.hpp"
#include "base/file.hpp"
#include "base/new_directory.hpp"
#include "embed/picture_batch.hpp"

namespace moa {
namespace {

using onnx::ElementType;

constexpr std::uint64_t kMaxPictureBytes = std::uint64_t{1} << 30;
constexpr double kMaxMegapixels = 256;

const char* const kLeast = "/least";
const char* const kLargest = "/largest";

// `graph` with the least and the largest of each value as outputs in place of its own.
onnx::Graph with_extremes(const onnx::Graph& graph, const std::vector<std::string>& values) {
  onnx::Graph watched = graph;
  watched.outputs.clear();
  for (const std::string& value : values) {
    for (const auto& [operation, suffix] :
         {std::pair("ReduceMin", kLeast), std::pair("ReduceMax", kLargest)}) {
      const std::string name = value + suffix;
      watched.nodes.push_back({operation, name, {value}, {name}, {{"keepdims", std::int64_t{0}}}, true});
      watched.outputs.push_back({name, ElementType::f32, {}});
    }
  }
  return watched;
}

// One item of each tower that the graph has.
class Feeds {
 public:
  Feeds(const OnnxGraph& graph, const CalibrationSamples& samples, std::size_t index) {
    if (graph.takes_texts()) {
      const std::vector<std::int32_t>& ids = samples.texts[index % samples.texts.size()].ids;
      add_integers(graph.text.ids, graph.text.type, {ids.begin(), ids.end()});
      if (!graph.text.mask.empty()) {
        add_integers(graph.text.mask, graph.text.type, std::vector<std::int64_t>(ids.size(), 1));
      }
    }
    if (!graph.takes_pictures()) return;
    pictures_ = PictureBatch::of({&samples.pictures[index % samples.pictures.size()], 1}, samples.tower);
    feeds_.push_back(
        {graph.image.pixels, ElementType::f32, std::as_bytes(std::span(pictures_.values)), pictures_.shape});
    if (!samples.tower.takes_patches()) return;
    add_integers(graph.image.mask, ElementType::i64, pictures_.mask);
    add_integers(graph.image.shapes, ElementType::i64, pictures_.grids);
  }
  Feeds(const Feeds&) = delete;
  Feeds& operator=(const Feeds&) = delete;

  std::span<const OnnxFeed> all() const { return feeds_; }

 private:
  void add_integers(const std::string& name, ElementType type, std::vector<std::int64_t> values) {
    const auto length = static_cast<std::int64_t>(values.size());
    std::span<const std::byte> bytes;
    if (type == ElementType::i32) {
      bytes = std::as_bytes(std::span(narrow_.emplace_back(values.begin(), values.end())));
    } else {
      bytes = std::as_bytes(std::span(wide_.emplace_back(std::move(values))));
    }
    feeds_.push_back({name, type, bytes, {1, length}});
  }

  PictureBatch pictures_;
  std::vector<std::vector<std::int64_t>> wide_;  // the arrays stay where they are when these vectors grow
  std::vector<std::vector<std::int32_t>> narrow_;
  std::vector<OnnxFeed> feeds_;
};

}  // namespace

CalibrationSamples CalibrationSamples::prepare(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                                               std::span<const Input> pictures,
                                               std::span<const std::string> texts, CancelFlag cancelled) {
  const auto refuse_none = [](bool is_none, bool is_needed, const char* what) {
    if (!is_none || !is_needed) return;
    throw Error(ErrorCode::invalid_argument, std::string("cannot calibrate the graph: found no ") + what +
                                                 ", expected some like those that it will be given");
  };
  const bool takes_texts = std::ranges::any_of(graphs, &OnnxGraph::takes_texts);
  const bool takes_pictures = std::ranges::any_of(graphs, &OnnxGraph::takes_pictures);
  refuse_none(texts.empty(), takes_texts, "texts");
  refuse_none(pictures.empty(), takes_pictures, "pictures");
  // Which of them cannot be prepared is not known to who prepares it.
  const auto named = [&](const std::string& item, auto prepare) {
    stop_if_raised(cancelled);
    try {
      prepare();
    } catch (const Error& error) {
      throw Error(error.code(), "cannot calibrate by " + item + ": " + error.what());
    }
  };
  CalibrationSamples samples;
  for (std::size_t i = 0; takes_texts && i < texts.size(); ++i) {
    named("text " + std::to_string(i + 1),
          [&] { samples.texts.push_back(model.prepare_text(texts[i], std::nullopt)); });
  }
  if (takes_pictures) samples.tower = *model.facts().image();
  for (std::size_t i = 0; takes_pictures && i < pictures.size(); ++i) {
    const Input& picture = pictures[i];
    const bool is_file = picture.kind == Input::Kind::file;
    named(is_file ? "'" + picture.value + "'" : "picture " + std::to_string(i + 1), [&] {
      const std::string content = is_file ? read_file(picture.value, kMaxPictureBytes) : picture.value;
      samples.pictures.push_back(model.prepare_image(as_bytes(content), kMaxMegapixels));
    });
  }
  return samples;
}

onnx::Ranges ranges_of(const OnnxGraph& graph, const CalibrationSamples& samples, CancelFlag cancelled) {
  const std::vector<std::string> values = onnx::product_inputs(graph.graph);
  if (values.empty()) return {};  // convolutions alone, whose kernels tell enough
  NewDirectory folder(temporary_place("calibrate"), cancelled);  // never committed: it goes when we go
  const std::filesystem::path file = folder.file("graph.onnx");
  onnx::write_graph(with_extremes(graph.graph, values), file);
  const OnnxSession session = OnnxSession::open(OnnxRuntime::open(), file, {});
  std::vector<std::string> outputs;
  for (const OnnxPort& port : session.outputs()) outputs.push_back(port.name);
  std::size_t items = 0;
  if (graph.takes_texts()) items = samples.texts.size();
  if (graph.takes_pictures()) items = std::max(items, samples.pictures.size());
  std::vector<float> extremes(outputs.size());
  for (std::size_t i = 0; i < items; ++i) {
    stop_if_raised(cancelled);
    const Feeds feeds(graph, samples, i);
    const std::vector<OnnxArray> found = session.run(feeds.all(), outputs);
    for (std::size_t at = 0; at < found.size(); ++at) {
      const float value = found[at].values.front();
      if (outputs[at].ends_with(kLeast)) {
        extremes[at] = std::min(extremes[at], value);  // a range has zero in it
      } else {
        extremes[at] = std::max(extremes[at], value);
      }
    }
  }
  onnx::Ranges ranges;
  for (std::size_t at = 0; at < outputs.size(); at += 2) {
    const std::string& output = outputs[at];
    ranges[output.substr(0, output.size() - std::string_view(kLeast).size())] = {extremes[at],
                                                                                 extremes[at + 1]};
  }
  return ranges;
}

}  // namespace moa
