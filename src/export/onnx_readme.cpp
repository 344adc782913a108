#include "export/onnx_readme.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "embed/open_clip_texts.hpp"
#include "export/onnx_examples.hpp"
#include "image/patch_processor.hpp"

namespace moa {
namespace {

using nlohmann::json;

constexpr std::int64_t kLikelyBatch = 8;
constexpr std::int64_t kMostBatch = 32;
constexpr std::int64_t kLikelyTokens = 16;

std::string shown(const onnx::Port& port) {
  std::string shape;
  for (const onnx::Dimension& dimension : port.shape) {
    shape += (shape.empty() ? "" : ", ") +
             (dimension.name.empty() ? std::to_string(dimension.size) : dimension.name);
  }
  const char* type = port.type == onnx::ElementType::i64   ? "int64"
                     : port.type == onnx::ElementType::i32 ? "int32"
                     : port.type == onnx::ElementType::u8  ? "uint8"
                                                           : "float32";
  return "`" + port.name + "` " + type + " [" + shape + "]";
}

std::string score(const ScoreRule& rule) {
  if (rule.kind == ScoreRule::Kind::cosine) return "the cosine of its vectors";
  const bool is_sigmoid = rule.kind == ScoreRule::Kind::sigmoid;
  return (is_sigmoid ? "the sigmoid of " : "the softmax over the texts of ") + json(rule.scale).dump() +
         " · cosine" + (rule.bias == 0 ? "" : " + " + json(rule.bias).dump());
}

using Shapes = std::array<std::vector<std::int64_t>, 3>;  // least, likely, largest

// Of a text in tokens, of a picture in patches, nearly all of which NaFlex's processor uses.
std::array<std::int64_t, 3> lengths(const LoadedModel& model, bool of_pictures) {
  if (of_pictures) {
    const std::int64_t most = model.patch_processor().max_patches();
    return {1, most, most};
  }
  const auto most = static_cast<std::int64_t>(model.longest_text());
  return {1, std::min(kLikelyTokens, most), most};
}

std::vector<std::pair<std::string, Shapes>> profile_of(const LoadedModel& model, const OnnxGraph& graph) {
  std::vector<std::pair<std::string, Shapes>> profile;
  for (const onnx::Port& port : graph.graph.inputs) {
    Shapes shapes;
    for (std::size_t axis = 0; axis < port.shape.size(); ++axis) {
      const onnx::Dimension& dimension = port.shape[axis];
      std::array<std::int64_t, 3> sizes{dimension.size, dimension.size, dimension.size};
      if (!dimension.name.empty()) {
        sizes = axis == 0 ? std::array<std::int64_t, 3>{1, kLikelyBatch, kMostBatch}
                          : lengths(model, dimension.name == graph.image.patches);
      }
      for (std::size_t i = 0; i < sizes.size(); ++i) shapes[i].push_back(sizes[i]);
    }
    profile.emplace_back(port.name, std::move(shapes));
  }
  return profile;
}

// What is done to a text and its ids outside the tokenizer's file.
std::string around_tokenizer(const ModelDirectory& directory) {
  const OpenClipTexts around = OpenClipTexts::read(directory.layout(), directory.config());
  std::string text;
  switch (around.clean) {
    case OpenClipTexts::Clean::none:
      break;
    case OpenClipTexts::Clean::whitespace:
      text = " First mend a text and its white space, as open_clip does (`clean: whitespace`).";
      break;
    case OpenClipTexts::Clean::lower:
      text =
          " First mend a text and its white space and put it in lower case, as open_clip does (`clean: "
          "lower`).";
      break;
    case OpenClipTexts::Clean::canonicalize:
      text =
          " First put a text in lower case and without punctuation, as open_clip does (`clean: "
          "canonicalize`).";
      break;
  }
  if (around.strips_separator) text += " The id of the separator, `[SEP]`, becomes 0.";
  return text;
}

}  // namespace

std::string onnx_readme(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                        const OnnxExportOptions& options) {
  std::string text = "# ONNX export\n\nWritten by moa, opset " + std::to_string(options.opset) +
                     "; the model's identity is `" + model.identity() + "`.\n\n";
  for (const OnnxGraph& graph : graphs) {
    text += "- `" + graph.file + "`: ";
    for (std::size_t i = 0; i < graph.graph.inputs.size(); ++i) {
      text += (i == 0 ? "" : ", ") + shown(graph.graph.inputs[i]);
    }
    text += " → ";
    for (std::size_t i = 0; i < graph.graph.outputs.size(); ++i) {
      text += (i == 0 ? "" : ", ") + shown(graph.graph.outputs[i]);
    }
    text += "\n";
  }
  if (std::ranges::any_of(graphs, &OnnxGraph::takes_texts)) {
    text += "\nTexts have at most " + std::to_string(model.longest_text()) +
            " tokens, special tokens included; cut longer ones.";
    const std::string prompt = model.with_prompt("", std::nullopt);
    if (!prompt.empty()) text += " Every text is to begin with `" + prompt + "`.";
    text += around_tokenizer(model.directory());
    text += "\n";
  }
  if (std::ranges::any_of(graphs, &OnnxGraph::takes_pictures)) {
    text += "\nPictures are prepared so: " + model.processor_description() + "\n";
    if (options.pictures == OnnxExportOptions::Pictures::bytes) {
      text +=
          "The graphs take them as they are before their values are changed: bytes of red, green and blue.\n";
    }
  }
  text += "\nThe score of a pair is " + score(model.network().score_rule()) + ".\n";
  const auto reads_pairs = std::ranges::find(graphs, OnnxGraph::Holds::match, &OnnxGraph::holds);
  if (reads_pairs != graphs.end()) {
    const auto pictures = std::ranges::find(graphs, OnnxGraph::Holds::image, &OnnxGraph::holds);
    text += "\n`" + reads_pairs->file + "` reads a text and a picture together: it takes `" +
            pictures->hidden + "` of `" + pictures->file + "` as `" + reads_pairs->hidden +
            "`, once for each text, and gives the probability that they belong together.\n";
  }
  if (options.layout == OnnxExportOptions::Layout::optimum) {
    text +=
        "\nThe vectors of a tower are as its projection leaves them; put them on the unit sphere before you "
        "compare them.\n";
  }
  text += "\n## In Python\n\n```python\n" + python_example(model, graphs) +
          "```\n\n## In C++\n\nWith the headers and the library of ONNX Runtime's releases: "
          "`g++ -std=c++17 example.cpp -lonnxruntime`.\n\n```cpp\n" +
          cpp_example(model, graphs) + "```\n";
  text +=
      "\n## TensorRT\n\n`build_tensorrt.sh` builds engines by `trtexec`, `build_tensorrt.py` by TensorRT's "
      "Python package, and with `--check` compares their numbers and speed with ONNX Runtime's; both take "
      "the sizes that they allow from the same profiles. Engines need a GPU "
      "and TensorRT 10; none was built when this was written.";
  if (is_calibrated(options)) {
    text += " Numbers here have a zero point of their own, TensorRT's int8 has none: export f32 for it.";
  } else if (options.precision == OnnxExportOptions::Precision::int8) {
    text += " TensorRT does not read MatMulInteger: export f32 for it.";
  }
  return text + "\n";
}

std::string tensorrt_profiles(const LoadedModel& model, const std::vector<OnnxGraph>& graphs) {
  json profiles = json::object();
  for (const OnnxGraph& graph : graphs) {
    for (const auto& [name, shapes] : profile_of(model, graph)) profiles[graph.file][name] = shapes;
  }
  return profiles.dump(2) + "\n";
}

std::string tensorrt_commands(const LoadedModel& model, const std::vector<OnnxGraph>& graphs) {
  std::string script =
      "#!/bin/sh\n# Builds TensorRT engines from the ONNX files beside this script; arguments go to trtexec, "
      "e.g. "
      "--fp16.\nset -eu\ncd \"$(dirname \"$0\")\"\n";
  constexpr std::array<const char*, 3> kOptions = {"minShapes", "optShapes", "maxShapes"};
  for (const OnnxGraph& graph : graphs) {
    script += "\ntrtexec --onnx=" + graph.file +
              " --saveEngine=" + graph.file.substr(0, graph.file.size() - 5) + ".engine";
    const auto profile = profile_of(model, graph);
    for (std::size_t i = 0; i < kOptions.size(); ++i) {
      script += std::string(" \\\n  --") + kOptions[i] + "=";
      for (std::size_t input = 0; input < profile.size(); ++input) {
        script += (input == 0 ? "" : ",") + profile[input].first + ":";
        const std::vector<std::int64_t>& shape = profile[input].second[i];
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
          script += (axis == 0 ? "" : "x") + std::to_string(shape[axis]);
        }
      }
    }
    script += " \"$@\"\n";
  }
  return script;
}

}  // namespace moa
