// What turns prepared inputs into vectors: moa's own network on moa's own kernels, or ONNX Runtime.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moa/error.hpp>
#include <moa/model.hpp>

#include "models/embedding_model.hpp"
#include "tensor/interpreter.hpp"

namespace moa {

// A text, tokenized for a model.
struct PreparedText {
  std::vector<std::int32_t> ids;
  bool truncated = false;
};

// A picture, prepared for a model: pixels [channels, height_px, width_px], or, for a tower that takes
// pictures in their own shapes, the patches of a grid.
struct PreparedImage {
  std::vector<float> values;
  PatchGrid grid{};
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
};

// Immutable once made; safe from any thread.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual const ModelFacts& facts() const = 0;
  // facts().score_rule(), where it is known before anything was run.
  virtual ScoreRule score_rule() const { return facts().score_rule(); }
  // nullptr where moa has no network, but somebody else's graph.
  virtual const EmbeddingModel* network() const { return nullptr; }
  // "moa", or what runs the model and where: "onnxruntime 1.32.0, provider cpu".
  virtual std::string description() const = 0;
  virtual std::string_view dtype() const = 0;  // what it computes in
  virtual int threads() const = 0;
  // What its forward passes so far come to; 0 if it does not count.
  virtual std::int64_t multiply_adds() const { return 0; }
  // Fills in what only it knows: architecture, parameters, dtypes, towers, format.
  virtual void describe(ModelInfo& info) const = 0;

  // Rows [items, dim]: the model's vectors; on the unit sphere unless `raw`. One forward pass, or, of a tower
  // that takes few pictures at once, as many as that needs.
  virtual std::vector<float> embed_texts(std::span<const PreparedText> texts, bool raw) const = 0;
  virtual std::vector<float> embed_images(std::span<const PreparedImage> pictures, bool raw) const = 0;

  // Rows [items, width]: what the towers' trunks give (EmbeddingModel). Error: internal without a network.
  virtual std::vector<float> text_trunks(std::span<const PreparedText>) const { throw without_network(); }
  virtual std::vector<float> image_trunks(std::span<const PreparedImage>) const { throw without_network(); }

  // Whether match_images() can be called.
  virtual bool matches_pairs() const { return false; }
  // LoadedModel::match_images.
  virtual std::vector<float> match_images(std::span<const PreparedImage>,
                                          std::span<const PreparedText>) const {
    throw Error(ErrorCode::internal, "a model without a head for pairs was asked to match them");
  }

 private:
  static Error without_network() {
    return {ErrorCode::internal, "somebody else's graph was asked for what its trunk gives"};
  }
};

}  // namespace moa
