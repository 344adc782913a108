#include "train/class_texts.hpp"

#include <utility>

#include "embed/scoring.hpp"

namespace moa::train {

ClassTexts::ClassTexts(const LoadedModel& model, std::vector<std::string> names,
                       const std::vector<std::string>& templates, std::size_t prompt_vectors)
    : names_(std::move(names)), texts_(label_texts(names_, templates)) {
  for (const std::string& text : texts_) ids_.push_back(model.prepare_text(text, {}, prompt_vectors).ids);
}

}  // namespace moa::train
