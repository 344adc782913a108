// CLIP: one tower for pictures, one for texts, into one space.
// Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision" (arXiv
// 2103.00020), section 2.4. Reference: transformers 5.23 CLIPModel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/embedding_model.hpp"
#include "nn/transformer.hpp"

namespace moa {

// Which of a text's rows stands for it.
struct TextRow {
  enum class Kind { by_token, first, last };
  Kind kind = Kind::by_token;
  TokenRule rule = {};  // of by_token
};

struct ClipTextConfig {
  TransformerSizes transformer{12, 512, 8, 2048, Activation::quick_gelu, 1e-5};
  std::int64_t vocabulary = 49408;
  std::int64_t context_tokens = 77;
  Mask mask = Mask::causal;
  TextRow row{TextRow::Kind::by_token, {TokenRule::Kind::first_of, 49407}};
  std::optional<std::int32_t> padding_id{};  // absent: as the tokenizer's files say

  // Whether what stands behind a text's own tokens changes its vector.
  bool sees_padding() const { return mask == Mask::none || row.kind == TextRow::Kind::last; }
};

struct ClipVisionConfig {
  TransformerSizes transformer{12, 768, 12, 3072, Activation::quick_gelu, 1e-5};
  std::int64_t image_px = 224;
  std::int64_t patch_px = 32;
  std::int64_t channels = 3;
  bool norm_before = true;  // of the rows, before the first block
  enum class Pool { class_row, mean_of_normed, normed_mean };
  Pool pool = Pool::class_row;

  std::int64_t patches() const { return (image_px / patch_px) * (image_px / patch_px); }
};

// A picture's patches, a class token before them, transformer blocks; the class token's row is the picture,
// or, as CLIPA has it, the mean of the patches'.
struct ClipVision {
  Convolution patch_embedding;   // stride = patch size, no bias
  Parameter class_embedding;     // [width]
  Parameter position_embedding;  // [1 + patches, width]
  LayerNorm pre_norm;            // absent: rows enter the blocks as they are
  std::vector<TransformerBlock> blocks;
  LayerNorm post_norm;
  Linear projection;  // [dim, width], no bias
  std::int64_t patch_px = 0;
  ClipVisionConfig::Pool pool = ClipVisionConfig::Pool::class_row;

  // The rows of class token and patches that the first block is given, and those that the last one gives.
  Rows begin(Ops& ops, const Tensor& pixels) const;
  Rows rows(Ops& ops, const Tensor& pixels) const;
  // forward() is the head, the projection, of the trunk.
  Rows trunk(Ops& ops, const Tensor& pixels) const;
  Rows head(Ops& ops, const Rows& trunk) const;
  Rows forward(Ops& ops, const Tensor& pixels) const;
};

// Tokens under a causal mask, and the end-of-text token's row is the text; or, as SigLIP has it, each sees
// all and the last one, most often padding, is the text.
struct ClipText {
  Parameter token_embedding;     // [vocabulary, width]
  Parameter position_embedding;  // [context, width]
  std::vector<TransformerBlock> blocks;
  LayerNorm final_norm;
  Linear projection;  // [dim, width]; CLIP's has no bias; empty: the pooled row is the vector
  Mask mask = Mask::causal;
  TextRow row;

  // As of ClipVision.
  Rows trunk(Ops& ops, const Tokens& tokens) const;
  Rows head(Ops& ops, const Rows& trunk) const;
  Rows forward(Ops& ops, const Tokens& tokens) const;
};

// e^logit_scale, `logit_scale` having one element. Error: corrupt_data unless it is a finite number above 0.
double score_scale(const Parameter& logit_scale);
// Softmax over the texts of e^logit_scale times the cosine. Error: that of score_scale().
ScoreRule softmax_rule(const Parameter& logit_scale);
// What a text tower of these sizes needs to be told about texts.
TextTowerFacts facts_of(const ClipTextConfig& config);

// CLIP's picture tower by the names and defaults that transformers gives it, for models that share it; the
// projection is "visual_projection" of `model`. Errors: those of read_sizes; out_of_range.
ClipVisionConfig read_clip_vision(const Config& config);
ClipVision take_clip_vision(const WeightScope& tower, const WeightScope& model,
                            const ClipVisionConfig& config, std::int64_t dim);
ImageTowerFacts facts_of(const ClipVisionConfig& config);

// The part `name` of a configuration. Files written by transformers 4 may hold it twice; `<name>_dict` is
// taken then, alone: what it leaves out is the default, whatever `name` says.
Config legacy_part(const Config& config, const std::string& name);

std::unique_ptr<EmbeddingModel> build_clip(const Config& config, Weights& weights);
// Of a model that is CLIP but for where its texts end: `end_of` gives the rule for the `eos_token_id`.
std::unique_ptr<EmbeddingModel> build_clip_ending_at(const Config& config, Weights& weights,
                                                     TokenRule (*end_of)(std::int32_t end_id));

inline constexpr Architecture kClipArchitecture{
    "clip",
    CheckpointLayout::transformers,
    "clip",
    "CLIP with ViT pictures: openai/clip-vit-*, laion/CLIP-ViT-*, apple/DFN*, and fine-tunes of them",
    build_clip,
    TowerSet::text_and_image,
    "CLIPImageProcessor"};

}  // namespace moa
