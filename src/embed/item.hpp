// One input, made ready for a forward pass: read, decoded and preprocessed, or the reason why not.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <moa/model.hpp>

#include "embed/loaded_model.hpp"
#include "embed/vector_memory.hpp"

namespace moa {

struct PreparedItem {
  Modality modality = Modality::text;
  std::variant<std::monostate, PreparedText, PreparedImage> content;  // nothing, a text, or a picture
  std::optional<Error> error;
  // Everything about the item that decides its vector: the words of a text, the content of a file by its
  // hash.
  std::string key;
  // Its vector, if it is known from before; there is no content then.
  std::optional<KnownVector> known;
};

// Never throws: whatever goes wrong is the item's error. Texts are looked up in the model's cache, pictures
// in `pictures`.
PreparedItem prepare_item(const LoadedModel& model, const Input& input, const EmbedOptions& options,
                          VectorMemory& pictures) noexcept;

}  // namespace moa
