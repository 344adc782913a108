// A text tower and a picture tower side by side: what most dual encoders are, whatever their towers.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "models/embedding_model.hpp"

namespace moa {

// Immutable, as a model. `Input`: what it makes rows of.
template <typename Input, typename Facts>
class Tower {
 public:
  virtual ~Tower() = default;
  virtual const Facts& facts() const = 0;
  // One row an item, in the common space: the head of the trunk (EmbeddingModel).
  virtual Rows forward(Ops& ops, const Input& input) const = 0;
  virtual Rows trunk(Ops& ops, const Input& input) const = 0;
  virtual Rows head(Ops& ops, const Rows& trunk) const = 0;
};

using TextTower = Tower<Tokens, TextTowerFacts>;
using ImageTower = Tower<Tensor, ImageTowerFacts>;

// A network with `Rows trunk(Ops&, const Input&) const` and `Rows head(Ops&, const Rows&) const`, of which
// its forward() is made.
template <typename Network, typename Input>
concept HasHead = requires(const Network& network, Ops& ops, const Input& input, const Rows& rows) {
  network.trunk(ops, input);
  network.head(ops, rows);
};

// A network that has `Rows forward(Ops&, const Input&) const`, as a tower.
template <typename Network, typename Input, typename Facts>
class TowerOf final : public Tower<Input, Facts> {
 public:
  TowerOf(Network network, Facts facts) : network_(std::move(network)), facts_(std::move(facts)) {}
  const Facts& facts() const override { return facts_; }
  Rows forward(Ops& ops, const Input& input) const override { return network_.forward(ops, input); }
  Rows trunk(Ops& ops, const Input& input) const override {
    if constexpr (HasHead<Network, Input>) return network_.trunk(ops, input);
    return network_.forward(ops, input);
  }
  Rows head([[maybe_unused]] Ops& ops, const Rows& trunk) const override {
    if constexpr (HasHead<Network, Input>) return network_.head(ops, trunk);
    return trunk;
  }
  const Network& network() const { return network_; }

 private:
  Network network_;
  Facts facts_;
};

template <typename Network>
using TextTowerOf = TowerOf<Network, Tokens, TextTowerFacts>;
template <typename Network>
using ImageTowerOf = TowerOf<Network, Tensor, ImageTowerFacts>;

class TwoTowers final : public EmbeddingModel {
 public:
  // `dim` is that of both towers' rows.
  TwoTowers(std::unique_ptr<const TextTower> text, std::unique_ptr<const ImageTower> image, std::int64_t dim,
            const ScoreRule& score_rule)
      : text_(std::move(text)), image_(std::move(image)), dim_(dim), score_rule_(score_rule) {}

  std::int64_t dim() const override { return dim_; }
  const TextTowerFacts* text() const override { return &text_->facts(); }
  const ImageTowerFacts* image() const override { return &image_->facts(); }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override { return text_->forward(ops, tokens); }
  Rows forward_image(Ops& ops, const Tensor& pixels) const override { return image_->forward(ops, pixels); }
  Rows text_trunk(Ops& ops, const Tokens& tokens) const override { return text_->trunk(ops, tokens); }
  Rows text_head(Ops& ops, const Rows& trunk) const override { return text_->head(ops, trunk); }
  Rows image_trunk(Ops& ops, const Tensor& pixels) const override { return image_->trunk(ops, pixels); }
  Rows image_head(Ops& ops, const Rows& trunk) const override { return image_->head(ops, trunk); }
  ScoreRule score_rule() const override { return score_rule_; }
  // The towers themselves, for whoever wants what is inside them, layer by layer.
  const TextTower& text_tower() const { return *text_; }
  const ImageTower& image_tower() const { return *image_; }

 private:
  std::unique_ptr<const TextTower> text_;
  std::unique_ptr<const ImageTower> image_;
  std::int64_t dim_;
  ScoreRule score_rule_;
};

// The model of two networks and what is known of each; `dim` as TwoTowers has it.
template <typename Text, typename Image>
std::unique_ptr<EmbeddingModel> join_towers(Text text, TextTowerFacts text_facts, Image image,
                                            ImageTowerFacts image_facts, std::int64_t dim,
                                            const ScoreRule& score_rule) {
  return std::make_unique<TwoTowers>(
      std::make_unique<TextTowerOf<Text>>(std::move(text), std::move(text_facts)),
      std::make_unique<ImageTowerOf<Image>>(std::move(image), std::move(image_facts)), dim, score_rule);
}

}  // namespace moa
