// models: one file an architecture, written in Ops, and the registry of them. It knows no file, no backend,
// no picture and no tokenizer: a model is given its configuration and its weights, and turns token ids and
// pixels into vectors. This header: what every model that embeds is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "tensor/ops.hpp"
#include "tensor/weights.hpp"

namespace moa {

// What a model's image-text score is, given cosines.
struct ScoreRule {
  // softmax (over the texts) or sigmoid of scale * cosine + bias; cosine: itself.
  enum class Kind { softmax, sigmoid, cosine };
  Kind kind = Kind::softmax;
  double scale = 1;
  double bias = 0;
};

// Of a tower that attends to its padding: every text is brought to `tokens` ids, `id` behind its own, or, if
// it names none, as the tokenizer's files say.
struct TextPadding {
  std::int64_t tokens = 0;
  std::optional<std::int32_t> id{};
};

struct TextTowerFacts {
  std::string description;
  std::int64_t context_tokens = 0;       // the longest text, with its special tokens
  std::int64_t vocabulary = 0;           // ids must be below
  std::optional<TextPadding> padding{};  // absent: texts keep their lengths
  bool limits_texts_alone = false;       // context_tokens counts, whatever the tokenizer's files say
  bool lowercases = false;               // texts, whether or not the tokenizer does
  bool pools_prompts = true;             // false: the words before a text would have to be left out again
  bool pools_to_vector = false;          // the pooled row is the vector: nothing is projected behind it
};

struct ImageTowerFacts {
  std::string description;
  std::int64_t channels = 3;
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  bool takes_any_size = false;  // pictures as the processor makes them; these sizes are those it learned with
  // Of a tower that takes pictures in their own shapes, cut into square patches: the edge of one, and
  // height_px and width_px are 0. Otherwise 0.
  std::int64_t patch_px = 0;
  // The most pictures that are worth one pass; 0: as many as their pixels allow. Of convolutions whose maps
  // are many times larger than the picture, those of one or a few fill the caches already.
  std::int64_t most_at_once = 0;
  bool pools_to_vector = false;  // as of TextTowerFacts

  bool takes_patches() const { return patch_px > 0; }
};

// Says whether a text belongs to a picture by reading both together, where two vectors only say how near they
// are: BLIP's head for image-text matching.
class PairScorer {
 public:
  virtual ~PairScorer() = default;
  // A picture's rows as texts read them, the same for every text.
  virtual Rows forward_picture(Ops& ops, const Tensor& pixels) const = 0;
  // What EmbeddingModel::forward_image gives, from those rows.
  virtual Rows vector_of(Ops& ops, const Rows& picture) const = 0;
  // One row [1] a text: the probability that it belongs to its picture. There are n times as many texts as
  // pictures, and texts n i to n i + n - 1 are picture i's.
  virtual Rows forward_pairs(Ops& ops, const Rows& picture, const Tokens& texts) const = 0;
};

// What is known of a model that embeds, whoever computes its vectors. Immutable.
class ModelFacts {
 public:
  virtual ~ModelFacts() = default;

  virtual std::int64_t dim() const = 0;
  // nullptr if there is no such tower.
  virtual const TextTowerFacts* text() const = 0;
  virtual const ImageTowerFacts* image() const = 0;
  virtual ScoreRule score_rule() const = 0;
  // What divides a vector whose length is smaller, when it is put on the unit sphere; 0: nothing is guarded.
  virtual double normalize_eps() const { return 0; }
};

// Immutable; any number of threads may call forward at once, each with its own Ops.
class EmbeddingModel : public ModelFacts {
 public:
  // One row a text: its embedding, not normalised. Error: internal without a text tower.
  virtual Rows forward_text(Ops& ops, const Tokens& tokens) const = 0;
  // `pixels` [batch, channels, height_px, width_px] as the model's processor prepares them -> one row a
  // picture, not normalised. Error: internal without a tower for pictures of one size.
  virtual Rows forward_image(Ops& ops, const Tensor& pixels) const = 0;
  // The same of a tower that takes patches. A patch is a row of its pixels, channels innermost. Error:
  // internal without such a tower.
  virtual Rows forward_patches(Ops& ops, const Patches& patches) const;

  // A tower is a trunk and a head: forward_text() is text_head() of text_trunk(), forward_image() likewise.
  // The trunk gives one row an item, and the head is what is small and stands behind it, or nothing. Whoever
  // learns the head alone need compute the trunk's rows only once. Errors: as above.
  virtual Rows text_trunk(Ops& ops, const Tokens& tokens) const { return forward_text(ops, tokens); }
  virtual Rows text_head([[maybe_unused]] Ops& ops, const Rows& trunk) const { return trunk; }
  virtual Rows image_trunk(Ops& ops, const Tensor& pixels) const { return forward_image(ops, pixels); }
  virtual Rows image_head([[maybe_unused]] Ops& ops, const Rows& trunk) const { return trunk; }

  // nullptr if the model has vectors only.
  virtual const PairScorer* pair_scorer() const { return nullptr; }
};

// How a checkpoint's files are laid out and its tensors named.
enum class CheckpointLayout {
  transformers,
  open_clip,
  openai,  // a file of weights alone, named as open_clip names them
  sentence_transformers,
};

// Which towers the models of an architecture have.
enum class TowerSet { text_and_image, text };

// One entry of the registry: everything that is known about an architecture before a checkpoint of it is
// loaded.
struct Architecture {
  std::string_view name;  // as shown to users: "clip"
  CheckpointLayout layout = CheckpointLayout::transformers;
  std::string_view model_type;  // of config.json; empty: open_clip's own configuration
  std::string_view summary;     // one line: what it is and which checkpoints are of it
  // Takes its tensors out of `weights`; the caller calls weights.finish(). Errors: unsupported, out_of_range,
  // naming field and value.
  std::unique_ptr<EmbeddingModel> (*build)(const Config& config, Weights& weights);
  TowerSet towers = TowerSet::text_and_image;
  // transformers' class of the picture processor where preprocessor_config.json names none; empty if it must.
  std::string_view image_processor{};
};

std::span<const Architecture> architectures();
// "transformers", "open_clip", "openai", "sentence_transformers".
std::string_view name(CheckpointLayout layout) noexcept;

// The architecture that `config` names. Error: unsupported, with the name found and those known.
const Architecture& architecture_of(const Config& config, CheckpointLayout layout);

}  // namespace moa
