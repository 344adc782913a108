#include "export/onnx_graphs.hpp"

#include <utility>

#include <moa/error.hpp>

#include "backends/onnx/names.hpp"
#include "backends/onnx/precision.hpp"

namespace moa {
namespace {

using Towers = OnnxExportOptions::Towers;
using Layout = OnnxExportOptions::Layout;
using GraphPrecision = OnnxExportOptions::Precision;
using Holds = OnnxGraph::Holds;

Rows text_rows(const EmbeddingModel& model, OnnxInterpreter& ops) {
  return model.forward_text(ops, ops.tokens({}, {}, {}));
}

Tensor fixed_pixels(const EmbeddingModel& model, const PictureInput& picture, OnnxInterpreter& ops) {
  return ops.pixels({}, 1, model.image()->channels, picture.height_px, picture.width_px);
}

Rows image_rows(const EmbeddingModel& model, const PictureInput& picture, OnnxInterpreter& ops) {
  if (picture.patch_width > 0) return model.forward_patches(ops, ops.patches({}, picture.patch_width, {}));
  return model.forward_image(ops, fixed_pixels(model, picture, ops));
}

onnx::Graph in_precision(const onnx::Graph& graph, const OnnxExportOptions& options) {
  if (is_calibrated(options)) return graph;
  switch (options.precision) {
    case GraphPrecision::f16:
      return onnx::in_f16(graph);
    case GraphPrecision::int8:
      return onnx::in_dynamic_int8(graph);
    case GraphPrecision::f32:
      break;
  }
  return graph;
}

// A tower that attends to its padding has one length, and needs no mask to say which ids are padding.
OnnxTextInput text_input(const EmbeddingModel& model, std::string_view ids, std::string_view mask,
                         std::string_view batch, onnx::ElementType type) {
  OnnxTextInput input;
  input.ids = ids;
  input.type = type;
  input.batch = batch;
  input.length = optimum::kLength;
  const auto& padding = model.text()->padding;
  input.mask = padding ? "" : mask;
  input.tokens = padding ? padding->tokens : 0;
  return input;
}

std::string optimum_file(std::string_view name, const OnnxExportOptions& options) {
  const std::string_view suffix = options.precision == GraphPrecision::f16    ? optimum::kF16Suffix
                                  : options.precision == GraphPrecision::int8 ? optimum::kInt8Suffix
                                                                              : std::string_view();
  return std::string(optimum::kFolder) + "/" + std::string(name) + std::string(suffix) + ".onnx";
}

OnnxGraph optimum_graph(const EmbeddingModel& model, const PictureInput& picture,
                        const OnnxExportOptions& options, Holds holds) {
  const bool both = holds == Holds::both;
  OnnxGraph result;
  result.holds = holds;
  OnnxOptions how;
  how.opset = options.opset;
  const std::string_view name = both                   ? optimum::kBoth
                                : holds == Holds::text ? optimum::kText
                                                       : optimum::kImage;
  how.name = name;
  if (holds != Holds::image) {
    how.text = text_input(model, optimum::kIds, optimum::kMask, both ? optimum::kTextBatch : optimum::kBatch,
                          onnx::ElementType::i64);
    result.text = how.text;
    result.text_vector = optimum::kTextVector;
  }
  if (holds != Holds::text) {
    how.image = {std::string(picture.values ? optimum::kBytes : optimum::kPixels),
                 std::string(both ? optimum::kImageBatch : optimum::kBatch),
                 picture.values,
                 std::string(optimum::kPixelMask),
                 std::string(optimum::kShapes),
                 std::string(optimum::kPatches)};
    result.image = how.image;
    result.image_vector = optimum::kImageVector;
  }
  OnnxInterpreter ops(how);
  if (both) {
    const ScoreRule rule = model.score_rule();
    const Rows texts = ops.l2_normalize(text_rows(model, ops), model.normalize_eps());
    const Rows images = ops.l2_normalize(image_rows(model, picture, ops), model.normalize_eps());
    result.per_image = optimum::kPerImage;
    ops.output_scores(images, texts,
                      {rule.scale, rule.bias, result.per_image, std::string(optimum::kPerText)});
    ops.output(result.text_vector, texts);
    ops.output(result.image_vector, images);
  } else if (holds == Holds::text) {
    ops.output(result.text_vector, text_rows(model, ops));
  } else if (model.pair_scorer() != nullptr) {
    const Rows seen = model.pair_scorer()->forward_picture(ops, fixed_pixels(model, picture, ops));
    ops.output(result.image_vector, model.pair_scorer()->vector_of(ops, seen));
    result.hidden = optimum::kHidden;
    ops.output_rows(result.hidden, seen);
  } else {
    ops.output(result.image_vector, image_rows(model, picture, ops));
  }
  result.graph = in_precision(ops.graph(), options);
  result.file = optimum_file(name, options);
  return result;
}

// What texts make of a picture's rows, which the graph of pictures gives. Calibration does not look into it.
OnnxGraph match_graph(const EmbeddingModel& model, const PictureInput& picture,
                      const OnnxExportOptions& options) {
  const PairScorer& scorer = *model.pair_scorer();
  OnnxInterpreter pictures(OnnxOptions{});
  const Rows seen = scorer.forward_picture(pictures, fixed_pixels(model, picture, pictures));
  OnnxGraph result;
  result.holds = Holds::match;
  result.file = optimum_file(optimum::kMatch, options);
  result.hidden = optimum::kSeen;
  result.probability = optimum::kProbability;
  OnnxOptions how;
  how.opset = options.opset;
  how.name = optimum::kMatch;
  how.text = text_input(model, optimum::kIds, optimum::kMask, optimum::kBatch, onnx::ElementType::i64);
  result.text = how.text;
  OnnxInterpreter ops(how);
  const Tokens texts = ops.tokens({}, {}, {});
  const Rows beside = ops.rows_beside(texts, result.hidden, seen);
  ops.output(result.probability, scorer.forward_pairs(ops, beside, texts));
  result.graph = options.precision == GraphPrecision::int8 ? onnx::in_dynamic_int8(ops.graph())
                                                           : in_precision(ops.graph(), options);
  return result;
}

OnnxGraph immich_text(const EmbeddingModel& model, const OnnxExportOptions& options) {
  OnnxGraph result;
  result.file = std::string(immich::kTextFolder) + "/" + std::string(immich::kFile);
  result.text_vector = immich::kVector;
  // Without a mask, if padding behind a text is nothing to its vector.
  for (const bool masked : {false, true}) {
    OnnxOptions how;
    how.opset = options.opset;
    how.name = immich::kTextFolder;
    how.text = text_input(model, masked ? immich::kMaskedIds : immich::kIds, masked ? immich::kMask : "",
                          optimum::kBatch, onnx::ElementType::i32);
    OnnxInterpreter ops(how);
    ops.output(result.text_vector, ops.l2_normalize(text_rows(model, ops), model.normalize_eps()));
    if (!masked && ops.needs_mask()) continue;
    result.text = how.text;
    result.graph = in_precision(ops.graph(), options);
    break;
  }
  return result;
}

OnnxGraph immich_image(const EmbeddingModel& model, const PictureInput& picture,
                       const OnnxExportOptions& options) {
  OnnxGraph result;
  result.holds = Holds::image;
  result.file = std::string(immich::kImageFolder) + "/" + std::string(immich::kFile);
  result.image_vector = immich::kVector;
  OnnxOptions how;
  how.opset = options.opset;
  how.name = immich::kImageFolder;
  how.image.pixels = immich::kPixels;
  result.image = how.image;
  OnnxInterpreter ops(how);
  ops.output(result.image_vector, ops.l2_normalize(image_rows(model, picture, ops), model.normalize_eps()));
  result.graph = in_precision(ops.graph(), options);
  return result;
}

}  // namespace

bool is_calibrated(const OnnxExportOptions& options) {
  return !options.calibration_pictures.empty() || !options.calibration_texts.empty();
}

std::vector<OnnxGraph> onnx_graphs(const EmbeddingModel& model, const PictureInput& picture,
                                   const OnnxExportOptions& options) {
  const bool has_text = model.text() != nullptr;
  const bool has_image = model.image() != nullptr;
  if ((options.towers == Towers::text && !has_text) || (options.towers == Towers::image && !has_image)) {
    throw Error(ErrorCode::unsupported, std::string("cannot export the ") + (has_text ? "picture" : "text") +
                                            " tower: the model has none");
  }
  if (has_image && model.image()->takes_patches() && options.towers != Towers::text &&
      (options.layout == Layout::immich || picture.values)) {
    throw Error(
        ErrorCode::unsupported,
        "cannot export the picture tower: it takes pictures in their own shapes, cut into patches, "
        "which immich does not prepare and no graph of bytes is given (--tower text exports the other)");
  }
  const bool text = has_text && options.towers != Towers::image;
  const bool image = has_image && options.towers != Towers::text;
  std::vector<OnnxGraph> graphs;
  if (options.layout == Layout::immich) {
    if (text) graphs.push_back(immich_text(model, options));
    if (image) graphs.push_back(immich_image(model, picture, options));
    return graphs;
  }
  if (text) graphs.push_back(optimum_graph(model, picture, options, Holds::text));
  if (image) graphs.push_back(optimum_graph(model, picture, options, Holds::image));
  if (text && image) graphs.push_back(optimum_graph(model, picture, options, Holds::both));
  if (text && image && model.pair_scorer() != nullptr) {
    graphs.push_back(match_graph(model, picture, options));
  }
  return graphs;
}

}  // namespace moa
