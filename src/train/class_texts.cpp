#include "train/class_texts.hpp"

#include <utility>

#include "embed/scoring.hpp"

namespace moa::train {

ClassTexts::ClassTexts(const LoadedModel& model, std::vector<std::string> names,
                       std::vector<std::string> templates)
    : names_(std::move(names)),
      texts_(label_texts(names_, templates.empty() ? model.templates() : templates)) {
  for (const std::string& text : texts_) ids_.push_back(model.prepare_text(text, {}).ids);
}

}  // namespace moa::train
