// A checkpoint's network on moa's own kernels.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "checkpoint/model_directory.hpp"
#include "embed/engine.hpp"
#include "tensor/interpreter.hpp"
#include "tensor/precision.hpp"

namespace moa {

class CpuBackend;

// How `layout` is called in the registry.
CheckpointLayout layout_of(ModelDirectory::Layout layout);

// What the text tower looks ids of tokens up in; none without a text tower.
Parameter token_table(const EmbeddingModel& network);

struct NativeOptions {
  Precision precision = Precision::f32;
  int threads = 0;                     // 0: all available CPUs
  std::filesystem::path adapter = {};  // what is added to the weights; empty: nothing
  Parameter prompt_vectors = {};       // what ids below 0 are; none: nothing
};

class NativeEngine final : public Engine {
 public:
  // Errors: unsupported (an architecture that is not known); those of its building; shape_mismatch, listing
  // the tensors that do not fit, or for prompt vectors of another width; those of Adapter::open and
  // merged_into.
  NativeEngine(const ModelDirectory& directory, const NativeOptions& options);
  ~NativeEngine() override;

  const ModelFacts& facts() const override { return *network_; }
  const EmbeddingModel* network() const override { return network_.get(); }
  std::string description() const override { return "moa"; }
  std::string_view dtype() const override { return name(precision_); }
  int threads() const override;
  std::int64_t multiply_adds() const override;
  void describe(ModelInfo& info) const override;
  std::vector<float> embed_texts(std::span<const PreparedText> texts, bool raw) const override;
  std::vector<float> embed_images(std::span<const PreparedImage> pictures, bool raw) const override;
  std::vector<float> text_trunks(std::span<const PreparedText> texts) const override;
  std::vector<float> image_trunks(std::span<const PreparedImage> pictures) const override;
  bool matches_pairs() const override { return network_->pair_scorer() != nullptr; }
  std::vector<float> match_images(std::span<const PreparedImage> pictures,
                                  std::span<const PreparedText> texts) const override;

 private:
  std::unique_ptr<Interpreter> interpreter() const;
  // Pictures as the network's tower takes them.
  Tensor pixels(Interpreter& ops, std::span<const PreparedImage> pictures) const;
  Patches patches(Interpreter& ops, std::span<const PreparedImage> pictures) const;
  // The rows that `forward` gives, a few pictures at a time where the tower takes no more.
  template <typename Forward>
  std::vector<float> by_turns(std::span<const PreparedImage> pictures, Forward forward) const;

  const Architecture& architecture_;
  Precision precision_;
  std::unique_ptr<CpuBackend> backend_;
  std::unique_ptr<const EmbeddingModel> network_;
  Parameter prompt_vectors_;
  std::vector<std::string> dtypes_;
  std::int64_t parameters_ = 0;
};

}  // namespace moa
