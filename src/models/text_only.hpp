// A text tower alone: a model of texts, without pictures.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <moa/error.hpp>

#include "models/two_towers.hpp"

namespace moa {

class TextOnly final : public EmbeddingModel {
 public:
  TextOnly(std::unique_ptr<const TextTower> text, std::int64_t dim) : text_(std::move(text)), dim_(dim) {}

  std::int64_t dim() const override { return dim_; }
  const TextTowerFacts* text() const override { return &text_->facts(); }
  const ImageTowerFacts* image() const override { return nullptr; }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override { return text_->forward(ops, tokens); }
  Rows text_trunk(Ops& ops, const Tokens& tokens) const override { return text_->trunk(ops, tokens); }
  Rows text_head(Ops& ops, const Rows& trunk) const override { return text_->head(ops, trunk); }
  Rows forward_image(Ops&, const Tensor&) const override {
    throw Error(ErrorCode::internal, "a model of texts alone was given pictures");
  }
  ScoreRule score_rule() const override { return {}; }
  double normalize_eps() const override { return 1e-12; }  // as sentence-transformers' cosine has it
  const TextTower& text_tower() const { return *text_; }

 private:
  std::unique_ptr<const TextTower> text_;
  std::int64_t dim_;
};

}  // namespace moa
