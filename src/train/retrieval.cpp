// Retrieval both ways (CLIP_benchmark's zeroshot_retrieval.py).
#include <algorithm>
#include <map>
#include <string>

#include <moa/error.hpp>

#include "base/thread_pool.hpp"
#include "embed/dot.hpp"
#include "embed/scoring.hpp"
#include "train/bootstrap.hpp"
#include "train/evaluation.hpp"
#include "train/ranking_metrics.hpp"

namespace moa {
namespace {

using train::RankingMetrics;

// Queries, and which of the targets are right for each.
struct Queries {
  std::vector<std::size_t> rows;                // of the queries' vectors
  std::vector<std::vector<std::size_t>> right;  // places among the targets
};

std::vector<RankingMetrics> rank_all(const Vectors& from, const Queries& queries, const Vectors& targets,
                                     std::span<const std::size_t> target_rows,
                                     std::span<const std::size_t> depths, ThreadPool& threads) {
  std::vector<RankingMetrics> metrics(queries.rows.size());
  threads.parallel_for(queries.rows.size(), [&](std::size_t query) {
    std::vector<float> scores(target_rows.size());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = dot(from.row(queries.rows[query]), targets.row(target_rows[i]));
    }
    metrics[query] = train::ranking_metrics(scores, queries.right[query], depths);
  });
  return metrics;
}

// Adds the means of one direction's metrics, each query counted as often as its unit is drawn.
void add_means(std::span<const RankingMetrics> metrics, std::span<const std::size_t> units,
               std::span<const std::uint32_t> weights, std::size_t depths, std::vector<double>& values) {
  const std::size_t first = values.size();
  values.resize(first + 2 * depths + 1, 0.0);
  double all = 0;
  for (std::size_t query = 0; query < metrics.size(); ++query) {
    const double weight = weights[units[query]];
    all += weight;
    for (std::size_t k = 0; k < depths; ++k) {
      if (metrics[query].recall[k]) values[first + k] += weight;
      values[first + depths + k] += weight * metrics[query].precision[k];
    }
    values.back() += weight * metrics[query].average_precision;
  }
  for (std::size_t i = first; i < values.size(); ++i) values[i] = all > 0 ? values[i] / all : 0;
}

void check(const CaptionedPictures& set) {
  const auto refuse = [](const std::string& found) {
    throw Error(ErrorCode::invalid_argument, "cannot evaluate retrieval: " + found);
  };
  if (set.captions.empty()) refuse("found no captions");
  if (set.picture_of_caption.size() != set.captions.size())
    refuse("expected the place of a picture for each caption");
  if (std::ranges::max(set.picture_of_caption) >= set.pictures.size())
    refuse("found a caption of a picture that is not there");
}

// A caption without a word is none.
Vectors without_blanks(const Vectors& texts, const std::vector<std::string>& captions) {
  Vectors rows(texts.dim());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool is_blank = captions[i].find_first_not_of(" \t\r\n") == std::string::npos;
    if (const Error* error = texts.error(i)) {
      rows.append(*error);
    } else if (is_blank) {
      rows.append(Error(ErrorCode::invalid_argument, "the caption is empty"));
    } else {
      rows.append(texts.row(i));
    }
  }
  rows.tell_truncated(texts.truncated());
  return rows;
}

std::vector<std::string> metric_names(std::span<const std::size_t> depths) {
  std::vector<std::string> names;
  for (const std::string direction : {"image_retrieval_", "text_retrieval_"}) {
    for (const char* kind : {"recall@", "precision@"}) {
      for (const std::size_t depth : depths) names.push_back(direction + kind + std::to_string(depth));
    }
    names.push_back(direction + "map");
  }
  return names;
}

}  // namespace

Evaluation evaluate_retrieval(const Model& model, const CaptionedPictures& set,
                              const RetrievalOptions& options) {
  check(set);
  train::check_depths(options.top);
  refuse_raw(options.embed, "rank");
  EmbedOptions quiet = options.embed;
  quiet.progress = nullptr;
  const Vectors texts = [&] {
    std::vector<Input> inputs;
    for (const std::string& caption : set.captions) inputs.push_back(Input::text(caption));
    return without_blanks(train::embed_or_cancel(model, inputs, quiet), set.captions);
  }();
  const Vectors pictures = train::embed_or_cancel(model, set.pictures, options.embed);
  return train::judge_retrieval(pictures, texts, set, options, model.threads());
}

namespace train {

Evaluation judge_retrieval(const Vectors& pictures, const Vectors& texts, const CaptionedPictures& set,
                           const RetrievalOptions& options, int thread_count) {
  Evaluation result;
  std::vector<std::size_t> picture_rows;
  std::vector<std::size_t> sound_texts;
  result.picture_errors = errors_of(pictures, picture_rows);
  result.text_errors = errors_of(texts, sound_texts);
  result.truncated = texts.truncated();
  result.pictures = picture_rows.size();
  std::vector<std::size_t> place_of_picture(pictures.size());
  for (std::size_t i = 0; i < picture_rows.size(); ++i) place_of_picture[picture_rows[i]] = i;

  Queries captions;
  Queries images{picture_rows, std::vector<std::vector<std::size_t>>(picture_rows.size())};
  std::vector<std::size_t> unit_of_caption;  // the picture with which it is drawn
  std::map<std::string_view, std::size_t> merged;
  for (const std::size_t text : sound_texts) {
    if (pictures.error(set.picture_of_caption[text]) != nullptr) continue;
    const std::size_t picture = place_of_picture[set.picture_of_caption[text]];
    std::size_t place = captions.rows.size();
    if (options.merge_equal_captions) place = merged.try_emplace(set.captions[text], place).first->second;
    if (place == captions.rows.size()) {
      captions.rows.push_back(text);
      captions.right.emplace_back();
      unit_of_caption.push_back(picture);
    }
    if (std::ranges::find(captions.right[place], picture) != captions.right[place].end()) continue;
    captions.right[place].push_back(picture);
    images.right[picture].push_back(place);
  }
  result.texts = captions.rows.size();
  if (captions.rows.empty()) return result;
  // A picture whose captions all failed is looked through, but asks for nothing.
  std::vector<std::size_t> unit_of_image;
  Queries asking;
  for (std::size_t i = 0; i < images.rows.size(); ++i) {
    if (images.right[i].empty()) continue;
    asking.rows.push_back(images.rows[i]);
    asking.right.push_back(std::move(images.right[i]));
    unit_of_image.push_back(i);
  }

  ThreadPool threads(thread_count);
  const auto by_text = rank_all(texts, captions, pictures, picture_rows, options.top, threads);
  const auto by_image = rank_all(pictures, asking, texts, captions.rows, options.top, threads);
  const auto statistic = [&](std::span<const std::uint32_t> weights) {
    std::vector<double> values;
    add_means(by_text, unit_of_caption, weights, options.top.size(), values);
    add_means(by_image, unit_of_image, weights, options.top.size(), values);
    return values;
  };
  result.metrics =
      with_intervals(metric_names(options.top), picture_rows.size(), statistic, options.bootstrap);
  return result;
}

}  // namespace train
}  // namespace moa
