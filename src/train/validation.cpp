#include "train/validation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "train/class_source.hpp"
#include "train/evaluation.hpp"

namespace moa::train {
namespace {

// Rows of what the engine makes of `prepared`, piece by piece; what failed to be prepared is that row's
// error.
template <typename Prepared, typename Batch>
void embed_pieces(TrainingEngine& engine, std::size_t at_once, std::size_t count, Vectors& rows,
                  const std::function<Prepared(std::size_t)>& prepare, Batch make_batch) {
  for (std::size_t begin = 0; begin < count; begin += at_once) {
    std::vector<Prepared> sound;
    std::vector<std::optional<Error>> errors(std::min(at_once, count - begin));
    for (std::size_t i = 0; i < errors.size(); ++i) {
      try {
        sound.push_back(prepare(begin + i));
      } catch (const Error& error) {
        errors[i] = error;
      }
    }
    std::vector<float> values;
    if (!sound.empty()) values = engine.embed(Side(make_batch(sound)));
    const auto dim = static_cast<std::size_t>(rows.dim());
    std::size_t place = 0;
    for (const std::optional<Error>& error : errors) {
      if (error) {
        rows.append(*error);
      } else {
        rows.append(std::span(values).subspan(dim * place++, dim));
      }
    }
  }
}

// Vectors by the weights as they are.
class Embedder {
 public:
  explicit Embedder(const ValidationParts& parts) : parts_(parts) {
    const std::int64_t chunk = parts.config.engine.chunk_items;
    at_once_ = chunk > 0 ? static_cast<std::size_t>(chunk) : parts.config.batch;
  }

  Vectors pictures(const std::vector<Input>& files) const {
    Vectors rows(parts_.model.network().dim());
    embed_pieces<std::vector<float>>(
        parts_.engine, at_once_, files.size(), rows,
        [&](std::size_t i) {
          constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
          return parts_.model.prepare_image(as_bytes(read_file(files[i].value, kMostBytes)), 256).values;
        },
        [&](const auto& pixels) { return parts_.preparer.pictures(pixels); });
    return rows;
  }

  // The ids of `count` texts, each from `prepare`.
  Vectors texts(std::size_t count,
                const std::function<std::vector<std::int32_t>(std::size_t)>& prepare) const {
    Vectors rows(parts_.model.network().dim());
    embed_pieces<std::vector<std::int32_t>>(parts_.engine, at_once_, count, rows, prepare,
                                            [](const auto& ids) { return TextBatch::of(ids); });
    return rows;
  }

 private:
  ValidationParts parts_;
  std::size_t at_once_;
};

// The mean of every `count` rows, on the unit sphere.
Vectors means_of(const Vectors& rows, std::size_t count) {
  Vectors means(rows.dim());
  for (std::size_t first = 0; first < rows.size(); first += count) {
    std::vector<float> sum(static_cast<std::size_t>(rows.dim()));
    double squares = 0;
    for (std::size_t i = first; i < first + count; ++i)
      std::ranges::transform(sum, rows.row(i), sum.begin(), std::plus());
    for (const float value : sum) squares += static_cast<double>(value) * value;
    for (float& value : sum) value /= static_cast<float>(std::sqrt(squares));
    means.append(sum);
  }
  return means;
}

Evaluation retrieval(const ValidationParts& parts, const CaptionedPictures& set) {
  const Embedder embedder(parts);
  const Vectors texts = embedder.texts(
      set.captions.size(), [&](std::size_t i) { return parts.model.prepare_text(set.captions[i], {}).ids; });
  const int threads = parts.config.engine.threads;
  return judge_retrieval(embedder.pictures(set.pictures), texts, set,
                         {.top = {1, 5}, .bootstrap = {.resamples = 0}},
                         threads > 0 ? threads : available_threads());
}

Evaluation classification(const ValidationParts& parts, const LabelledPictures& set) {
  const Embedder embedder(parts);
  const ClassTexts& classes = *parts.classes;
  const Vectors texts = embedder.texts(classes.ids().size(), [&](std::size_t i) { return classes.ids()[i]; });
  return judge_classes(embedder.pictures(set.pictures), means_of(texts, classes.texts_a_class()), set,
                       {.top = {1, 5}, .bootstrap = {.resamples = 0}});
}

// Better to learn it before hours of training.
void expect_some(const std::vector<Input>& pictures, const std::filesystem::path& place) {
  std::error_code ignored;
  const auto is_there = [&](const Input& picture) { return std::filesystem::exists(picture.value, ignored); };
  if (std::ranges::any_of(pictures, is_there)) return;
  throw Error(ErrorCode::not_found, "cannot validate on '" + place.string() +
                                        "': none of its pictures is there, '" + pictures.front().value +
                                        "' first");
}

}  // namespace

ValidationSet read_validation_set(const TrainConfig& config, const std::vector<std::string>& class_names) {
  if (class_names.empty()) {
    CaptionedPictures set = read_captioned_pictures(config.validation, config.validation_table);
    expect_some(set.pictures, config.validation);
    return set;
  }
  const std::filesystem::path& names = config.sources.front().classes.names;
  LabelledPictures set = of_classes(
      read_labelled_pictures(config.validation, names.empty() ? std::nullopt : std::optional(names),
                             config.validation_table),
      class_names, config.validation);
  expect_some(set.pictures, config.validation);
  return set;
}

std::function<Evaluation()> make_validation(const ValidationParts& parts, ValidationSet set) {
  return [parts, kept = std::move(set)] {
    if (const auto* labelled = std::get_if<LabelledPictures>(&kept)) return classification(parts, *labelled);
    return retrieval(parts, std::get<CaptionedPictures>(kept));
  };
}

}  // namespace moa::train
