#include "embed/onnx_engine.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>

#include <moa/error.hpp>

#include "backends/onnx/names.hpp"
#include "base/thread_pool.hpp"
#include "embed/picture_batch.hpp"

namespace moa {
namespace {

using onnx::ElementType;

// Integers as a graph's input wants them.
struct Integers {
  std::vector<std::int64_t> wide;
  std::vector<std::int32_t> narrow;

  Integers(const std::vector<std::int64_t>& values, bool is_narrow) {
    if (is_narrow) {
      narrow.assign(values.begin(), values.end());
    } else {
      wide = values;
    }
  }
  std::span<const std::byte> bytes() const {
    return narrow.empty() ? std::as_bytes(std::span(wide)) : std::as_bytes(std::span(narrow));
  }
};

std::string names_of(const std::vector<OnnxPort>& ports) {
  std::string names;
  for (const OnnxPort& port : ports) names += (names.empty() ? "'" : ", '") + port.name + "'";
  return names;
}

// Where texts stand, by how many ids they have.
std::map<std::size_t, std::vector<std::size_t>> by_length(std::span<const PreparedText> texts) {
  std::map<std::size_t, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < texts.size(); ++i) places[texts[i].ids.size()].push_back(i);
  return places;
}

std::string shown(const std::vector<std::int64_t>& sizes) {
  std::string shape;
  for (const std::int64_t size : sizes) {
    shape += (shape.empty() ? "" : ", ") + (size < 0 ? std::string("any") : std::to_string(size));
  }
  return "[" + shape + "]";
}

// -1 stands for any size.
void expect_shape(const OnnxArray& found, const std::string& output,
                  const std::vector<std::int64_t>& expected) {
  const auto fits = [](std::int64_t size, std::int64_t wanted) { return wanted < 0 || size == wanted; };
  if (std::ranges::equal(found.shape, expected, fits)) return;
  throw Error(ErrorCode::shape_mismatch, "cannot take '" + output + "' of a graph: found " +
                                             shown(found.shape) + ", expected " + shown(expected));
}

void put_on_unit_sphere(std::span<float> rows, std::size_t width, double eps) {
  for (std::size_t begin = 0; begin < rows.size(); begin += width) {
    const std::span<float> row = rows.subspan(begin, width);
    const double squares = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
    const double length = std::max(std::sqrt(squares), eps);
    for (float& value : row) value = static_cast<float>(value / length);
  }
}

}  // namespace

struct OnnxEngine::Batch {
  std::vector<std::int64_t> ids;  // texts of one length, one after the other
  std::int64_t texts = 0;
  std::int64_t pictures = 0;
  PictureBatch images{};
  std::vector<float> seen;  // the rows of a picture for each text
  std::vector<std::int64_t> seen_shape;
};

namespace {

PreparedImage blank_picture(const ImageTowerFacts& tower) {
  PreparedImage image;
  image.grid = {1, 1};
  image.height_px = tower.takes_patches() ? tower.patch_px : tower.height_px;
  image.width_px = tower.takes_patches() ? tower.patch_px : tower.width_px;
  image.values.resize(static_cast<std::size_t>(tower.channels * image.height_px * image.width_px));
  return image;
}

}  // namespace

std::unique_ptr<const OnnxEngine> OnnxEngine::open(const ExportedModel& model,
                                                   const OnnxSessionOptions& options) {
  std::unique_ptr<OnnxEngine> engine(new OnnxEngine(model.facts, model.graphs, options));
  std::shared_ptr<const OnnxSession> both;
  if (model.facts.text() != nullptr) {
    const bool is_pooled = model.facts.text()->pools_to_vector;
    engine->text_ = engine->open_tower(
        model.graphs.text, {optimum::kTextVector, is_pooled ? optimum::kPooled : optimum::kTextVector}, both);
  }
  if (model.facts.image() != nullptr) {
    const bool is_pooled = model.facts.image()->pools_to_vector;
    engine->image_ = engine->open_tower(
        model.graphs.image, {optimum::kImageVector, is_pooled ? optimum::kPooled : optimum::kImageVector},
        both);
  }
  engine->facts_ =
      model.facts.with_towers(engine->text_.session != nullptr, engine->image_.session != nullptr);
  return engine;
}

OnnxEngine::OnnxEngine(ExportedFacts facts, ExportedGraphs graphs, const OnnxSessionOptions& options)
    : runtime_(OnnxRuntime::open()),
      facts_(std::move(facts)),
      graphs_(std::move(graphs)),
      options_(options) {}

OnnxEngine::Tower OnnxEngine::open_tower(const std::filesystem::path& own, const VectorNames& names,
                                         std::shared_ptr<const OnnxSession>& both) const {
  const std::filesystem::path& graph = own.empty() ? graphs_.both : own;
  if (graph.empty()) return {};
  Tower tower;
  if (own.empty() && both != nullptr) {
    tower.session = both;
  } else {
    tower.session = std::make_shared<const OnnxSession>(OnnxSession::open(runtime_, graph, options_));
    if (own.empty()) both = tower.session;
  }
  if (tower.session->input(optimum::kBytes) != nullptr) {
    throw Error(ErrorCode::unsupported, "cannot embed by '" + graph.string() + "': it takes pictures as '" +
                                            std::string(optimum::kBytes) + "', expected '" +
                                            std::string(optimum::kPixels) +
                                            "' (moa export --pictures prepared)");
  }
  const std::vector<OnnxPort>& outputs = tower.session->outputs();
  tower.output = tower.session->output(names.own) != nullptr ? names.own : names.otherwise;
  if (tower.session->output(tower.output) == nullptr) {
    if (own.empty()) return {};  // a graph of the other tower alone
    throw Error(ErrorCode::unsupported, "cannot embed by '" + graph.string() + "': found the outputs " +
                                            names_of(outputs) + ", expected '" + std::string(names.own) +
                                            "'");
  }
  tower.on_unit_sphere = tower.session->output(optimum::kPerImage) != nullptr;
  return tower;
}

std::string OnnxEngine::description() const {
  return "onnxruntime " + runtime_->version() + ", provider " + std::string(name(options_.provider));
}

int OnnxEngine::threads() const {
  return options_.threads > 0 ? options_.threads : available_threads();
}

void OnnxEngine::describe(ModelInfo& info) const {
  info.architecture = facts_.values().architecture;
  info.weights_format = "ONNX";
  info.dtypes = {std::string(graphs_.dtype)};
  if (const TextTowerFacts* text = facts_.text()) info.towers.push_back({"text", 0, text->description});
  if (const ImageTowerFacts* image = facts_.image()) info.towers.push_back({"image", 0, image->description});
}

std::vector<OnnxArray> OnnxEngine::run(const OnnxSession& session, Batch batch,
                                       std::span<const std::string> outputs) const {
  // A graph of both towers computes both, whichever is asked for.
  if (batch.texts == 0 && session.input(optimum::kIds) != nullptr) {
    batch.texts = 1;
    const TextTowerFacts* text = facts_.text();
    batch.ids.assign(text != nullptr && text->padding ? static_cast<std::size_t>(text->padding->tokens) : 1,
                     0);
  }
  if (batch.pictures == 0 && session.input(optimum::kPixels) != nullptr && facts_.image() != nullptr) {
    const PreparedImage blank = blank_picture(*facts_.image());
    batch.pictures = 1;
    batch.images = PictureBatch::of({&blank, 1}, *facts_.image());
  }
  const bool takes_patches = facts_.image() != nullptr && facts_.image()->takes_patches();
  std::vector<Integers> integers;
  integers.reserve(session.inputs().size());  // feeds look into them
  std::vector<OnnxFeed> feeds;
  for (const OnnxPort& port : session.inputs()) {
    const bool is_narrow = port.type == static_cast<int>(ElementType::i32);
    const bool is_integer = is_narrow || port.type == static_cast<int>(ElementType::i64);
    const auto feed_integers = [&](const std::vector<std::int64_t>& values, std::int64_t items) {
      integers.emplace_back(values, is_narrow);
      feeds.push_back({port.name,
                       is_narrow ? ElementType::i32 : ElementType::i64,
                       integers.back().bytes(),
                       {items, static_cast<std::int64_t>(values.size()) / items}});
    };
    if (port.name == optimum::kIds && is_integer) {
      feed_integers(batch.ids, batch.texts);
    } else if ((port.name == optimum::kMask || port.name == optimum::kTypes) && is_integer) {
      feed_integers(std::vector<std::int64_t>(batch.ids.size(), port.name == optimum::kMask ? 1 : 0),
                    batch.texts);
    } else if (port.name == optimum::kPixelMask && is_integer && takes_patches) {
      feed_integers(batch.images.mask, batch.pictures);
    } else if (port.name == optimum::kShapes && is_integer && takes_patches) {
      feed_integers(batch.images.grids, batch.pictures);
    } else if (port.name == optimum::kSeen && !batch.seen.empty()) {
      feeds.push_back({port.name, ElementType::f32, std::as_bytes(std::span(batch.seen)), batch.seen_shape});
    } else if (port.name == optimum::kPixels && port.type == static_cast<int>(ElementType::f32)) {
      feeds.push_back(
          {port.name, ElementType::f32, std::as_bytes(std::span(batch.images.values)), batch.images.shape});
    } else {
      throw Error(ErrorCode::unsupported,
                  "cannot run a graph with the inputs " + names_of(session.inputs()) + ": expected '" +
                      std::string(optimum::kIds) + "', '" + std::string(optimum::kMask) + "' and '" +
                      std::string(optimum::kTypes) + "' of integers and '" + std::string(optimum::kPixels) +
                      "' of floats at most" +
                      (takes_patches ? ", '" + std::string(optimum::kPixelMask) + "' and '" +
                                           std::string(optimum::kShapes) + "' of integers"
                                     : std::string()));
    }
  }
  return session.run(feeds, outputs);
}

std::vector<float> OnnxEngine::vectors(const Tower& tower, Batch batch, bool raw) const {
  if (raw && tower.on_unit_sphere) {
    throw Error(ErrorCode::unsupported,
                "the graph of both towers gives vectors on the unit sphere only; raw ones need a graph for "
                "each tower");
  }
  const std::int64_t items = std::max(batch.texts, batch.pictures);
  OnnxArray found = std::move(run(*tower.session, std::move(batch), {&tower.output, 1}).front());
  expect_shape(found, tower.output, {items, facts_.dim()});
  if (!raw) put_on_unit_sphere(found.values, static_cast<std::size_t>(facts_.dim()), facts_.normalize_eps());
  return std::move(found.values);
}

std::vector<float> OnnxEngine::embed_texts(std::span<const PreparedText> texts, bool raw) const {
  const auto dim = static_cast<std::size_t>(facts_.dim());
  std::vector<float> rows(texts.size() * dim);
  for (const auto& [length, places] : by_length(texts)) {
    Batch batch;
    batch.texts = static_cast<std::int64_t>(places.size());
    for (const std::size_t place : places) {
      batch.ids.insert(batch.ids.end(), texts[place].ids.begin(), texts[place].ids.end());
    }
    const std::vector<float> found = vectors(text_, std::move(batch), raw);
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::copy_n(found.data() + i * dim, dim, rows.data() + places[i] * dim);
    }
  }
  return rows;
}

std::vector<float> OnnxEngine::embed_images(std::span<const PreparedImage> pictures, bool raw) const {
  Batch batch;
  batch.pictures = static_cast<std::int64_t>(pictures.size());
  batch.images = PictureBatch::of(pictures, *facts_.image());
  return vectors(image_, std::move(batch), raw);
}

bool OnnxEngine::matches_pairs() const {
  return !graphs_.match.empty() && image_.session != nullptr &&
         image_.session->output(optimum::kHidden) != nullptr;
}

const OnnxSession& OnnxEngine::match_session() const {
  std::call_once(match_once_, [this] {
    match_ = std::make_unique<const OnnxSession>(OnnxSession::open(runtime_, graphs_.match, options_));
  });
  return *match_;
}

std::vector<float> OnnxEngine::match_images(std::span<const PreparedImage> pictures,
                                            std::span<const PreparedText> texts) const {
  const auto dim = static_cast<std::size_t>(facts_.dim());
  Batch images;
  images.pictures = static_cast<std::int64_t>(pictures.size());
  images.images = PictureBatch::of(pictures, *facts_.image());
  std::vector<OnnxArray> seen =
      run(*image_.session, std::move(images), std::vector{image_.output, std::string(optimum::kHidden)});
  const auto count = static_cast<std::int64_t>(pictures.size());
  expect_shape(seen[0], image_.output, {count, facts_.dim()});
  expect_shape(seen[1], std::string(optimum::kHidden), {count, -1, -1});
  put_on_unit_sphere(seen[0].values, dim, facts_.normalize_eps());
  const std::size_t picture = seen[1].values.size() / pictures.size();
  const std::size_t width = dim + texts.size();
  std::vector<float> rows(pictures.size() * width);
  const auto lengths = by_length(texts);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::copy_n(seen[0].values.data() + i * dim, dim, rows.data() + i * width);
    for (const auto& [length, places] : lengths) {
      // Every text has a copy of its picture's rows: so many at once that they stay in some tens of MB.
      constexpr std::size_t kAtOnce = 16;
      for (std::size_t begin = 0; begin < places.size(); begin += kAtOnce) {
        const auto some = std::span(places).subspan(begin, std::min(kAtOnce, places.size() - begin));
        Batch batch;
        batch.texts = static_cast<std::int64_t>(some.size());
        batch.seen_shape = {batch.texts, seen[1].shape.at(1), seen[1].shape.at(2)};
        const float* own = seen[1].values.data() + i * picture;
        for (const std::size_t place : some) {
          batch.ids.insert(batch.ids.end(), texts[place].ids.begin(), texts[place].ids.end());
          batch.seen.insert(batch.seen.end(), own, own + picture);
        }
        const std::vector<OnnxArray> found =
            run(match_session(), std::move(batch), std::vector{std::string(optimum::kProbability)});
        expect_shape(found.front(), std::string(optimum::kProbability),
                     {static_cast<std::int64_t>(some.size()), 1});
        for (std::size_t at = 0; at < some.size(); ++at) {
          rows[i * width + dim + some[at]] = found.front().values[at];
        }
      }
    }
  }
  return rows;
}

ScoreRule OnnxEngine::score_rule() const {
  if (facts_.values().knows_scale) return facts_.score_rule();
  std::call_once(score_once_, [this] { score_ = measured_score_rule(); });
  return score_;
}

// Scores are scale * cosine + bias: of a picture and a few texts, whatever they say, both can be told.
ScoreRule OnnxEngine::measured_score_rule() const {
  const auto refuse = [&](const std::string& found) {
    throw Error(ErrorCode::unsupported,
                "cannot score pairs: the configuration does not tell what cosines are scaled by; found " +
                    found + ", expected a graph of both towers with the output '" +
                    std::string(optimum::kPerImage) + "'");
  };
  if (graphs_.both.empty()) refuse("no graph of both towers");
  const OnnxSession session = OnnxSession::open(runtime_, graphs_.both, options_);
  const std::vector<std::string> outputs = {
      std::string(optimum::kPerImage), std::string(optimum::kTextVector), std::string(optimum::kImageVector)};
  for (const std::string& output : outputs) {
    if (session.output(output) == nullptr) refuse("the outputs " + names_of(session.outputs()));
  }
  constexpr std::int64_t kTexts = 8;
  const TextTowerFacts& text = *facts_.text();
  const std::int64_t length =
      text.padding ? text.padding->tokens : std::min<std::int64_t>(text.context_tokens, 6);
  Batch batch;
  batch.texts = kTexts;
  for (std::int64_t i = 0; i < kTexts * length; ++i) batch.ids.push_back((i * 7919 + 11) % text.vocabulary);
  const std::vector<OnnxArray> found = run(session, std::move(batch), outputs);
  const auto dim = static_cast<std::size_t>(facts_.dim());
  if (found[0].values.size() != kTexts || found[1].values.size() != kTexts * dim ||
      found[2].values.size() != dim) {
    refuse("scores of another shape");
  }
  double n = 0, cosines = 0, scores = 0, squares = 0, products = 0;
  for (std::size_t i = 0; i < kTexts; ++i) {
    const float* row = found[1].values.data() + i * dim;
    const double cosine = std::inner_product(row, row + dim, found[2].values.data(), 0.0);
    const double score = found[0].values[i];
    n += 1;
    cosines += cosine;
    scores += score;
    squares += cosine * cosine;
    products += cosine * score;
  }
  ScoreRule rule = facts_.score_rule();
  if (rule.kind == ScoreRule::Kind::softmax) {  // which has no bias
    rule.scale = products / squares;
  } else {
    rule.scale = (n * products - cosines * scores) / (n * squares - cosines * cosines);
    rule.bias = (scores - rule.scale * cosines) / n;
  }
  if (!std::isfinite(rule.scale) || !std::isfinite(rule.bias)) refuse("cosines that are all the same");
  return rule;
}

}  // namespace moa
