// An exported model, run by ONNX Runtime.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backends/onnxruntime/session.hpp"
#include "embed/engine.hpp"
#include "embed/exported_model.hpp"

namespace moa {

// Texts of one length go through in one run, so that nothing is padded; whether a vector's last bits depend
// on its batch is up to ONNX Runtime's kernels.
class OnnxEngine final : public Engine {
 public:
  // Errors: unsupported (ONNX Runtime or the provider is not there, or a graph takes or gives what moa does
  // not know); corrupt_data (a graph that ONNX Runtime refuses).
  static std::unique_ptr<const OnnxEngine> open(const ExportedModel& model,
                                                const OnnxSessionOptions& options);

  const ModelFacts& facts() const override { return facts_; }
  std::string description() const override;
  std::string_view dtype() const override { return graphs_.dtype; }
  int threads() const override;
  void describe(ModelInfo& info) const override;
  std::vector<float> embed_texts(std::span<const PreparedText> texts, bool raw) const override;
  std::vector<float> embed_images(std::span<const PreparedImage> pictures, bool raw) const override;
  bool matches_pairs() const override;
  std::vector<float> match_images(std::span<const PreparedImage> pictures,
                                  std::span<const PreparedText> texts) const override;
  // Where the configuration does not tell what cosines are scaled by, the graph that scores pairs does.
  ScoreRule score_rule() const override;

 private:
  // What gives one kind of vector.
  struct Tower {
    std::shared_ptr<const OnnxSession> session;
    std::string output;
    bool on_unit_sphere = false;
  };
  // What a tower's output is called, and what else it may be called if that is not there.
  struct VectorNames {
    std::string_view own;
    std::string_view otherwise;
  };
  // What is fed by name. Others' graphs may want both towers' inputs for either.
  struct Batch;

  OnnxEngine(ExportedFacts facts, ExportedGraphs graphs, const OnnxSessionOptions& options);
  Tower open_tower(const std::filesystem::path& own, const VectorNames& names,
                   std::shared_ptr<const OnnxSession>& both) const;
  std::vector<OnnxArray> run(const OnnxSession& session, Batch batch,
                             std::span<const std::string> outputs) const;
  std::vector<float> vectors(const Tower& tower, Batch batch, bool raw) const;
  ScoreRule measured_score_rule() const;
  const OnnxSession& match_session() const;

  std::shared_ptr<const OnnxRuntime> runtime_;
  ExportedFacts facts_;
  ExportedGraphs graphs_;
  OnnxSessionOptions options_;
  Tower text_;
  Tower image_;
  mutable std::once_flag match_once_;
  mutable std::unique_ptr<const OnnxSession> match_;
  mutable std::once_flag score_once_;
  mutable ScoreRule score_;
};

}  // namespace moa
