// Model: a checkpoint, loaded, that turns texts and pictures into vectors.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moa/export.hpp>
#include <moa/vectors.hpp>

namespace moa {

enum class Modality { text, image, audio, video };
MOA_API std::string_view name(Modality modality) noexcept;

struct LoadOptions {
  // Where to compute: "auto" or "cpu". Error: unsupported for a device that is not there.
  std::string device = "auto";
  // Precision of products with weights: "f32", "bf16", "int8", or "auto" (f32, unless the checkpoint is
  // quantized). bf16 and int8 are faster and take half and a quarter of the memory; their vectors lie close
  // to those of f32 but are not the same, and are never mixed with them in an index.
  std::string dtype = "auto";
  // What computes: "moa", or "onnxruntime": then the model is a directory that `moa export` or optimum wrote,
  // and ONNX Runtime's shared library, which MOA_ONNXRUNTIME names if the system does not find it, runs its
  // graphs. `dtype` chooses among them. Whether a vector's last bits depend on its batch is then up to it.
  std::string engine = "moa";
  // Of "onnxruntime": where its graphs run, "cpu", "cuda", "tensorrt", "openvino" or "coreml". Error:
  // unsupported for one that the library has not; none stands in for it.
  std::string provider = "cpu";
  // Threads for computing and decoding together; 0: as many as the process may use.
  int threads = 0;
  // Memory for the vectors of texts that were embedded before: a text that comes again (a query, a label)
  // costs nothing. The default holds some 7,000 vectors of 512 numbers; 0: none is kept.
  std::size_t text_cache_bytes = std::size_t{16} << 20;
  // Keep those vectors, and the texts, also on disk from one run to the next: in
  // $XDG_CACHE_HOME/moa/texts.sqlite, at most 64 MiB, shared by all models and processes. Another model,
  // precision or instruction-set level never gets them. A file that cannot be used is as if it were not
  // there.
  bool text_cache_on_disk = false;
  // Decode a JPEG that is at least twice as large as the model needs at a half, a quarter or an eighth of its
  // size: faster, but its vector moves a little (docs/measurements.md), so that the model has another
  // identity.
  bool fast_decode = false;
  // Another model, named as a model is, that texts go to instead: one that learned to place texts where this
  // model places pictures, in other languages or better. Its vectors must be as wide. Empty: this model's own
  // text tower. It is part of the identity. Errors of loading: as the model's own; shape_mismatch;
  // unsupported if it has no text tower, or this model none for pictures or a head for image-text matching.
  std::string text_model = {};
  // An adapter that is added to the model's weights: a folder that `moa train` or peft (LoRA) wrote, or its
  // file of tensors. It is part of the identity, and only of this model, not of `text_model`. Errors:
  // not_found; corrupt_data; unsupported (a kind of adapter that moa does not know, or the engine
  // "onnxruntime"); model_mismatch and shape_mismatch for an adapter that was learned for another model.
  std::filesystem::path adapter = {};
  // Prompt vectors that `moa train` learned (CoOp), a file: they stand before every text in place of words,
  // and a label is then named alone ("{}."). They are part of the identity. Errors: not_found; corrupt_data;
  // model_mismatch, naming both, for vectors that were learned for another model; unsupported with
  // `text_model`, the engine "onnxruntime", or without a text tower.
  std::filesystem::path prompt_vectors = {};
};

// One thing to embed.
struct Input {
  enum class Kind {
    text,   // `value` is the text, UTF-8
    file,   // `value` is a path; what it holds is decided by its content
    bytes,  // `value` is the content of a file
  };
  Kind kind = Kind::text;
  std::string value;

  static Input text(std::string text) { return {Kind::text, std::move(text)}; }
  static Input file(const std::filesystem::path& path) { return {Kind::file, path.string()}; }
  static Input bytes(std::string content) { return {Kind::bytes, std::move(content)}; }
};

struct EmbedOptions {
  // Vectors as the model's projection leaves them, not on the unit sphere. Refused where cosines are made.
  bool raw = false;
  // Keep the first `dim` dimensions and normalise again; 0: all. Error: invalid_argument beyond the model's.
  std::int64_t dim = 0;
  // Put before each text: the name of a prompt in the model's configuration, which replaces the model's
  // default one, or words, which follow it.
  std::optional<std::string> prompt = {};
  // The most items in one forward pass; 0: chosen by work.
  std::int64_t batch = 0;
  // Pictures that declare more are limit_exceeded.
  double max_megapixels = 256;
  // Called now and then with how many inputs are done; may be empty. Called from the embedding thread.
  std::function<void(std::size_t done)> progress = {};
  // When it becomes true, no new item is begun: those not yet delivered fail as `cancelled`.
  const std::atomic<bool>* cancelled = nullptr;
};

// One input's result, as it is delivered.
struct Embedded {
  std::size_t index = 0;  // of the input
  Modality modality = Modality::text;
  std::vector<float> vector;  // empty if it failed
  std::optional<Error> error;
};

// What happened over a whole call.
struct EmbedReport {
  // Inputs that went through the model. The others failed, were equal to an input that did, or had been
  // embedded before.
  std::size_t computed = 0;
  std::size_t truncated_texts = 0;             // longer than the model's context
  std::optional<std::size_t> first_truncated;  // index of the first such input
};

// What `moa inspect` shows.
struct ModelInfo {
  std::string name;            // as it was asked for
  std::string text_model;      // likewise, the one that texts go to; empty: this one
  std::string adapter;         // likewise, what is added to its weights; empty: nothing
  std::string prompt_vectors;  // likewise, what stands before its texts; empty: nothing
  std::string path;            // of its directory
  std::string architecture;    // e.g. "clip"
  std::string layout;          // "transformers", "open_clip", "openai" or "sentence_transformers"
  std::int64_t dim = 0;
  std::int64_t parameters = 0;  // 0 if they are in graphs
  std::vector<Modality> modalities;
  struct Tower {
    std::string name;  // "text", "image"
    std::int64_t parameters = 0;
    std::string description;  // layers, width, heads
  };
  std::vector<Tower> towers;
  std::vector<std::string> dtypes;  // of the stored weights
  std::string precision;            // Model::dtype()
  std::string engine;               // "moa", or "onnxruntime 1.32.0, provider cpu"
  std::string weights_file;         // "model.safetensors"; the index, if they are in shards
  std::string weights_format;       // "safetensors", "PyTorch" or "ONNX"
  std::int64_t weights_bytes = 0;
  std::string tokenizer;  // one line: kind, size of the vocabulary, context length; or "not there: " and why
  std::string processor;  // one line: resize, crop, mean, std; or as above
  std::string licence;    // empty if not known
  std::string identity;   // as indexes store it
  std::vector<std::string> prompts;
  std::vector<std::string> templates;
};

// Labelled pictures that a classification asks too: what is like an example has its label. It is the cache of
// Tip-Adapter (Zhang et al. 2022, arXiv 2111.03930): nothing is trained, and a handful of pictures a label
// help most where words do not say what is meant.
struct ExampleCache {
  Vectors vectors;                  // one row an example, on the unit sphere
  std::vector<std::size_t> labels;  // one an example: its place among the labels
  double alpha = 1;                 // what one example counts; a label's cosine counts 100
  double beta = 5.5;                // how fast that falls with the example's distance
};

struct ClassifyOptions {
  // "{}" stands for the label; several are averaged on the unit sphere. Empty: the model's own, or "a photo
  // of a {}.".
  std::vector<std::string> templates = {};
  // Shared, for it may be large. None: the labels' words alone decide.
  std::shared_ptr<const ExampleCache> examples = {};
  EmbedOptions embed = {};
};

// Scores of the labels for each picture.
struct Classification {
  std::vector<std::string> labels;
  std::vector<std::vector<float>>
      scores;  // one row a picture, one score a label; empty row if the picture failed
  std::vector<std::optional<Error>> errors;  // one a picture
  Truncation truncated;                      // of the labels, in their templates
};

// What the score of a picture and a text is made of.
enum class Scorer {
  automatic,  // itm where the model has it, else itc
  itc,        // of the vectors' cosine, as the model defines it (image-text contrast)
  itm,  // the probability that a head gives which reads both together (image-text matching): slower, better
};

struct MatchOptions {
  Scorer scorer = Scorer::automatic;
  EmbedOptions embed = {};
};

// Every image against every text.
struct MatchResult {
  std::vector<std::vector<float>> cosine;  // one row an image; empty row if it failed
  // itc: softmax over texts, sigmoid, or the cosine, as the model defines it; itm: a probability for each
  // pair.
  std::vector<std::vector<float>> score;
  std::vector<std::optional<Error>> image_errors;
  std::vector<std::optional<Error>> text_errors;  // that text's column is NaN
  Truncation truncated;                           // of the texts
};

// A loaded model. Immutable: any number of threads may call it at once. Copies share it. What an input's
// vector is does not depend on its batch, its neighbours or the number of threads, bit for bit.
class MOA_API Model {
 public:
  // `name`: a directory, the name of a bundled model, or a hub id ("openai/clip-vit-base-patch32") in the
  // local cache. Nothing is downloaded. Errors: not_found; unsupported (architecture, device, dtype);
  // corrupt_data; shape_mismatch.
  static Model load(std::string_view name, const LoadOptions& options = {});

  std::int64_t dim() const;
  // What decides a vector, as one word; it ends in the precision if that is not f32. Cheap: reads no weights
  // (file hashes are remembered).
  std::string identity() const;
  // The precision it computes in: "f32", "bf16" or "int8"; of graphs also "f16". "int8+f32": texts, by
  // another model (LoadOptions::text_model), in int8, and pictures in f32.
  std::string dtype() const;
  // The precision that vectors of this kind are computed in.
  std::string dtype(Modality modality) const;
  // How many threads it computes with.
  int threads() const;
  // What computes: "moa", or "onnxruntime 1.32.0, provider cpu".
  std::string engine() const;
  ModelInfo info() const;
  bool embeds(Modality modality) const;
  // Makes ready, if it is not yet, what inputs of this kind need (a tokenizer, a picture processor), so that
  // what the model's directory lacks is one error, not every input's. Errors: unsupported without a tower for
  // them; not_found for a file that is not there; those of reading it.
  void prepare(Modality modality) const;
  // Whether there is a head for image-text matching (Scorer::itm).
  bool matches_pairs() const;

  // One vector on the unit sphere. Errors: what the input deserves.
  std::vector<float> embed_text(std::string_view text, const EmbedOptions& options = {}) const;
  std::vector<float> embed_image(const std::filesystem::path& path, const EmbedOptions& options = {}) const;

  // One row an input; a bad input is that row's error. What was cut is told by Vectors::truncated().
  Vectors embed_all(std::span<const Input> inputs, const EmbedOptions& options = {}) const;
  Vectors embed_texts(std::span<const std::string> texts, const EmbedOptions& options = {}) const;
  Vectors embed_images(std::span<const std::filesystem::path> paths, const EmbedOptions& options = {}) const;
  Vectors embed_images(std::span<const std::string> paths, const EmbedOptions& options = {}) const;

  // Delivers every input's result in order, exactly once, on the calling thread, while later ones are still
  // being decoded: memory stays flat however many there are. An exception thrown by `deliver` ends the call.
  EmbedReport embed(std::span<const Input> inputs, const EmbedOptions& options,
                    const std::function<void(Embedded)>& deliver) const;

  // One row a label: the mean of what its templates give, on the unit sphere: the weights of a zero-shot
  // classifier. Labels that were cut in their templates are told by Vectors::truncated(). Errors:
  // invalid_argument for a template without "{}"; a label's own (corrupt_data, cancelled).
  Vectors embed_labels(std::span<const std::string> labels, const ClassifyOptions& options = {}) const;
  // Errors: invalid_argument without labels, for a template without "{}", or for examples of labels that are
  // not there; shape_mismatch for examples of another model.
  Classification classify(std::span<const Input> images, std::span<const std::string> labels,
                          const ClassifyOptions& options = {}) const;
  // Errors: unsupported if a head for image-text matching is asked for and there is none.
  MatchResult match(std::span<const Input> images, std::span<const std::string> texts,
                    const MatchOptions& options = {}) const;

 private:
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Identity of a model, loaded with `options`, without loading it. Errors as Model::load.
MOA_API std::string model_identity(std::string_view name, const LoadOptions& options = {});

}  // namespace moa
