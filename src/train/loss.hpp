// What training makes small. S is the matrix of scores: rows are the items of a batch's first side, columns
// those of its second, then its negatives; all vectors are on the unit sphere. Items of one group
// (TrainingBatch::groups) belong together beside their own partner. A negative is a wrong answer in every
// row but those whose right answer it is (TrainingBatch::negative_keys): of them it is left out. It asks
// nothing itself, so that columns are over the items alone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace moa::train {

enum class LossKind {
  // Symmetric cross-entropy over rows and columns of exp(logit_scale) times the cosine. Radford et al. 2021
  // (arXiv 2103.00020). Without groups a row's target is its partner; with them, its group in equal parts.
  // Negatives as in NegCLIP (Yuksekgonul et al. 2023, arXiv 2210.01936).
  info_nce,
  // The sum over all pairs of -log sigmoid(±(exp(logit_scale) cosine + logit_bias)), divided by the number of
  // items. Zhai et al. 2023 (arXiv 2303.15343). Pairs of one group are positive.
  sigmoid,
  // The mean of max(0, d(a, p) - d(a, n) + margin) with d the squared distance, both sides as anchors, over
  // every negative; or over the nearest negative that is further than the positive (Schroff et al. 2015,
  // arXiv 1503.03832). Pairs of one group are no negatives.
  triplet,
  triplet_semi_hard,
  // Hinges max(0, margin + cosine with a negative - cosine with the partner), summed over rows and columns:
  // all of them, or the largest of each row and column (Faghri et al. 2018, arXiv 1707.05612). Pairs of one
  // group are no negatives.
  hinge_sum,
  hinge_max,
  // Supervised contrast over the items of both sides together: all others of an item's group are its
  // positives, an item without groups has its partner alone. Khosla et al. 2020 (arXiv 2004.11362), L_out.
  // Takes no negatives.
  sup_con,
  // Of pictures with a class each: cross-entropy over the classes of exp(logit_scale) times the cosine with
  // each class's vector, which is the mean of its texts' on the unit sphere, normalised. Takes no negatives.
  cross_entropy,
};

// Added to the loss, from the teacher's vectors in the batch. Of negatives it knows nothing.
struct DistillationOptions {
  double cosine = 0;           // weight of 1 - cosine to the teacher's vector, the mean over items
  double squared = 0;          // weight of the squared distance to it, the mean over items
  double distribution = 0;     // weight of KL(teacher || student) over rows and columns of their scores
  double teacher_scale = 100;  // what the teacher's cosines are multiplied with
};

struct LossOptions {
  LossKind kind = LossKind::info_nce;
  double weight = 1;           // of `kind`; 0 leaves distillation alone
  double margin = 0.2;         // of triplets and hinges
  double temperature = 0.07;   // of sup_con
  double label_smoothing = 0;  // of info_nce and cross_entropy, in [0, 1)
  // Where learning begins: the natural logarithm of the scale, and the bias of `sigmoid`. None: with the
  // checkpoint's, or where it has none, with these.
  static constexpr double kUsualLogitScale = 2.6592600369327779;  // ln(1 / 0.07)
  static constexpr double kUsualLogitBias = -10;
  std::optional<double> initial_logit_scale{};
  std::optional<double> initial_logit_bias{};
  bool learns_logit_scale = true;
  DistillationOptions distillation{};
  // Matryoshka: the loss is the mean of those of the first n columns, normalised again, for each n; empty:
  // of all columns. Kusupati et al. 2022 (arXiv 2205.13147).
  std::vector<std::int64_t> prefix_dims{};
};

}  // namespace moa::train
