#include "embed/scoring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "embed/examples.hpp"
#include "embed/pipeline.hpp"

namespace moa {
namespace {

// The scores of one picture from its cosines with every text. A NaN cosine (a text that failed) has no part
// in it and stays NaN.
std::vector<float> scores_of(std::span<const float> cosines, const ScoreRule& rule) {
  if (rule.kind == ScoreRule::Kind::cosine) return {cosines.begin(), cosines.end()};
  std::vector<float> scores(cosines.size(), std::numeric_limits<float>::quiet_NaN());
  double largest = -std::numeric_limits<double>::infinity();
  for (const float cosine : cosines) {
    if (!std::isnan(cosine)) largest = std::max(largest, rule.scale * cosine + rule.bias);
  }
  double sum = 0;
  for (const float cosine : cosines) {
    if (!std::isnan(cosine)) sum += std::exp(rule.scale * cosine + rule.bias - largest);
  }
  for (std::size_t i = 0; i < cosines.size(); ++i) {
    if (std::isnan(cosines[i])) continue;
    const double logit = rule.scale * cosines[i] + rule.bias;
    scores[i] = static_cast<float>(rule.kind == ScoreRule::Kind::sigmoid ? 1 / (1 + std::exp(-logit))
                                                                         : std::exp(logit - largest) / sum);
  }
  return scores;
}

float cosine(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<Input> as_inputs(std::span<const std::string> texts) {
  std::vector<Input> inputs;
  for (const std::string& text : texts) inputs.push_back(Input::text(text));
  return inputs;
}

// Why a picture has no scores, if it has none.
std::optional<Error> why_without(const Embedded& picture) {
  if (picture.error || picture.modality == Modality::image) return picture.error;
  return Error(ErrorCode::invalid_argument, "cannot score an input of the kind " +
                                                std::string(name(picture.modality)) + " among the pictures");
}

std::string filled(const std::string& pattern, const std::string& label) {
  std::string text;
  std::size_t at = 0;
  for (std::size_t found = pattern.find("{}"); found != std::string::npos; found = pattern.find("{}", at)) {
    text += pattern.substr(at, found - at) + label;
    at = found + 2;
  }
  return text + pattern.substr(at);
}

}  // namespace

Truncation truncation_of(const EmbedReport& report, std::span<const Input> texts, std::size_t templates) {
  if (!report.first_truncated) return {};
  const std::size_t first = *report.first_truncated;
  return {report.truncated_texts, first / templates, texts[first].value};
}

std::vector<std::string> label_texts(std::span<const std::string> labels,
                                     std::span<const std::string> templates) {
  for (const std::string& pattern : templates) {
    if (pattern.find("{}") == std::string::npos) {
      throw Error(ErrorCode::invalid_argument,
                  "template '" + pattern + "': expected {} where the label goes");
    }
  }
  std::vector<std::string> texts;
  for (const std::string& label : labels) {
    for (const std::string& pattern : templates) texts.push_back(filled(pattern, label));
  }
  return texts;
}

void refuse_raw(const EmbedOptions& options, const std::string& attempt) {
  if (!options.raw) return;
  throw Error(ErrorCode::invalid_argument, "cannot " + attempt + " raw vectors: scores are made of cosines");
}

Vectors embed_labels(const LoadedModel& model, std::span<const std::string> labels,
                     const ClassifyOptions& options) {
  refuse_raw(options.embed, "classify by");
  const std::vector<std::string> templates =
      options.templates.empty() ? model.templates() : options.templates;
  const std::vector<Input> texts = as_inputs(label_texts(labels, templates));
  Vectors rows(options.embed.dim > 0 ? options.embed.dim : model.facts().dim());
  std::vector<float> sum;
  const EmbedReport report = embed_in_order(model, texts, options.embed, [&](const Embedded& result) {
    if (result.error)
      throw Error(result.error->code(),
                  "label '" + labels[result.index / templates.size()] + "': " + result.error->what());
    sum.resize(result.vector.size(), 0.0F);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += result.vector[i];
    if ((result.index + 1) % templates.size() != 0) return;
    if (templates.size() > 1) {
      const float length = std::sqrt(cosine(sum, sum));
      for (float& value : sum) value /= length;
    }
    rows.append(sum);
    sum.clear();
  });
  rows.tell_truncated(truncation_of(report, texts, templates.size()));
  return rows;
}

Classification classify_images(const LoadedModel& model, std::span<const Input> images,
                               std::span<const std::string> labels, const ClassifyOptions& options) {
  if (labels.empty()) throw Error(ErrorCode::invalid_argument, "cannot classify without labels");
  refuse_raw(options.embed, "classify by");
  Classification result;
  result.labels.assign(labels.begin(), labels.end());
  ClassifyOptions quiet = options;
  quiet.embed.progress = nullptr;
  const Vectors label_rows = embed_labels(model, labels, quiet);
  result.truncated = label_rows.truncated();
  if (options.examples) check_examples(*options.examples, labels.size(), label_rows.dim());
  const ScoreRule rule = model.engine().score_rule();
  embed_in_order(model, images, options.embed, [&](Embedded image) {
    result.errors.push_back(why_without(image));
    result.scores.emplace_back();
    if (result.errors.back()) return;
    std::vector<float> cosines;
    cosines.reserve(label_rows.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      cosines.push_back(cosine(image.vector, label_rows.row(i)));
    }
    if (options.examples) add_examples(*options.examples, image.vector, cosines);
    result.scores.back() = scores_of(cosines, rule);
  });
  return result;
}

namespace {

// The texts that did not fail, as a pair scorer takes them; `places` says where in `texts` each stands.
std::vector<PreparedText> sound_texts(const LoadedModel& model, std::span<const std::string> texts,
                                      const std::vector<std::optional<Error>>& errors,
                                      const EmbedOptions& options, std::vector<std::size_t>& places) {
  std::vector<PreparedText> prepared;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (errors[i]) continue;
    prepared.push_back(model.prepare_text(texts[i], options.prompt));
    places.push_back(i);
  }
  return prepared;
}

bool reads_pairs(const LoadedModel& model, Scorer scorer) {
  const bool can = model.engine().matches_pairs();
  if (scorer == Scorer::itm && !can) {
    throw Error(
        ErrorCode::unsupported,
        "the model has no head for image-text matching (itm), expected one, as BLIP's; its vectors are "
        "scored by itc");
  }
  return can && scorer != Scorer::itc;
}

}  // namespace

MatchResult match_pairs(const LoadedModel& model, std::span<const Input> images,
                        std::span<const std::string> texts, const MatchOptions& options) {
  refuse_raw(options.embed, "match");
  const bool by_pairs = reads_pairs(model, options.scorer);
  MatchResult result;
  std::vector<std::vector<float>> text_rows;
  const std::vector<Input> inputs = as_inputs(texts);
  EmbedOptions embed = options.embed;
  embed.progress = nullptr;
  const EmbedReport report = embed_in_order(model, inputs, embed, [&](Embedded text) {
    result.text_errors.push_back(text.error);
    text_rows.push_back(std::move(text.vector));
  });
  result.truncated = truncation_of(report, inputs);

  // With a pair scorer, what is delivered for a picture is its vector and its texts' scores in one row.
  EmbedOptions image_embed = options.embed;
  std::vector<std::size_t> places;
  std::vector<PreparedText> prepared;
  ForwardPictures forward_pictures;
  if (by_pairs) {
    prepared = sound_texts(model, texts, result.text_errors, options.embed, places);
    image_embed.dim = 0;
    forward_pictures = [&](std::span<const PreparedImage> pictures) {
      return model.match_images(pictures, prepared);
    };
  }
  const ScoreRule rule = model.engine().score_rule();
  const auto deliver = [&](const Embedded& image) {
    result.image_errors.push_back(why_without(image));
    result.cosine.emplace_back();
    result.score.emplace_back();
    if (result.image_errors.back()) return;
    const std::span<const float> row = image.vector;
    const std::vector<float> vector =
        by_pairs ? cut(row.first(row.size() - prepared.size()), options.embed) : image.vector;
    for (const std::vector<float>& text : text_rows) {
      result.cosine.back().push_back(text.empty() ? std::numeric_limits<float>::quiet_NaN()
                                                  : cosine(vector, text));
    }
    if (!by_pairs) {
      result.score.back() = scores_of(result.cosine.back(), rule);
      return;
    }
    result.score.back().assign(texts.size(), std::numeric_limits<float>::quiet_NaN());
    const std::span<const float> scores = row.last(prepared.size());
    for (std::size_t i = 0; i < scores.size(); ++i) result.score.back()[places[i]] = scores[i];
  };
  embed_in_order(model, images, image_embed, deliver, forward_pictures);
  return result;
}

}  // namespace moa
