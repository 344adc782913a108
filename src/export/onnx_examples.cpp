#include "export/onnx_examples.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>

#include <moa/error.hpp>
#include <nlohmann/json.hpp>

#include "embed/open_clip_texts.hpp"

namespace moa {
namespace {

using Holds = OnnxGraph::Holds;

constexpr std::string_view kText = "a photo of a dog";

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : between) + part;
  return all;
}

const OnnxGraph* graph_of(const std::vector<OnnxGraph>& graphs, Holds holds) {
  const auto found = std::ranges::find(graphs, holds, &OnnxGraph::holds);
  return found == graphs.end() ? nullptr : &*found;
}

// The ids of kText without what pads it; those of no text if there is no tokenizer.
std::vector<std::string> example_ids(const LoadedModel& model) {
  std::vector<std::int32_t> ids{0};
  try {
    ids = model.prepare_text(kText, std::nullopt).ids;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
  }
  while (ids.size() > 1 && ids[ids.size() - 2] == ids.back()) ids.pop_back();
  std::vector<std::string> words;
  words.reserve(ids.size());
  for (const std::int32_t id : ids) words.push_back(std::to_string(id));
  return words;
}

const char* numpy_type(onnx::ElementType type) {
  return type == onnx::ElementType::i64 ? "np.int64" : "np.int32";
}

std::string python_texts(const LoadedModel& model, const OnnxGraph& graph) {
  const std::string type = numpy_type(graph.text.type);
  const bool is_immich = graph.file.starts_with("textual/");
  const bool has_mask = !graph.text.mask.empty();
  std::string code;
  // What open_clip does around a tokenizer, the tokenizer's file does not.
  const OpenClipTexts around = OpenClipTexts::read(model.directory().layout(), model.directory().config());
  const bool is_alone = !around.strips_separator && around.clean != OpenClipTexts::Clean::canonicalize;
  if (is_alone && model.directory().file("tokenizer.json")) {
    const std::string text = nlohmann::json(model.with_prompt(kText, std::nullopt)).dump();
    const std::string most = std::to_string(model.longest_text());
    std::string length;
    if (graph.text.tokens > 0) {
      const std::int32_t pad = model.prepare_text("", std::nullopt).ids.back();
      length = "length=" + std::to_string(graph.text.tokens) + ", pad_id=" + std::to_string(pad);
    }
    code = "tokenizer = Tokenizer.from_file(\"" + std::string(is_immich ? "textual/" : "") +
           "tokenizer.json\")\ntokenizer.enable_truncation(" + most + ")\ntokenizer.enable_padding(" +
           length + ")\nbatch = tokenizer.encode_batch([" + text + "])\nfeed = {\"" + graph.text.ids +
           "\": np.array([text.ids for text in batch], dtype=" + type + ")}\n";
    if (has_mask) {
      code += "feed[\"" + graph.text.mask +
              "\"] = np.array([text.attention_mask for text in batch], dtype=" + type + ")\n";
    }
  } else {
    const std::vector<std::string> ids = example_ids(model);
    const std::string missing = std::to_string(graph.text.tokens) + " - len(ids)";
    code = "ids = [" + joined(ids, ", ") + "]  # of \"" + std::string(kText) +
           "\", from the model's tokenizer\n";
    if (graph.text.tokens > 0) code += "ids += [ids[-1]] * (" + missing + ")\n";
    code += "feed = {\"" + graph.text.ids + "\": np.array([ids], dtype=" + type + ")}\n";
    if (has_mask)
      code += "feed[\"" + graph.text.mask + "\"] = np.ones_like(feed[\"" + graph.text.ids + "\"])\n";
  }
  return code + "session = onnxruntime.InferenceSession(\"" + graph.file +
         "\")\ntexts = unit(session.run([\"" + graph.text_vector + "\"], feed)[0])\n";
}

// The sizes of one picture: 2 by 3 patches, or what the graph takes.
std::vector<std::int64_t> picture_sizes(const OnnxGraph& graph) {
  constexpr std::int64_t kPatches = 6;
  std::vector<std::int64_t> sizes{1};
  for (const onnx::Dimension& dimension : std::span(graph.graph.inputs.front().shape).subspan(1)) {
    sizes.push_back(dimension.name.empty() ? dimension.size : kPatches);
  }
  return sizes;
}

std::vector<std::string> as_words(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> words;
  words.reserve(numbers.size());
  for (const std::int64_t number : numbers) words.push_back(std::to_string(number));
  return words;
}

std::string python_pictures(const OnnxGraph& graph) {
  const std::string shape = joined(as_words(picture_sizes(graph)), ", ");
  const bool takes_patches = graph.graph.inputs.size() > 1;
  std::string code = "feed = {\"" + graph.image.pixels + "\": np.zeros((" + shape +
                     "), dtype=" + (graph.image.values ? "np.uint8" : "np.float32") +
                     ")}  # a picture, prepared as said above\n";
  if (takes_patches) {
    code += "feed[\"" + graph.image.mask +
            "\"] = np.ones((1, 6), dtype=np.int64)  # its patches all count\n" + "feed[\"" +
            graph.image.shapes + "\"] = np.array([[2, 3]], dtype=np.int64)  # 2 down, 3 across\n";
  }
  return code + "session = onnxruntime.InferenceSession(\"" + graph.file +
         "\")\npictures = unit(session.run([\"" + graph.image_vector + "\"], feed)[0])\n";
}

// One of the arrays that the C++ program feeds.
struct Feed {
  std::string name;
  std::string variable;
  std::string type;
  std::string shape;
  std::string made;  // the line that makes it
};

std::vector<Feed> text_feeds(const LoadedModel& model, const OnnxGraph& graph) {
  const std::string type = graph.text.type == onnx::ElementType::i64 ? "std::int64_t" : "std::int32_t";
  const std::vector<std::string> ids = example_ids(model);
  const std::int64_t length =
      graph.text.tokens > 0 ? graph.text.tokens : static_cast<std::int64_t>(ids.size());
  const std::string shape = "{1, " + std::to_string(length) + "}";
  std::string made = "std::vector<" + type + "> ids{" + joined(ids, ", ") + "};  // \"" + std::string(kText) +
                     "\", from the model's tokenizer";
  if (graph.text.tokens > 0) made += "\n  ids.resize(" + std::to_string(length) + ", ids.back());";
  std::vector<Feed> feeds{{graph.text.ids, "ids", type, shape, made}};
  if (!graph.text.mask.empty()) {
    feeds.push_back({graph.text.mask, "mask", type, shape,
                     "std::vector<" + type + "> mask(ids.size(), 1);  // all of them count"});
  }
  return feeds;
}

std::vector<Feed> picture_feeds(const OnnxGraph& graph) {
  const std::vector<std::int64_t> sizes = picture_sizes(graph);
  const std::int64_t count = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies());
  const std::string type = graph.image.values ? "std::uint8_t" : "float";
  std::vector<Feed> feeds{{graph.image.pixels, "pixels", type, "{" + joined(as_words(sizes), ", ") + "}",
                           "std::vector<" + type + "> pixels(" + std::to_string(count) +
                               ");  // a picture, prepared as said above"}};
  if (graph.graph.inputs.size() > 1) {
    feeds.push_back({graph.image.mask, "mask", "std::int64_t", "{1, 6}",
                     "std::vector<std::int64_t> mask(6, 1);  // its patches all count"});
    feeds.push_back({graph.image.shapes, "grid", "std::int64_t", "{1, 2}",
                     "std::vector<std::int64_t> grid{2, 3};  // patches down and across"});
  }
  return feeds;
}

}  // namespace

std::string python_example(const LoadedModel& model, const std::vector<OnnxGraph>& graphs) {
  const OnnxGraph* texts = graph_of(graphs, Holds::text);
  const OnnxGraph* pictures = graph_of(graphs, Holds::image);
  std::string code = "import numpy as np\nimport onnxruntime\n";
  if (texts != nullptr && model.directory().file("tokenizer.json"))
    code += "from tokenizers import Tokenizer\n";
  code +=
      "\n\ndef unit(vectors):\n    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)\n\n\n";
  if (texts != nullptr) code += python_texts(model, *texts);
  if (pictures != nullptr) code += (texts != nullptr ? "\n" : "") + python_pictures(*pictures);
  if (texts != nullptr && pictures != nullptr) return code + "\nprint(pictures @ texts.T)  # their cosine\n";
  return code + (texts != nullptr ? "print(texts)\n" : "print(pictures)\n");
}

std::string cpp_example(const LoadedModel& model, const std::vector<OnnxGraph>& graphs) {
  const OnnxGraph& graph = graphs.front();
  const bool is_text = graph.holds == Holds::text;
  const std::vector<Feed> feeds = is_text ? text_feeds(model, graph) : picture_feeds(graph);
  std::string code =
      "#include <onnxruntime_cxx_api.h>\n\n#include <array>\n#include <cstdint>\n#include <cstdio>\n"
      "#include <vector>\n\ntemplate <typename T>\n"
      "Ort::Value tensor(std::vector<T>& values, const std::vector<std::int64_t>& shape) {\n"
      "  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);\n"
      "  return Ort::Value::CreateTensor<T>(memory, values.data(), values.size(), shape.data(), "
      "shape.size());\n}\n\nint main() {\n  Ort::Env env;\n  Ort::Session session(env, \"" +
      graph.file + "\", Ort::SessionOptions{});\n";
  std::vector<std::string> names;
  std::string values;
  for (const Feed& feed : feeds) {
    code += "  " + feed.made + "\n";
    values += "  inputs.push_back(tensor(" + feed.variable + ", " + feed.shape + "));\n";
    names.push_back("\"" + feed.name + "\"");
  }
  code += "  std::vector<Ort::Value> inputs;\n" + values + "  const std::array input_names{" +
          joined(names, ", ") + "};\n  const std::array output_names{\"" +
          (is_text ? graph.text_vector : graph.image_vector) +
          "\"};\n"
          "  const std::vector<Ort::Value> outputs =\n"
          "      session.Run(Ort::RunOptions{nullptr}, input_names.data(), inputs.data(), inputs.size(), "
          "output_names.data(), 1);\n"
          "  const float* vector = outputs[0].GetTensorData<float>();\n"
          "  const std::size_t size = outputs[0].GetTensorTypeAndShapeInfo().GetElementCount();\n"
          "  for (std::size_t i = 0; i < size; ++i) std::printf(\"%.9g\\n\", vector[i]);\n}\n";
  return code;
}

}  // namespace moa
