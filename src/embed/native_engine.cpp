#include "embed/native_engine.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/recording/recording.hpp"
#include "checkpoint/adapter.hpp"
#include "models/tower_walk.hpp"
#include "tensor/factored.hpp"

namespace moa {
namespace {

// The texts back to back, all of them `times` over.
Tokens tokens_of(Interpreter& ops, std::span<const PreparedText> texts, std::size_t times = 1) {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < times; ++i) {
    for (const PreparedText& text : texts) {
      ids.insert(ids.end(), text.ids.begin(), text.ids.end());
      lengths.push_back(static_cast<std::int64_t>(text.ids.size()));
    }
  }
  return ops.tokens(ids, {}, Sequences(lengths));
}

std::vector<float> values_of(std::span<const PreparedImage> pictures) {
  std::vector<float> values;
  for (const PreparedImage& picture : pictures) {
    values.insert(values.end(), picture.values.begin(), picture.values.end());
  }
  return values;
}

// The numbers that are stored of a parameter.
std::int64_t numbers_of(const Parameter& parameter) {
  std::int64_t count = 0;
  for (const Parameter& stored : stored_tensors(whole_parts(parameter))) count += stored.shape().elements();
  return count;
}

// What a tower is made of: every parameter that its forward pass uses.
std::int64_t parameters_of(const RecordingInterpreter& recording) {
  std::int64_t count = 0;
  for (const Parameter& parameter : recording.parameters()) count += numbers_of(parameter);
  return count;
}

void expect_width(const EmbeddingModel& network, const Parameter& prompt_vectors) {
  const Parameter table = token_table(network);
  if (table && table.shape()[1] == prompt_vectors.shape()[1]) return;
  throw Error(table ? ErrorCode::shape_mismatch : ErrorCode::unsupported,
              "cannot put prompt vectors " + to_string(prompt_vectors.shape()) + " before texts: " +
                  (table ? "the model's '" + table.name() + "' is " + to_string(table.shape())
                         : "the model has no table of tokens"));
}

}  // namespace

Parameter token_table(const EmbeddingModel& network) {
  RecordingInterpreter recording;
  walk_text(network, recording);
  return recording.token_table();
}

CheckpointLayout layout_of(ModelDirectory::Layout layout) {
  switch (layout) {
    case ModelDirectory::Layout::transformers:
      break;
    case ModelDirectory::Layout::open_clip:
      return CheckpointLayout::open_clip;
    case ModelDirectory::Layout::openai:
      return CheckpointLayout::openai;
    case ModelDirectory::Layout::sentence_transformers:
      return CheckpointLayout::sentence_transformers;
  }
  return CheckpointLayout::transformers;
}

NativeEngine::NativeEngine(const ModelDirectory& directory, const NativeOptions& options)
    : architecture_(architecture_of(directory.config(), layout_of(directory.layout()))),
      precision_(options.precision),
      backend_(std::make_unique<CpuBackend>(CpuOptions{options.precision, options.threads})),
      prompt_vectors_(options.prompt_vectors) {
  Weights weights = directory.weights();
  std::set<std::string> dtypes;
  for (const Parameter& parameter : stored_tensors(weights.parameters())) {
    dtypes.emplace(moa::name(parameter.dtype()));
    parameters_ += parameter.shape().elements();
  }
  dtypes_.assign(dtypes.begin(), dtypes.end());
  if (!options.adapter.empty()) weights = Adapter::open(options.adapter).merged_into(weights);
  network_ = architecture_.build(directory.config(), weights);
  weights.finish(directory.weights_name());
  if (prompt_vectors_) expect_width(*network_, prompt_vectors_);
}

NativeEngine::~NativeEngine() = default;

std::unique_ptr<Interpreter> NativeEngine::interpreter() const {
  std::unique_ptr<Interpreter> ops = backend_->interpreter();
  if (prompt_vectors_) ops->set_prompt_vectors(prompt_vectors_);
  return ops;
}

int NativeEngine::threads() const {
  return backend_->threads();
}

std::int64_t NativeEngine::multiply_adds() const {
  return backend_->multiply_adds();
}

void NativeEngine::describe(ModelInfo& info) const {
  info.architecture = architecture_.name;
  info.parameters = parameters_;
  info.dtypes = dtypes_;
  if (const TextTowerFacts* text = network_->text()) {
    RecordingInterpreter recording;
    walk_text(*network_, recording);
    info.towers.push_back({"text", parameters_of(recording), text->description});
  }
  if (const ImageTowerFacts* image = network_->image()) {
    RecordingInterpreter recording;
    walk_image(*network_, recording);
    info.towers.push_back({"image", parameters_of(recording), image->description});
  }
}

Tensor NativeEngine::pixels(Interpreter& ops, std::span<const PreparedImage> pictures) const {
  return ops.pixels(values_of(pictures), static_cast<std::int64_t>(pictures.size()),
                    network_->image()->channels, pictures.front().height_px, pictures.front().width_px);
}

Patches NativeEngine::patches(Interpreter& ops, std::span<const PreparedImage> pictures) const {
  const ImageTowerFacts& tower = *network_->image();
  std::vector<PatchGrid> grids;
  for (const PreparedImage& picture : pictures) grids.push_back(picture.grid);
  return ops.patches(values_of(pictures), tower.channels * tower.patch_px * tower.patch_px, grids);
}

std::vector<float> NativeEngine::embed_texts(std::span<const PreparedText> texts, bool raw) const {
  const std::unique_ptr<Interpreter> ops = interpreter();
  Rows rows = network_->forward_text(*ops, tokens_of(*ops, texts));
  if (!raw) rows = ops->l2_normalize(rows, network_->normalize_eps());
  return ops->read(rows);
}

template <typename Forward>
std::vector<float> NativeEngine::by_turns(std::span<const PreparedImage> pictures, Forward forward) const {
  const ImageTowerFacts& tower = *network_->image();
  const std::size_t at_once =
      tower.most_at_once == 0 ? pictures.size() : static_cast<std::size_t>(tower.most_at_once);
  std::vector<float> vectors;
  for (std::size_t begin = 0; begin < pictures.size(); begin += at_once) {
    const auto some = pictures.subspan(begin, std::min(at_once, pictures.size() - begin));
    const std::unique_ptr<Interpreter> ops = interpreter();
    const std::vector<float> rows = ops->read(forward(*ops, some));
    vectors.insert(vectors.end(), rows.begin(), rows.end());
  }
  return vectors;
}

std::vector<float> NativeEngine::embed_images(std::span<const PreparedImage> pictures, bool raw) const {
  return by_turns(pictures, [&](Interpreter& ops, std::span<const PreparedImage> some) {
    const Rows rows = network_->image()->takes_patches() ? network_->forward_patches(ops, patches(ops, some))
                                                         : network_->forward_image(ops, pixels(ops, some));
    return raw ? rows : ops.l2_normalize(rows, network_->normalize_eps());
  });
}

std::vector<float> NativeEngine::text_trunks(std::span<const PreparedText> texts) const {
  const std::unique_ptr<Interpreter> ops = interpreter();
  return ops->read(network_->text_trunk(*ops, tokens_of(*ops, texts)));
}

std::vector<float> NativeEngine::image_trunks(std::span<const PreparedImage> pictures) const {
  return by_turns(pictures, [&](Interpreter& ops, std::span<const PreparedImage> some) {
    return network_->image_trunk(ops, pixels(ops, some));
  });
}

std::vector<float> NativeEngine::match_images(std::span<const PreparedImage> pictures,
                                              std::span<const PreparedText> texts) const {
  const PairScorer& scorer = *network_->pair_scorer();
  const std::unique_ptr<Interpreter> ops = interpreter();
  const Rows seen = scorer.forward_picture(*ops, pixels(*ops, pictures));
  const std::vector<float> vectors =
      ops->read(ops->l2_normalize(scorer.vector_of(*ops, seen), network_->normalize_eps()));
  const std::size_t dim = vectors.size() / pictures.size();
  const std::size_t width = dim + texts.size();
  std::vector<float> rows(pictures.size() * width);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::copy_n(vectors.data() + i * dim, dim, rows.data() + i * width);
  }
  // So many texts at once that memory stays within what a pass of long texts takes.
  constexpr std::size_t kPairsPerPass = 256;
  const std::size_t at_once = std::max<std::size_t>(kPairsPerPass / pictures.size(), 1);
  for (std::size_t begin = 0; begin < texts.size(); begin += at_once) {
    const auto some = texts.subspan(begin, std::min(at_once, texts.size() - begin));
    const std::vector<float> scores =
        ops->read(scorer.forward_pairs(*ops, seen, tokens_of(*ops, some, pictures.size())));
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      std::copy_n(scores.data() + i * some.size(), some.size(), rows.data() + i * width + dim + begin);
    }
  }
  return rows;
}

}  // namespace moa
