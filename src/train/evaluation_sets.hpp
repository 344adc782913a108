// What evaluation and training read alike: pictures with a class each.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include <moa/error.hpp>
#include <moa/eval.hpp>

namespace moa::train {

struct SoundPictures {
  LabelledPictures set;
  std::vector<Error> bad;  // of the other lines, each naming its own
};

// As read_labelled_pictures(), but lines of a table that cannot be read, or have not one picture and one
// label, are set aside. If there is no other line, the error of the first is thrown.
SoundPictures read_sound_pictures(const std::filesystem::path& place,
                                  const std::optional<std::filesystem::path>& class_names,
                                  const TableOptions& options);

}  // namespace moa::train
