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
  std::vector<float> pixels;
  std::int64_t pictures = 0;
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
};

std::unique_ptr<const OnnxEngine> OnnxEngine::open(const ExportedModel& model,
                                                   const OnnxSessionOptions& options) {
  std::unique_ptr<OnnxEngine> engine(new OnnxEngine(model.facts, model.graphs, options));
  std::shared_ptr<const OnnxSession> both;
  if (model.facts.text() != nullptr) {
    engine->text_ = engine->open_tower(model.graphs.text, optimum::kTextVector, both);
  }
  if (model.facts.image() != nullptr) {
    engine->image_ = engine->open_tower(model.graphs.image, optimum::kImageVector, both);
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

OnnxEngine::Tower OnnxEngine::open_tower(const std::filesystem::path& own, std::string_view output,
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
  const std::vector<OnnxPort>& outputs = tower.session->outputs();
  tower.output = output;
  const bool pools_to_vector = facts_.values().architecture.starts_with("siglip");
  if (tower.session->output(output) == nullptr && pools_to_vector) tower.output = optimum::kPooled;
  if (tower.session->output(tower.output) == nullptr) {
    if (own.empty()) return {};  // a graph of the other tower alone
    throw Error(ErrorCode::unsupported, "cannot embed by '" + graph.string() + "': found the outputs " +
                                            names_of(outputs) + ", expected '" + std::string(output) + "'");
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
    batch.pictures = 1;
    batch.height_px = facts_.image()->height_px;
    batch.width_px = facts_.image()->width_px;
    batch.pixels.assign(static_cast<std::size_t>(3 * batch.height_px * batch.width_px), 0.0F);
  }
  const std::int64_t length =
      batch.texts == 0 ? 0 : static_cast<std::int64_t>(batch.ids.size()) / batch.texts;
  std::vector<Integers> integers;
  integers.reserve(session.inputs().size());  // feeds look into them
  std::vector<OnnxFeed> feeds;
  for (const OnnxPort& port : session.inputs()) {
    const bool is_narrow = port.type == static_cast<int>(ElementType::i32);
    const bool is_integer = is_narrow || port.type == static_cast<int>(ElementType::i64);
    const auto feed_integers = [&](const std::vector<std::int64_t>& values) {
      integers.emplace_back(values, is_narrow);
      feeds.push_back({port.name,
                       is_narrow ? ElementType::i32 : ElementType::i64,
                       integers.back().bytes(),
                       {batch.texts, length}});
    };
    if (port.name == optimum::kIds && is_integer) {
      feed_integers(batch.ids);
    } else if ((port.name == optimum::kMask || port.name == optimum::kTypes) && is_integer) {
      feed_integers(std::vector<std::int64_t>(batch.ids.size(), port.name == optimum::kMask ? 1 : 0));
    } else if (port.name == optimum::kPixels && port.type == static_cast<int>(ElementType::f32)) {
      feeds.push_back({port.name,
                       ElementType::f32,
                       std::as_bytes(std::span(batch.pixels)),
                       {batch.pictures, 3, batch.height_px, batch.width_px}});
    } else {
      throw Error(ErrorCode::unsupported, "cannot run a graph with the inputs " + names_of(session.inputs()) +
                                              ": expected '" + std::string(optimum::kIds) + "', '" +
                                              std::string(optimum::kMask) + "' and '" +
                                              std::string(optimum::kTypes) + "' of integers and '" +
                                              std::string(optimum::kPixels) + "' of floats at most");
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
  const std::vector<std::int64_t> expected{items, facts_.dim()};
  if (found.shape != expected) {
    std::string shape;
    for (const std::int64_t size : found.shape) shape += (shape.empty() ? "" : ", ") + std::to_string(size);
    throw Error(ErrorCode::shape_mismatch, "cannot take '" + tower.output + "' for vectors: found [" + shape +
                                               "], expected [" + std::to_string(items) + ", " +
                                               std::to_string(facts_.dim()) + "]");
  }
  if (!raw) put_on_unit_sphere(found.values, static_cast<std::size_t>(facts_.dim()), facts_.normalize_eps());
  return std::move(found.values);
}

std::vector<float> OnnxEngine::embed_texts(std::span<const PreparedText> texts, bool raw) const {
  std::map<std::size_t, std::vector<std::size_t>> by_length;
  for (std::size_t i = 0; i < texts.size(); ++i) by_length[texts[i].ids.size()].push_back(i);
  const auto dim = static_cast<std::size_t>(facts_.dim());
  std::vector<float> rows(texts.size() * dim);
  for (const auto& [length, places] : by_length) {
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
  batch.height_px = pictures.front().height_px;
  batch.width_px = pictures.front().width_px;
  for (const PreparedImage& picture : pictures) {
    batch.pixels.insert(batch.pixels.end(), picture.values.begin(), picture.values.end());
  }
  return vectors(image_, std::move(batch), raw);
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
