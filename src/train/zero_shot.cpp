// Zero-shot classification (Radford et al. 2021, section 3.1; CLIP_benchmark's zeroshot_classification.py).
#include "embed/dot.hpp"
#include "embed/examples.hpp"
#include "train/class_metrics.hpp"
#include "train/evaluation.hpp"

namespace moa {

namespace train {

Evaluation judge_classes(const Vectors& pictures, const Vectors& classes, const LabelledPictures& set,
                         const ZeroShotOptions& options) {
  Evaluation result;
  std::vector<std::size_t> sound;
  result.picture_errors = errors_of(pictures, sound);
  result.text_errors.resize(classes.size());
  result.truncated = classes.truncated();
  std::vector<RankedPicture> ranked;
  std::vector<float> scores(classes.size());
  for (const std::size_t picture : sound) {
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = dot(pictures.row(picture), classes.row(i));
    if (options.examples) add_examples(*options.examples, pictures.row(picture), scores);
    const std::size_t right = set.classes[picture];
    ranked.push_back({right, rank_of(scores, right)});
  }
  result.pictures = sound.size();
  result.texts = classes.size();
  if (!ranked.empty())
    result.metrics = class_metrics(ranked, classes.size(), options.top, "", options.bootstrap);
  return result;
}

}  // namespace train

Evaluation evaluate_zero_shot(const Model& model, const LabelledPictures& set,
                              const ZeroShotOptions& options) {
  train::check(set);
  train::check_depths(options.top);
  EmbedOptions quiet = options.embed;
  quiet.progress = nullptr;
  const Vectors classes =
      model.embed_labels(set.class_names, {.templates = options.templates, .embed = quiet});
  if (options.examples) check_examples(*options.examples, classes.size(), classes.dim());
  return train::judge_classes(train::embed_or_cancel(model, set.pictures, options.embed), classes, set,
                              options);
}

}  // namespace moa
