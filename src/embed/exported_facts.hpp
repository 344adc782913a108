// What is known of a model whose weights are in graphs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "models/embedding_model.hpp"

namespace moa {

// Beside the graphs that moa exports, a file of this name holds their model's facts.
inline constexpr std::string_view kExportedFactsName = "moa_export.json";

class ExportedFacts final : public ModelFacts {
 public:
  struct Values {
    std::string architecture;
    CheckpointLayout layout = CheckpointLayout::transformers;  // of the files beside the graphs
    std::int64_t dim = 0;
    double normalize_eps = 0;
    ScoreRule score_rule{};
    bool knows_scale = true;  // false: the scale and bias of score_rule are in a graph, if anywhere
    std::optional<TextTowerFacts> text{};
    std::optional<ImageTowerFacts> image{};
  };

  explicit ExportedFacts(Values values) : values_(std::move(values)) {}
  // Of a model that moa has loaded.
  static ExportedFacts of(const ModelFacts& facts, std::string_view architecture, CheckpointLayout layout);
  // From such a file. Errors: corrupt_data, out_of_range, unsupported (a newer format), naming the field.
  static ExportedFacts parse(const Config& config);
  // From a model's configuration alone, as other programs leave it beside their graphs. Errors: those of
  // architecture_of and of building the architecture.
  static ExportedFacts from_configuration(const Config& config, CheckpointLayout layout);

  // The same with those of its towers that are there.
  ExportedFacts with_towers(bool text, bool image) const;

  // The content of such a file.
  std::string json() const;
  const Values& values() const noexcept { return values_; }

  std::int64_t dim() const override { return values_.dim; }
  const TextTowerFacts* text() const override { return values_.text ? &*values_.text : nullptr; }
  const ImageTowerFacts* image() const override { return values_.image ? &*values_.image : nullptr; }
  ScoreRule score_rule() const override { return values_.score_rule; }
  double normalize_eps() const override { return values_.normalize_eps; }

 private:
  Values values_;
};

}  // namespace moa
