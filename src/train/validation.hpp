// Judging a model while it learns.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <moa/eval.hpp>

#include "embed/loaded_model.hpp"
#include "train/class_texts.hpp"
#include "train/engine.hpp"
#include "train/pairs_for_model.hpp"
#include "train/train_config.hpp"

namespace moa::train {

struct ValidationParts {
  const TrainConfig& config;
  const LoadedModel& model;
  const PairPreparer& preparer;
  TrainingEngine& engine;
  const ClassTexts* classes = nullptr;  // that are learned; none where pairs are
};

// What a model is judged on: pairs, or pictures with a class each.
using ValidationSet = std::variant<CaptionedPictures, LabelledPictures>;

// `config.validation`; `class_names` are those that are learned, none where pairs are. Errors: as
// read_captioned_pictures(), read_labelled_pictures() and of_classes(); not_found if none of the pictures is
// there.
ValidationSet read_validation_set(const TrainConfig& config, const std::vector<std::string>& class_names);

// What judges the weights as they are: by retrieval, or by which class a picture is of. All parts must
// outlive it.
std::function<Evaluation()> make_validation(const ValidationParts& parts, ValidationSet set);

}  // namespace moa::train
