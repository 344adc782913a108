#include "models/metaclip_2.hpp"

#include "models/clip.hpp"

namespace moa {

// CLIP's network; a text's row is that of its first end, whose id XLM-V's vocabulary has as 2: the number by
// which the oldest files of CLIP mean something else.
std::unique_ptr<EmbeddingModel> build_metaclip_2(const Config& config, Weights& weights) {
  return build_clip_ending_at(config, weights, [](std::int32_t end_id) {
    return TokenRule{TokenRule::Kind::first_of, end_id};
  });
}

}  // namespace moa
