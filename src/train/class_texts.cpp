#include "train/class_texts.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include <moa/error.hpp>

#include "embed/scoring.hpp"

namespace moa::train {

ClassTexts::ClassTexts(const LoadedModel& model, std::vector<std::string> names,
                       const std::vector<std::string>& templates, std::size_t prompt_vectors)
    : names_(std::move(names)), texts_(label_texts(names_, templates)) {
  std::vector<bool> are_cut;
  for (const std::string& text : texts_) {
    PreparedText prepared = model.prepare_text(text, {}, prompt_vectors);
    are_cut.push_back(prepared.truncated);
    ids_.push_back(std::move(prepared.ids));
  }
  const auto of_class = [&](std::size_t i) {
    return std::span(ids_).subspan(i * texts_a_class(), texts_a_class());
  };
  const auto comes_before = [&](std::size_t a, std::size_t b) {
    return std::ranges::lexicographical_compare(of_class(a), of_class(b));
  };
  std::set<std::size_t, decltype(comes_before)> seen(comes_before);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto [same, is_new] = seen.insert(i);
    if (is_new) continue;
    std::string why = "the tokenizer gives both the same ids";
    if (are_cut[i * texts_a_class()]) {
      why = "the model's context cuts their texts before they differ";
      if (prompt_vectors > 0)
        why += ", for " + std::to_string(prompt_vectors) + " prompt vectors stand in it";
    }
    throw Error(ErrorCode::invalid_argument,
                "cannot tell the classes '" + names_[*same] + "' and '" + names_[i] + "' apart: " + why);
  }
}

}  // namespace moa::train
