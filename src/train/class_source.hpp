// Pictures of which each belongs to a class, to learn from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <moa/error.hpp>
#include <moa/eval.hpp>

#include "train/evaluation_sets.hpp"
#include "train/pair_source.hpp"

namespace moa::train {

struct ClassOptions {
  std::filesystem::path names = {};         // as read_labelled_pictures() takes them; empty: none
  std::vector<std::string> templates = {};  // empty: the model's own
};

// In each epoch every picture comes once, in an order drawn anew. A line of a table that cannot be read, or
// has not one picture and one label, is a bad picture of its own.
class ClassSource : public PairSource {
 public:
  // `place` is a folder with a folder a class, or a table. Errors: as read_sound_pictures();
  // invalid_argument for fewer than two classes, two of one name, or one without a picture.
  ClassSource(const std::filesystem::path& place, const ClassOptions& options, const TableOptions& table);

  std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const override;
  std::optional<std::uint64_t> size() const override { return set_.pictures.size() + bad_.size(); }
  std::vector<std::string> class_names() const override { return set_.class_names; }

  // Picture `index` of the set; behind them come the bad ones. Errors: theirs.
  RawPair pair(std::uint64_t index) const;

 private:
  ClassSource(SoundPictures found, const std::filesystem::path& place);

  LabelledPictures set_;
  std::vector<Error> bad_;
};

// What a model that learned `names` is judged on: `set` with its classes as they stand there. Error:
// invalid_argument for a class that is not among them.
LabelledPictures of_classes(LabelledPictures set, const std::vector<std::string>& names,
                            const std::filesystem::path& place);

}  // namespace moa::train
