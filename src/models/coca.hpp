// The embedding side of CoCa as open_clip builds it: a ViT whose rows a learned query reads, and a text
// transformer with a class token behind the text. Yu et al. 2022, "CoCa: Contrastive Captioners are
// Image-Text Foundation Models" (arXiv 2205.01917), section 3.2; reference: open_clip 3.3 CoCa. The part that
// writes captions is not here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/clip.hpp"

namespace moa {

// Learned queries read an item's rows: attention with norms before both.
struct CocaPooler {
  Parameter query;  // [queries, dim]
  LayerNorm norm_query;
  LayerNorm norm_rows;
  Linear q;
  Linear kv;  // keys, and values below them; of the rows' width
  Linear out;
  std::int64_t heads = 0;

  // As many rows an item as there are queries.
  Rows forward(Ops& ops, const Rows& x) const;
};

struct CocaVision {
  ClipVision trunk;
  CocaPooler pooler;
  // As in the paper, a query of its own for the vector: over the trunk's rows ("parallel") or over what
  // `pooler` gives ("cascade"). Absent: the first of the pooler's queries, the only one that is kept, is the
  // vector, and the norm comes behind it.
  std::optional<CocaPooler> contrastive;
  bool cascades = false;
  LayerNorm post_norm;
  Linear projection;

  Rows forward(Ops& ops, const Tensor& pixels) const;
};

// A causal transformer. The class token at the end of the padded text sees what the published weights learned
// to see: the first row, and every row that follows a token which is not padding.
struct CocaText {
  Parameter token_embedding;     // [vocabulary, width]
  Parameter class_embedding;     // [1, width]
  Parameter position_embedding;  // [context + 1, width]
  std::vector<TransformerBlock> blocks;
  std::vector<Linear> queries;  // of each block, for the class token alone
  LayerNorm final_norm;
  Linear projection;
  std::int32_t padding_id = 0;

  // `tokens` are padded to the context.
  Rows forward(Ops& ops, const Tokens& tokens) const;
};

// Whether open_clip's "vision_cfg" or "text_cfg" asks for one of these towers.
bool is_coca_vision(const Config& config);
bool is_coca_text(const Config& config);

// `config` is "vision_cfg" or "text_cfg"; `scope` is where "conv1.weight" or "token_embedding.weight" begin.
// Errors: unsupported, naming field and value; shape_mismatch.
CocaVision take_coca_vision(const WeightScope& scope, const Config& config, const ClipVisionConfig& sizes,
                            std::int64_t dim);
CocaText take_coca_text(const WeightScope& scope, const Config& config, const ClipTextConfig& sizes,
                        std::int64_t dim);
TextTowerFacts coca_text_facts(const ClipTextConfig& sizes, const CocaText& text);

}  // namespace moa
