#include "embed/loaded_model.hpp"

#include <malloc.h>

#include <algorithm>
#include <functional>
#include <utility>

#include <moa/error.hpp>

#include "backends/cpu/level.hpp"
#include "base/utf8.hpp"
#include "checkpoint/adapter.hpp"
#include "checkpoint/identity.hpp"
#include "checkpoint/model_search.hpp"
#include "checkpoint/prompt_vectors.hpp"
#include "checkpoint/quantization.hpp"
#include "embed/native_engine.hpp"
#include "embed/onnx_engine.hpp"
#include "embed/preparation_files.hpp"
#include "image/patch_processor.hpp"
#include "image/picture.hpp"
#include "image/processor.hpp"
#include "text/tokenizer.hpp"

namespace moa {
namespace {

// What is to compute, and where.
void check_computation(const LoadOptions& options) {
  const auto refuse = [](const std::string& what, const std::string& found, const char* expected) {
    throw Error(ErrorCode::invalid_argument, what + ": found '" + found + "', expected " + expected);
  };
  const bool is_native = options.engine == "moa";
  if (!is_native && options.engine != "onnxruntime") {
    refuse("engine", options.engine, "moa or onnxruntime");
  }
  if (is_native && options.provider != "cpu") {
    refuse("provider", options.provider, "engine onnxruntime beside it");
  }
  if (options.threads < 0 || options.threads > 1024) {
    refuse("threads", std::to_string(options.threads), "0 (as many as there are) to 1024");
  }
  if (options.device == "auto") return;
  if (options.device != "cpu" && options.device != "cuda") {
    refuse("device", options.device, "auto, cpu or cuda");
  }
  if (is_native && options.device == "cuda") {
    throw Error(ErrorCode::unsupported, "device 'cuda' is not in this build of moa; it computes on 'cpu'");
  }
  const bool is_on_cuda = options.provider == "cuda" || options.provider == "tensorrt";
  if (is_on_cuda != (options.device == "cuda")) {
    throw Error(ErrorCode::unsupported, "device '" + options.device + "' is not where the provider '" +
                                            options.provider + "' of ONNX Runtime computes");
  }
}

// A quantized directory whose format moa does not know is refused whatever is asked for.
Precision precision_of(const LoadOptions& options, const ModelDirectory& directory) {
  const std::optional<Precision> stored = quantized_to(directory);
  if (options.dtype == "auto") return stored.value_or(Precision::f32);
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    if (options.dtype == moa::name(precision)) return precision;
  }
  throw Error(ErrorCode::invalid_argument,
              "dtype: found '" + options.dtype + "', expected auto, f32, bf16 or int8");
}

void pad(std::vector<std::int32_t>& ids, const TextPadding& wanted, const Padding& said,
         std::int64_t vocabulary) {
  const std::optional<std::int32_t> id = wanted.id ? wanted.id : said.id;
  if (!id || *id < 0 || *id >= vocabulary) {
    throw Error(ErrorCode::unsupported, "the model attends to the padding of texts: found " +
                                            (id ? "padding id " + std::to_string(*id) : "no padding token") +
                                            " in the tokenizer's files, expected an id below " +
                                            std::to_string(vocabulary));
  }
  const auto tokens = static_cast<std::size_t>(wanted.tokens);
  if (ids.size() < tokens) ids.insert(said.left ? ids.begin() : ids.end(), tokens - ids.size(), *id);
}

// The version of everything between a file and the numbers that a network is given. It is part of a model's
// identity: when it changes, vectors made before are another model's.
constexpr std::string_view kPreprocessingVersion = "preprocessing 3; ";

// A model's files, and how it will be computed by them.
struct OpenedModel {
  ModelDirectory directory;
  std::string arithmetic;  // "f32", "int8", "onnxruntime-cuda-f16"
  std::function<std::unique_ptr<const Engine>(const ModelDirectory&)> start;
  std::size_t prompt_vectors = 0;
  std::string label_template = {};
};

// Whoever reads one file does not know where it lies: what is wrong in a model's files is told with their
// directory.
template <typename Read>
auto in_directory(const std::filesystem::path& path, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    // The first thing quoted, if it is the directory or in it.
    std::string_view told = error.what();
    told.remove_prefix(std::min(told.find('\''), told.size()));
    const std::string quoted = "'" + path.string();
    if (told.starts_with(quoted + "'") || told.starts_with(quoted + "/")) throw;
    throw Error(error.code(), "model '" + path.string() + "': " + error.what());
  }
}

OpenedModel open_exported(const std::filesystem::path& path, const LoadOptions& options) {
  if (!options.adapter.empty()) {
    throw Error(ErrorCode::unsupported, "cannot add the adapter '" + options.adapter.string() + "' to '" +
                                            path.string() +
                                            "': the weights of graphs are fixed; expected engine 'moa'");
  }
  if (!options.prompt_vectors.empty()) {
    throw Error(ErrorCode::unsupported, "cannot put prompt vectors before the texts of '" + path.string() +
                                            "': graphs take tokens alone; expected engine 'moa'");
  }
  const OnnxSessionOptions session{onnx_provider_named(options.provider), options.threads};
  const ExportedModel model = in_directory(path, [&] { return ExportedModel::open(path, options.dtype); });
  std::string arithmetic = options.engine;
  if (session.provider != OnnxProvider::cpu) arithmetic += "-" + options.provider;
  if (model.graphs.dtype != "f32") arithmetic += "-" + std::string(model.graphs.dtype);
  return {model.directory, std::move(arithmetic),
          [model, session](const ModelDirectory&) { return OnnxEngine::open(model, session); }};
}

// Nothing large is read yet.
OpenedModel open_model(std::string_view name, const LoadOptions& options) {
  const std::filesystem::path path = resolve_model(name, ModelSearch::standard());
  check_computation(options);
  if (options.engine == "onnxruntime") return open_exported(path, options);
  ModelDirectory directory = in_directory(path, [&] { return ModelDirectory::open(path); });
  NativeOptions native{in_directory(path, [&] { return precision_of(options, directory); }), options.threads,
                       options.adapter};
  std::string label_template;
  if (!options.prompt_vectors.empty()) {
    PromptVectors prompt = PromptVectors::open(options.prompt_vectors);
    prompt.expect_model(directory, options.prompt_vectors);
    native.prompt_vectors = std::move(prompt.vectors);
    label_template = std::move(prompt.label_template);
  }
  const std::size_t count =
      native.prompt_vectors ? static_cast<std::size_t>(native.prompt_vectors.shape()[0]) : 0;
  return {std::move(directory), std::string(moa::name(native.precision)),
          [native](const ModelDirectory& from) {
            return in_directory(from.path(),
                                [&] { return std::make_unique<const NativeEngine>(from, native); });
          },
          count, std::move(label_template)};
}

// How a vector was computed is part of it too; other than in f32 by moa, it can be read at the identity's
// end.
std::string identity_at(const ModelDirectory& directory, const std::string& arithmetic,
                        const LoadOptions& options) {
  const OpenClipTexts texts = OpenClipTexts::read(directory.layout(), directory.config());
  std::string salt = std::string(kPreprocessingVersion).append(texts.version()) + arithmetic;
  if (options.fast_decode) salt += "; fast decode";
  if (!options.adapter.empty()) salt += "; adapter " + adapter_identity(options.adapter);
  if (!options.prompt_vectors.empty()) salt += "; prompt vectors " + prompt_identity(options.prompt_vectors);
  const std::string identity = model_identity(directory, salt);
  return arithmetic == moa::name(Precision::f32) ? identity : identity + "-" + arithmetic;
}

// The model's identity is looked at only where a file outlives this process. The width of its vectors is part
// of it.
TextCacheOptions text_cache_options(const LoadOptions& options, const ModelDirectory& directory,
                                    const std::string& arithmetic) {
  TextCacheOptions cache{.memory_bytes = options.text_cache_bytes};
  if (!options.text_cache_on_disk) return cache;
  const std::filesystem::path folder = moa_cache_directory(process_environment());
  if (folder.empty()) return cache;
  cache.file = folder / "texts.sqlite";
  cache.owner = identity_at(directory, arithmetic, options) + " " + std::string(cpu_level());
  return cache;
}

// How the model that texts go to is loaded.
LoadOptions options_of_texts(LoadOptions options) {
  options.text_model.clear();
  options.adapter.clear();
  options.prompt_vectors.clear();
  return options;
}

// Of two models as one. The pictures' own comes last, so that how vectors were computed still ends it.
std::string identity_of_pair(const std::string& texts, const std::string& pictures) {
  return texts + "+" + pictures;
}

// A model can still be described without its tokenizer or its picture processor, and that it lacks it.
template <typename Describe>
std::string described_if_there(Describe describe) {
  try {
    return describe();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return std::string("not there: ") + error.what();
  }
}

}  // namespace

std::string identity_of(std::string_view name, const LoadOptions& options) {
  const OpenedModel opened = open_model(name, options);
  std::string own = identity_at(opened.directory, opened.arithmetic, options);
  if (options.text_model.empty()) return own;
  return identity_of_pair(identity_of(options.text_model, options_of_texts(options)), own);
}

std::shared_ptr<const LoadedModel> LoadedModel::load(std::string_view name, const LoadOptions& options) {
  OpenedModel opened = open_model(name, options);
  std::unique_ptr<const Engine> engine = opened.start(opened.directory);
  const std::filesystem::path path = opened.directory.path();
  const std::shared_ptr<LoadedModel> model(in_directory(path, [&] {
    return new LoadedModel(std::string(name), std::move(opened.directory), std::move(opened.arithmetic),
                           std::move(engine), options);
  }));
  model->prompt_vectors_ = opened.prompt_vectors;
  model->label_template_ = std::move(opened.label_template);
  if (!options.text_model.empty()) model->pair_with(load(options.text_model, options_of_texts(options)));
  return model;
}

void LoadedModel::pair_with(std::shared_ptr<const LoadedModel> texts) {
  const std::string attempt = "cannot give the texts of '" + name_ + "' to '" + texts->name_ + "': ";
  if (prompt_vectors_ > 0)
    throw Error(ErrorCode::unsupported, attempt + "prompt vectors stand before the former's own texts");
  if (texts->text() == nullptr) {
    throw Error(ErrorCode::unsupported, attempt + "the latter has no text tower");
  }
  if (facts().image() == nullptr) {
    throw Error(ErrorCode::unsupported, attempt + "the former has no picture tower to pair it with");
  }
  if (engine_->matches_pairs()) {
    throw Error(ErrorCode::unsupported, attempt + "the former has a head that reads both together");
  }
  if (texts->facts().dim() != facts().dim()) {
    throw Error(ErrorCode::shape_mismatch,
                attempt + "found texts of " + std::to_string(texts->facts().dim()) +
                    " dimensions, expected those of the pictures, " + std::to_string(facts().dim()));
  }
  texts_ = std::move(texts);
}

LoadedModel::LoadedModel(std::string name, ModelDirectory directory, std::string arithmetic,
                         std::unique_ptr<const Engine> engine, const LoadOptions& options)
    : name_(std::move(name)),
      options_(options),
      directory_(std::move(directory)),
      arithmetic_(std::move(arithmetic)),
      prompts_(Prompts::of(directory_)),
      open_clip_texts_(OpenClipTexts::read(directory_.layout(), directory_.config())),
      engine_(std::move(engine)),
      text_cache_(text_cache_options(options, directory_, arithmetic_)) {}

// What was freed would stay with the C library: a program that unloads a model wants its memory back.
LoadedModel::~LoadedModel() {
  engine_.reset();
  tokenizer_.reset();
  processor_.reset();
  patch_processor_.reset();
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

const EmbeddingModel& LoadedModel::network() const {
  if (engine_->network() != nullptr) return *engine_->network();
  throw Error(ErrorCode::unsupported,
              "the model '" + name_ + "' is run by " + engine_->description() + ": moa has no network of it");
}

const Tokenizer& LoadedModel::tokenizer() const {
  std::call_once(tokenizer_once_, [this] {
    tokenizer_ = in_directory(directory_.path(), [this] {
      TokenizerFiles files = tokenizer_files_of(directory_);
      files.lowercases = facts().text()->lowercases;
      return std::make_unique<const Tokenizer>(Tokenizer::load(files));
    });
  });
  return *tokenizer_;
}

const ImageProcessor& LoadedModel::processor() const {
  std::call_once(processor_once_, [this] {
    const ImageTowerFacts& image = *facts().image();
    ImageProcessor processor = in_directory(directory_.path(), [&] {
      return directory_.layout() != ModelDirectory::Layout::transformers
                 ? ImageProcessor::from_open_clip(directory_.config().object("preprocess_cfg"),
                                                  image.height_px)
                 : ImageProcessor::from_config(
                       processor_config_of(directory_),
                       architecture_of(directory_.config(), layout_of(directory_.layout())).image_processor);
    });
    const bool fits = processor.height_px() == image.height_px && processor.width_px() == image.width_px;
    if (!fits && !image.takes_any_size) {
      throw Error(ErrorCode::shape_mismatch, directory_.path().string() + ": the picture processor makes " +
                                                 std::to_string(processor.width_px()) + "x" +
                                                 std::to_string(processor.height_px()) +
                                                 " px, the model takes " + std::to_string(image.width_px) +
                                                 "x" + std::to_string(image.height_px));
    }
    processor_ = std::make_unique<const ImageProcessor>(std::move(processor));
  });
  return *processor_;
}

// The tokenizer's files may set a limit below what the tower could take, as what it learned with.
std::size_t LoadedModel::longest_text() const {
  const auto most = static_cast<std::size_t>(facts().text()->context_tokens);
  std::size_t limit = 0;
  try {
    limit = tokenizer().description().max_length;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
  }
  return limit == 0 || facts().text()->limits_texts_alone ? most : std::min(most, limit);
}

std::string LoadedModel::with_prompt(std::string_view text, const std::optional<std::string>& prompt) const {
  if (texts_) return texts_->with_prompt(text, prompt);
  return prompts_.words(prompt) + std::string(text);
}

const PatchProcessor& LoadedModel::patch_processor() const {
  std::call_once(processor_once_, [this] {
    const std::int64_t patch_px = facts().image()->patch_px;
    PatchProcessor processor = in_directory(
        directory_.path(), [this] { return PatchProcessor::from_config(processor_config_of(directory_)); });
    if (processor.patch_px() != patch_px) {
      throw Error(ErrorCode::shape_mismatch, directory_.path().string() +
                                                 ": the picture processor makes patches of " +
                                                 std::to_string(processor.patch_px()) +
                                                 " px, the model takes " + std::to_string(patch_px));
    }
    patch_processor_ = std::make_unique<const PatchProcessor>(std::move(processor));
  });
  return *patch_processor_;
}

bool LoadedModel::embeds(Modality modality) const {
  return (modality == Modality::text && text() != nullptr) ||
         (modality == Modality::image && facts().image() != nullptr);
}

void LoadedModel::prepare(Modality modality) const {
  if (texts_ && modality == Modality::text) return texts_->prepare(modality);
  if (!embeds(modality)) {
    throw Error(ErrorCode::unsupported, "the model '" + name_ + "' has no tower for inputs of the kind " +
                                            std::string(name(modality)));
  }
  if (modality == Modality::text) {
    tokenizer();
  } else if (facts().image()->takes_patches()) {
    patch_processor();
  } else {
    processor();
  }
}

std::string LoadedModel::processor_description() const {
  return facts().image()->takes_patches() ? patch_processor().description() : processor().description();
}

PreparedText LoadedModel::prepare_text(std::string_view text, const std::optional<std::string>& prompt,
                                       std::size_t prompt_vectors) const {
  if (texts_) return texts_->prepare_text(text, prompt);
  const TextTowerFacts* tower = facts().text();
  if (tower == nullptr) throw Error(ErrorCode::unsupported, "model '" + name_ + "' has no text tower");
  if (!is_utf8(text)) throw Error(ErrorCode::corrupt_data, "the text is not UTF-8");
  const std::string whole = with_prompt(text, prompt);
  if (!tower->pools_prompts && whole.size() != text.size()) {
    throw Error(ErrorCode::unsupported, "a prompt before a text of '" + name_ +
                                            "': its pooling has 'include_prompt' false, expected true");
  }
  if (prompt_vectors >= longest_text()) {
    throw Error(ErrorCode::invalid_argument, "cannot put " + std::to_string(prompt_vectors) +
                                                 " prompt vectors before a text of '" + name_ +
                                                 "': it takes " + std::to_string(longest_text()) + " tokens");
  }
  Tokenized tokenized =
      tokenizer().tokenize(open_clip_texts_.applied_to(whole), longest_text() - prompt_vectors);
  for (const std::int32_t id : tokenized.ids) {
    if (id >= tower->vocabulary) {
      throw Error(ErrorCode::out_of_range, "the tokenizer of '" + name_ + "' gives id " + std::to_string(id) +
                                               ", its model knows ids below " +
                                               std::to_string(tower->vocabulary));
    }
  }
  if (open_clip_texts_.strips_separator) {
    std::replace(tokenized.ids.begin(), tokenized.ids.end(), tokenizer().id_of("[SEP]").value_or(0), 0);
  }
  if (prompt_vectors > 0) {
    std::vector<std::int32_t> learned(prompt_vectors);
    for (std::size_t i = 0; i < learned.size(); ++i) learned[i] = -1 - static_cast<std::int32_t>(i);
    const auto place = tokenized.ids.begin() + static_cast<std::ptrdiff_t>(tokenizer().tokens_before_text());
    tokenized.ids.insert(place, learned.begin(), learned.end());
  }
  if (tower->padding) pad(tokenized.ids, *tower->padding, tokenizer().padding(), tower->vocabulary);
  return {std::move(tokenized.ids), tokenized.truncated};
}

PreparedImage LoadedModel::prepare_image(std::span<const std::byte> content, double max_megapixels) const {
  const ImageTowerFacts* tower = facts().image();
  if (tower == nullptr) {
    throw Error(ErrorCode::unsupported, "model '" + name_ +
                                            "' has no picture tower; its texts go beside the pictures of "
                                            "another model with --model OTHER --text-model " +
                                            name_);
  }
  if (tower->takes_patches()) {
    const PatchProcessor& prepared = patch_processor();
    PatchedPicture patched = prepared.preprocess(decode_picture(content, {.max_megapixels = max_megapixels}));
    PreparedImage image;
    image.values = std::move(patched.values);
    image.grid = {patched.height_patches, patched.width_patches};
    return image;
  }
  const ImageProcessor& prepared = processor();
  const std::int64_t least_edge_px = options_.fast_decode ? prepared.least_edge_px() : 0;
  const Picture picture =
      decode_picture(content, {.max_megapixels = max_megapixels, .least_edge_px = least_edge_px});
  PreparedImage image;
  image.height_px = prepared.height_px();
  image.width_px = prepared.width_px();
  image.values.resize(static_cast<std::size_t>(tower->channels * image.height_px * image.width_px));
  prepared.preprocess(picture, image.values);
  return image;
}

std::vector<std::string> LoadedModel::templates() const {
  if (!label_template_.empty()) return {label_template_};
  const std::vector<std::string> usual = {"a photo of a {}."};
  std::vector<std::string> own = directory_.config().strings("zero_shot_templates", usual);
  for (const std::string& pattern : own) {
    if (pattern.find("{}") == std::string::npos) {
      throw Error(ErrorCode::corrupt_data, directory_.config().where() + ": 'zero_shot_templates': found '" +
                                               pattern + "', expected {} where the label goes");
    }
  }
  return own.empty() ? usual : own;
}

std::string_view LoadedModel::dtype(Modality modality) const {
  return texts_ && modality == Modality::text ? texts_->dtype(modality) : engine_->dtype();
}

std::string LoadedModel::dtype() const {
  const std::string text(dtype(Modality::text));
  const std::string image(dtype(Modality::image));
  return text == image ? text : text + "+" + image;
}

std::string LoadedModel::identity() const {
  const std::string own = identity_at(directory_, arithmetic_, options_);
  return texts_ ? identity_of_pair(texts_->identity(), own) : own;
}

std::string LoadedModel::describe_tokenizer() const {
  return described_if_there([this] {
    const TokenizerDescription& tokens = tokenizer().description();
    return tokens.model + ", " + std::to_string(tokens.vocabulary_size) + " tokens, context " +
           std::to_string(longest_text());
  });
}

ModelInfo LoadedModel::info() const {
  ModelInfo info;
  info.name = name_;
  info.adapter = options_.adapter.string();
  info.prompt_vectors = options_.prompt_vectors.string();
  info.path = directory_.path().string();
  info.layout = moa::name(layout_of(directory_.layout()));
  info.dim = facts().dim();
  info.engine = engine_->description();
  info.precision = dtype();
  info.weights_file = directory_.weights_name();
  info.weights_format = moa::name(directory_.weight_format());
  for (const std::filesystem::path& file : directory_.weight_files()) {
    info.weights_bytes += static_cast<std::int64_t>(std::filesystem::file_size(file));
  }
  engine_->describe(info);
  if (texts_) {
    ModelInfo texts = texts_->info();
    std::erase_if(info.towers, [](const ModelInfo::Tower& tower) { return tower.name == "text"; });
    const auto tower = std::ranges::find(texts.towers, "text", &ModelInfo::Tower::name);
    if (tower != texts.towers.end()) info.towers.insert(info.towers.begin(), std::move(*tower));
    info.text_model = std::move(texts.name);
    info.tokenizer = std::move(texts.tokenizer);
    info.prompts = std::move(texts.prompts);
    info.modalities.push_back(Modality::text);
  } else if (facts().text() != nullptr) {
    info.modalities.push_back(Modality::text);
    info.tokenizer = describe_tokenizer();
  }
  if (facts().image() != nullptr) {
    info.modalities.push_back(Modality::image);
    info.processor = described_if_there([this] { return processor_description(); });
  }
  info.licence = directory_.licence().value_or("");
  info.identity = identity();
  for (const auto& [prompt_name, words] : prompts_.by_name) {
    if (!texts_) info.prompts.push_back(prompt_name + "=" + words);
  }
  info.templates = templates();
  return info;
}

}  // namespace moa
