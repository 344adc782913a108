// What stands for classes while they are learned: their texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "embed/loaded_model.hpp"

namespace moa::train {

// Each class in each template. Immutable.
class ClassTexts {
 public:
  // `prompt_vectors` of them stand before each text. Errors: as label_texts() and
  // LoadedModel::prepare_text(); invalid_argument if two classes have the same ids in every template, which
  // no training could tell apart.
  ClassTexts(const LoadedModel& model, std::vector<std::string> names,
             const std::vector<std::string>& templates, std::size_t prompt_vectors = 0);

  const std::vector<std::string>& names() const { return names_; }
  std::size_t texts_a_class() const { return texts_.size() / names_.size(); }
  // Those of the first class, then those of the second …; and their ids.
  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<std::vector<std::int32_t>>& ids() const { return ids_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::string> texts_;
  std::vector<std::vector<std::int32_t>> ids_;
};

}  // namespace moa::train
