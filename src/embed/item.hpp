// One input, made ready for a forward pass: read, decoded and preprocessed, or the reason why not.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <moa/model.hpp>

#include "embed/loaded_model.hpp"

namespace moa {

struct PreparedItem {
  Modality modality = Modality::text;
  std::variant<std::monostate, PreparedText, std::vector<float>>
      content;  // nothing, a text, or a picture's pixels
  std::optional<Error> error;
};

// Never throws: whatever goes wrong is the item's error.
PreparedItem prepare_item(const LoadedModel& model, const Input& input, const EmbedOptions& options) noexcept;

}  // namespace moa
