#include <moa/model.hpp>

#include <utility>

#include "embed/loaded_model.hpp"
#include "embed/pipeline.hpp"
#include "embed/scoring.hpp"

namespace moa {

struct Model::Impl {
  std::shared_ptr<const LoadedModel> loaded;
};

std::string_view name(Modality modality) noexcept {
  switch (modality) {
    case Modality::text:
      return "text";
    case Modality::image:
      return "image";
    case Modality::audio:
      return "audio";
    case Modality::video:
      return "video";
  }
  return "unknown";
}

Model Model::load(std::string_view name, const LoadOptions& options) {
  return Model(std::make_shared<Impl>(Impl{LoadedModel::load(name, options)}));
}

std::int64_t Model::dim() const {
  return impl_->loaded->facts().dim();
}
std::string Model::identity() const {
  return impl_->loaded->identity();
}
std::string Model::dtype() const {
  return impl_->loaded->dtype();
}
std::string Model::dtype(Modality modality) const {
  return std::string(impl_->loaded->dtype(modality));
}
std::string Model::engine() const {
  return impl_->loaded->engine().description();
}
ModelInfo Model::info() const {
  return impl_->loaded->info();
}

bool Model::embeds(Modality modality) const {
  return impl_->loaded->embeds(modality);
}

void Model::prepare(Modality modality) const {
  impl_->loaded->prepare(modality);
}

EmbedReport Model::embed(std::span<const Input> inputs, const EmbedOptions& options,
                         const std::function<void(Embedded)>& deliver) const {
  return embed_in_order(*impl_->loaded, inputs, options, deliver);
}

namespace {

std::vector<float> only_vector(const Model& model, Input input, const EmbedOptions& options) {
  std::vector<float> vector;
  model.embed({&input, 1}, options, [&](Embedded result) {
    if (result.error) throw *result.error;
    vector = std::move(result.vector);
  });
  return vector;
}

}  // namespace

std::vector<float> Model::embed_text(std::string_view text, const EmbedOptions& options) const {
  return only_vector(*this, Input::text(std::string(text)), options);
}

std::vector<float> Model::embed_image(const std::filesystem::path& path, const EmbedOptions& options) const {
  return only_vector(*this, Input::file(path), options);
}

Vectors Model::embed_all(std::span<const Input> inputs, const EmbedOptions& options) const {
  Vectors vectors(options.dim > 0 ? options.dim : dim());
  const EmbedReport report = embed(inputs, options, [&](const Embedded& result) {
    if (result.error) {
      vectors.append(*result.error);
    } else {
      vectors.append(result.vector);
    }
  });
  vectors.tell_truncated(truncation_of(report, inputs));
  return vectors;
}

Vectors Model::embed_texts(std::span<const std::string> texts, const EmbedOptions& options) const {
  std::vector<Input> inputs;
  for (const std::string& text : texts) inputs.push_back(Input::text(text));
  return embed_all(inputs, options);
}

Vectors Model::embed_images(std::span<const std::filesystem::path> paths, const EmbedOptions& options) const {
  std::vector<Input> inputs;
  for (const std::filesystem::path& path : paths) inputs.push_back(Input::file(path));
  return embed_all(inputs, options);
}

Vectors Model::embed_images(std::span<const std::string> paths, const EmbedOptions& options) const {
  std::vector<Input> inputs;
  for (const std::string& path : paths) inputs.push_back(Input::file(path));
  return embed_all(inputs, options);
}

int Model::threads() const {
  return impl_->loaded->engine().threads();
}

Vectors Model::embed_labels(std::span<const std::string> labels, const ClassifyOptions& options) const {
  return moa::embed_labels(*impl_->loaded, labels, options);
}

Classification Model::classify(std::span<const Input> images, std::span<const std::string> labels,
                               const ClassifyOptions& options) const {
  return classify_images(*impl_->loaded, images, labels, options);
}

bool Model::matches_pairs() const {
  return impl_->loaded->engine().matches_pairs();
}

MatchResult Model::match(std::span<const Input> images, std::span<const std::string> texts,
                         const MatchOptions& options) const {
  return match_pairs(*impl_->loaded, images, texts, options);
}

std::string model_identity(std::string_view name, const LoadOptions& options) {
  return identity_of(name, options);
}

}  // namespace moa
