#include <array>
#include <string>

#include <moa/error.hpp>

#include "models/align.hpp"
#include "models/altclip.hpp"
#include "models/blip.hpp"
#include "models/chinese_clip.hpp"
#include "models/clip.hpp"
#include "models/dual_encoder.hpp"
#include "models/embedding_model.hpp"
#include "models/metaclip_2.hpp"
#include "models/moa_mini.hpp"
#include "models/open_clip.hpp"
#include "models/openai_clip.hpp"
#include "models/sentence_transformers.hpp"
#include "models/siglip.hpp"
#include "models/siglip2.hpp"
#include "nn/bert_text.hpp"

namespace moa {
namespace {

// One a line.
// clang-format off
constexpr std::array kArchitectures = {
    kAlignArchitecture,
    kAltClipArchitecture,
    kBlipArchitecture,
    kChineseClipArchitecture,
    kClipArchitecture,
    kDualEncoderArchitecture,
    kMetaClip2Architecture,
    kMoaMiniArchitecture,
    kOpenAiClipArchitecture,
    kOpenClipArchitecture,
    kSentenceTransformersArchitecture,
    kSiglip2Architecture,
    kSiglipArchitecture,
};
// clang-format on

}  // namespace

Rows EmbeddingModel::forward_patches(Ops&, const Patches&) const {
  throw Error(ErrorCode::internal, "patches were given to a model that takes pictures of one size");
}

std::span<const Architecture> architectures() {
  return kArchitectures;
}

std::string_view name(CheckpointLayout layout) noexcept {
  switch (layout) {
    case CheckpointLayout::transformers:
      return "transformers";
    case CheckpointLayout::open_clip:
      return "open_clip";
    case CheckpointLayout::openai:
      return "openai";
    case CheckpointLayout::sentence_transformers:
      return "sentence_transformers";
  }
  return "unknown";
}

const Architecture& architecture_of(const Config& config, CheckpointLayout layout) {
  const std::string model_type =
      layout == CheckpointLayout::transformers ? config.string("model_type", "") : "";
  std::string known;
  for (const Architecture& architecture : architectures()) {
    if (architecture.layout != layout) continue;
    if (architecture.model_type == model_type) return architecture;
    known += (known.empty() ? "'" : ", '") + std::string(architecture.model_type) + "'";
  }
  throw Error(ErrorCode::unsupported,
              config.where() + ": found model_type '" + model_type + "', expected one of " + known +
                  (is_bert_text(model_type) ? "; a text model embeds with a modules.json and a "
                                              "1_Pooling/config.json, as sentence-transformers saves them"
                                            : ""));
}

}  // namespace moa
