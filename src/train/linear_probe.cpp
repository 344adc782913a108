// A linear probe (Radford et al. 2021, section 3.2): what a straight line between classes makes of the
// vectors.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>

#include <moa/error.hpp>

#include "base/number_text.hpp"
#include "base/thread_pool.hpp"
#include "train/class_metrics.hpp"
#include "train/evaluation.hpp"
#include "train/random.hpp"
#include "train/softmax_regression.hpp"

namespace moa {
namespace {

using train::LinearClassifier;
using train::Samples;

constexpr std::size_t kSteps = 13;   // of C, from 1e-3 to 1e3
constexpr std::size_t kHeldOut = 5;  // every fifth of a class

// The vectors that are there, and their classes.
struct Features {
  std::vector<float> values;
  std::vector<std::size_t> classes;
  std::size_t width = 0;

  void add(std::span<const float> row, std::size_t of_class) {
    width = row.size();
    values.insert(values.end(), row.begin(), row.end());
    classes.push_back(of_class);
  }
  std::span<const float> row(std::size_t i) const { return std::span(values).subspan(i * width, width); }
  Samples samples(std::size_t class_count) const { return {values, classes, width, class_count}; }
};

std::vector<train::RankedPicture> ranked(const LinearClassifier& classifier, const Features& features) {
  std::vector<train::RankedPicture> result;
  std::vector<float> logits(classifier.bias.size());
  for (std::size_t i = 0; i < features.classes.size(); ++i) {
    classifier.apply(features.row(i), logits);
    result.push_back({features.classes[i], train::rank_of(logits, features.classes[i])});
  }
  return result;
}

// The C whose probe finds most of the held-out pictures; the smallest of equally good ones.
double best_c(const Features& all, std::size_t class_count, const LinearProbeOptions& options,
              ThreadPool& threads) {
  Features learnt;
  Features held_out;
  std::vector<std::size_t> seen(class_count, 0);
  for (std::size_t i = 0; i < all.classes.size(); ++i) {
    const bool is_held_out = ++seen[all.classes[i]] % kHeldOut == 0;
    (is_held_out ? held_out : learnt).add(all.row(i), all.classes[i]);
  }
  if (held_out.classes.empty()) return 1;
  double best = 0;
  std::size_t most = 0;
  LinearClassifier classifier;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const double c = std::pow(10.0, -3 + 0.5 * static_cast<double>(step));
    classifier = train::fit_softmax_regression(learnt.samples(class_count), {c, options.iterations}, threads,
                                               classifier);
    const auto found = static_cast<std::size_t>(std::ranges::count_if(
        ranked(classifier, held_out), [](const train::RankedPicture& picture) { return picture.rank == 1; }));
    if (step == 0 || found > most) {
      best = c;
      most = found;
    }
  }
  return best;
}

}  // namespace

Evaluation evaluate_linear_probe(const Model& model, const LabelledPictures& train_set,
                                 const LabelledPictures& test_set, const LinearProbeOptions& options) {
  train::check(train_set);
  train::check(test_set);
  train::check_depths(options.top);
  if (train_set.class_names != test_set.class_names) {
    throw Error(ErrorCode::invalid_argument,
                "cannot try a linear probe: the classes of the training pictures are not those of the test");
  }
  const Vectors train_rows = train::embed_or_cancel(model, train_set.pictures, options.embed);
  const Vectors test_rows = train::embed_or_cancel(model, test_set.pictures, options.embed);

  Evaluation result;
  std::vector<std::size_t> learnable;
  std::vector<std::size_t> sound;
  train::errors_of(train_rows, learnable);
  result.picture_errors = train::errors_of(test_rows, sound);
  result.pictures = sound.size();
  result.texts = train_set.class_names.size();
  Features learnt;
  for (const std::size_t i : learnable) learnt.add(train_rows.row(i), train_set.classes[i]);
  if (std::set(learnt.classes.begin(), learnt.classes.end()).size() < 2) {
    throw Error(ErrorCode::invalid_argument,
                "cannot fit a linear probe: expected training pictures of at least two classes");
  }
  if (sound.empty()) return result;
  Features test;
  for (const std::size_t i : sound) test.add(test_rows.row(i), test_set.classes[i]);

  ThreadPool threads(model.threads());
  const double c = options.c ? *options.c : best_c(learnt, result.texts, options, threads);
  const LinearClassifier classifier =
      train::fit_softmax_regression(learnt.samples(result.texts), {c, options.iterations}, threads);
  result.metrics =
      train::class_metrics(ranked(classifier, test), result.texts, options.top, "lp_", options.bootstrap);
  result.metrics.push_back({"lp_c", c, c, c});
  return result;
}

std::pair<LabelledPictures, LabelledPictures> split_by_class(const LabelledPictures& set, double share,
                                                             std::uint64_t seed) {
  train::check(set);
  if (!(share > 0 && share < 1)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot split: found the share " + shortest_digits(share) + ", expected between 0 and 1");
  }
  std::vector<std::vector<std::size_t>> members(set.class_names.size());
  for (std::size_t i = 0; i < set.classes.size(); ++i) members[set.classes[i]].push_back(i);
  std::vector<bool> is_second(set.pictures.size(), false);
  for (std::size_t c = 0; c < members.size(); ++c) {
    std::vector<std::size_t>& of_class = members[c];
    if (of_class.size() == 1) {
      throw Error(ErrorCode::invalid_argument, "cannot split: found one picture of the class '" +
                                                   set.class_names[c] + "', expected at least two");
    }
    train::Random random({seed, c});
    for (std::size_t i = of_class.size(); i > 1; --i) std::swap(of_class[i - 1], of_class[random.below(i)]);
    const auto wanted = static_cast<std::size_t>(std::lround(share * static_cast<double>(of_class.size())));
    const std::size_t count = of_class.empty() ? 0 : std::clamp(wanted, std::size_t{1}, of_class.size() - 1);
    for (std::size_t i = 0; i < count; ++i) is_second[of_class[i]] = true;
  }
  std::pair<LabelledPictures, LabelledPictures> parts;
  parts.first.class_names = parts.second.class_names = set.class_names;
  for (std::size_t i = 0; i < set.pictures.size(); ++i) {
    LabelledPictures& part = is_second[i] ? parts.second : parts.first;
    part.pictures.push_back(set.pictures[i]);
    part.classes.push_back(set.classes[i]);
  }
  return parts;
}

}  // namespace moa
