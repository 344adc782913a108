#include "export/onnx_readme.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "image/processor.hpp"

namespace moa {
namespace {

using nlohmann::json;
using Holds = OnnxGraph::Holds;

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

const OnnxGraph& one_tower(const std::vector<OnnxGraph>& graphs) {
  return graphs.front();
}

// ", 3, 224, 224".
std::string sizes_behind_batch(const onnx::Port& port) {
  std::string sizes;
  for (std::size_t axis = 1; axis < port.shape.size(); ++axis) {
    sizes += ", " + std::to_string(port.shape[axis].size);
  }
  return sizes;
}

std::string python_example(const OnnxGraph& graph) {
  std::string code = "import numpy as np\nimport onnxruntime\n";
  if (graph.holds == Holds::text) {
    const std::string type = graph.text.type == onnx::ElementType::i64 ? "int64" : "int32";
    const std::string padding =
        graph.text.tokens > 0 ? "tokenizer.enable_padding(length=" + std::to_string(graph.text.tokens) + ")"
                              : "tokenizer.enable_padding()";
    const std::string folder = graph.file.starts_with("textual/") ? "textual/" : "";
    code += "from tokenizers import Tokenizer\n\ntokenizer = Tokenizer.from_file(\"" + folder +
            "tokenizer.json\")\n" + padding +
            "\nbatch = tokenizer.encode_batch([\"a photo of a dog\", \"a photo of a cat on a sofa\"])\n"
            "session = onnxruntime.InferenceSession(\"" +
            graph.file + "\")\nfeed = {\"" + graph.text.ids +
            "\": np.array([text.ids for text in batch], dtype=np." + type + ")}\n";
    if (!graph.text.mask.empty()) {
      code += "feed[\"" + graph.text.mask +
              "\"] = np.array([text.attention_mask for text in batch], dtype=np." + type + ")\n";
    }
    code += "vectors = session.run([\"" + graph.text_vector + "\"], feed)[0]\n";
  } else {
    code += "\npixels = np.zeros((1" + sizes_behind_batch(graph.graph.inputs.front()) + "), dtype=np." +
            (graph.image.values ? "uint8" : "float32") +
            ")  # a picture, prepared as said above\n"
            "session = onnxruntime.InferenceSession(\"" +
            graph.file + "\")\nvectors = session.run([\"" + graph.image_vector + "\"], {\"" +
            graph.image.pixels + "\": pixels})[0]\n";
  }
  return code + "vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)\n";
}

std::string cpp_example(const OnnxGraph& graph) {
  const onnx::Port& input = graph.graph.inputs.front();
  const bool is_text = graph.holds == Holds::text;
  const std::string type = !is_text && graph.image.values              ? "std::uint8_t"
                           : !is_text                                  ? "float"
                           : graph.text.type == onnx::ElementType::i64 ? "std::int64_t"
                                                                       : "std::int32_t";
  const bool masked = is_text && !graph.text.mask.empty();
  std::string shape = "1";
  for (std::size_t i = 1; i < input.shape.size(); ++i) {
    shape += ", " + (input.shape[i].name.empty() ? std::to_string(input.shape[i].size) : "length");
  }
  std::string code =
      "#include <onnxruntime_cxx_api.h>\n\n#include <array>\n#include <cstdint>\n#include <vector>\n\n"
      "std::vector<float> embed(std::vector<" +
      type + "> values" + (is_text ? ", std::int64_t length" : "") +
      ") {\n"
      "  static Ort::Env env;\n  static Ort::Session session(env, \"" +
      graph.file +
      "\", Ort::SessionOptions{});\n"
      "  const std::array<std::int64_t, " +
      std::to_string(input.shape.size()) + "> shape{" + shape +
      "};\n"
      "  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);\n"
      "  std::vector<Ort::Value> inputs;\n"
      "  inputs.push_back(Ort::Value::CreateTensor<" +
      type + ">(memory, values.data(), values.size(), shape.data(), shape.size()));\n";
  if (masked) {
    code += "  std::vector<" + type +
            "> mask(values.size(), 1);  // one text, nothing padded\n"
            "  inputs.push_back(Ort::Value::CreateTensor<" +
            type + ">(memory, mask.data(), mask.size(), shape.data(), shape.size()));\n";
  }
  code += "  const std::array input_names{\"" + input.name + "\"" +
          (masked ? ", \"" + graph.text.mask + "\"" : std::string()) +
          "};\n  const std::array output_names{\"" + (is_text ? graph.text_vector : graph.image_vector) +
          "\"};\n  auto outputs = session.Run({}, input_names.data(), inputs.data(), inputs.size(), "
          "output_names.data(), 1);\n"
          "  const float* begin = outputs[0].GetTensorData<float>();\n"
          "  return {begin, begin + outputs[0].GetTensorTypeAndShapeInfo().GetElementCount()};\n}\n";
  return code;
}

std::string score(const ScoreRule& rule) {
  if (rule.kind == ScoreRule::Kind::cosine) return "the cosine of its vectors";
  const bool is_sigmoid = rule.kind == ScoreRule::Kind::sigmoid;
  return (is_sigmoid ? "the sigmoid of " : "the softmax over the texts of ") + json(rule.scale).dump() +
         " · cosine" + (rule.bias == 0 ? "" : " + " + json(rule.bias).dump());
}

using Shapes = std::array<std::vector<std::int64_t>, 3>;  // least, likely, largest

// Only of inputs that have a dynamic size.
std::vector<std::pair<std::string, Shapes>> profile_of(const LoadedModel& model, const OnnxGraph& graph) {
  std::vector<std::pair<std::string, Shapes>> profile;
  for (const onnx::Port& port : graph.graph.inputs) {
    Shapes shapes;
    const bool is_text = port.name != graph.image.pixels || graph.holds == Holds::text;
    const std::int64_t most_tokens = is_text ? model.network().text()->context_tokens : 0;
    for (std::size_t axis = 0; axis < port.shape.size(); ++axis) {
      const onnx::Dimension& dimension = port.shape[axis];
      std::array<std::int64_t, 3> sizes{dimension.size, dimension.size, dimension.size};
      if (!dimension.name.empty()) {
        sizes = axis == 0 ? std::array<std::int64_t, 3>{1, kLikelyBatch, kMostBatch}
                          : std::array<std::int64_t, 3>{1, std::min(kLikelyTokens, most_tokens), most_tokens};
      }
      for (std::size_t i = 0; i < sizes.size(); ++i) shapes[i].push_back(sizes[i]);
    }
    profile.emplace_back(port.name, std::move(shapes));
  }
  return profile;
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
  if (model.network().text() != nullptr) {
    text += "\nTexts have at most " + std::to_string(model.network().text()->context_tokens) +
            " tokens, special tokens included; cut longer ones.";
    const std::string prompt = model.with_prompt("", std::nullopt);
    if (!prompt.empty()) text += " Every text is to begin with `" + prompt + "`.";
    text += "\n";
  }
  if (std::any_of(graphs.begin(), graphs.end(),
                  [](const OnnxGraph& graph) { return graph.holds != Holds::text; })) {
    text += "\nPictures are prepared so: " + model.processor().description() + "\n";
    if (options.pictures == OnnxExportOptions::Pictures::bytes) {
      text +=
          "The graphs take them as they are before their values are changed: bytes of red, green and blue.\n";
    }
  }
  text += "\nThe score of a pair is " + score(model.network().score_rule()) + ".\n";
  if (options.layout == OnnxExportOptions::Layout::optimum) {
    text +=
        "\nThe vectors of a tower are as its projection leaves them; put them on the unit sphere before you "
        "compare them.\n";
  }
  const OnnxGraph& graph = one_tower(graphs);
  text += "\n## In Python\n\n```python\n" + python_example(graph) + "```\n\n## In C++\n\n```cpp\n" +
          cpp_example(graph) + "```\n";
  text +=
      "\n## TensorRT\n\n`build_tensorrt.sh` builds engines by `trtexec`, `build_tensorrt.py` by TensorRT's "
      "Python package; both take the sizes that they allow from the same profiles. Engines need a GPU "
      "and TensorRT 10; none was built when this was written.";
  if (options.precision == OnnxExportOptions::Precision::int8) {
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
