// The names of files, inputs and outputs that readers of exported graphs expect, and that moa itself finds
// them by.
#pragma once

#include <string_view>

namespace moa {

// optimum and transformers.js. Inputs and outputs: huggingface/optimum-onnx,
// optimum/exporters/onnx/model_configs.py (CLIPOnnxConfig, SiglipOnnxConfig), where a tower's vector is as
// its projection leaves it, and on the unit sphere in the graph of both. Files and suffixes:
// huggingface/transformers.js, src/models.js and src/utils/dtypes.js, whose default in a browser is
// "_quantized".
namespace optimum {
inline constexpr std::string_view kFolder = "onnx";
inline constexpr std::string_view kText = "text_model";
inline constexpr std::string_view kImage = "vision_model";
inline constexpr std::string_view kBoth = "model";
inline constexpr std::string_view kF16Suffix = "_fp16";
inline constexpr std::string_view kInt8Suffix = "_quantized";
inline constexpr std::string_view kIds = "input_ids";
inline constexpr std::string_view kMask = "attention_mask";
inline constexpr std::string_view kPixels = "pixel_values";
inline constexpr std::string_view kBytes = "pixel_bytes";  // moa's own: where the graph makes values of them
// Of pictures in their own shapes, as Siglip2ImageProcessor calls what it gives and Siglip2VisionModel what
// it takes: huggingface/transformers, src/transformers/models/siglip2.
inline constexpr std::string_view kPixelMask = "pixel_attention_mask";
inline constexpr std::string_view kShapes = "spatial_shapes";
inline constexpr std::string_view kTextVector = "text_embeds";
inline constexpr std::string_view kImageVector = "image_embeds";
inline constexpr std::string_view kPerImage = "logits_per_image";
inline constexpr std::string_view kPerText = "logits_per_text";
inline constexpr std::string_view kBatch = "batch_size";
inline constexpr std::string_view kTextBatch = "text_batch_size";
inline constexpr std::string_view kImageBatch = "image_batch_size";
inline constexpr std::string_view kLength = "sequence_length";
inline constexpr std::string_view kPatches = "num_patches";
// moa's own, of a model that also reads a picture and a text together: the graph of pictures gives the rows
// that texts look at, under transformers' name, and a third graph takes them beside a text for each.
inline constexpr std::string_view kMatch = "match_model";
inline constexpr std::string_view kHidden = "last_hidden_state";
inline constexpr std::string_view kSeen = "encoder_hidden_states";
inline constexpr std::string_view kProbability = "match_probability";
// What others' graphs may take or give beside them: the second sequence of BERT's, and, as
// SiglipTextModel's and SiglipVisionModel's own output, the vector.
inline constexpr std::string_view kTypes = "token_type_ids";
inline constexpr std::string_view kPooled = "pooler_output";
inline constexpr std::string_view kOtherInt8Suffix = "_int8";
}  // namespace optimum

// immich, machine learning: immich-app/immich, machine-learning/immich_ml/models/clip/textual.py and
// visual.py (class OpenClip…; MClip… for towers that need a mask), base.py (files), and the exporter beside
// them. Vectors are on the unit sphere; ids are int32.
namespace immich {
inline constexpr std::string_view kTextFolder = "textual";
inline constexpr std::string_view kImageFolder = "visual";
inline constexpr std::string_view kFile = "model.onnx";
inline constexpr std::string_view kConfig = "config.json";
inline constexpr std::string_view kProcessor = "preprocess_cfg.json";
inline constexpr std::string_view kIds = "text";
inline constexpr std::string_view kMaskedIds = "input_ids";
inline constexpr std::string_view kMask = "attention_mask";
inline constexpr std::string_view kPixels = "image";
inline constexpr std::string_view kVector = "embedding";
}  // namespace immich

}  // namespace moa
