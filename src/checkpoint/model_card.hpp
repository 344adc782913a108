// The front matter of a model card: YAML between two lines of dashes at the top of README.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moa {

// The value of "license", the first one if it is a list; empty if the card states none. Only that key is
// understood, and anything unusual counts as none.
std::optional<std::string> licence_of_model_card(std::string_view card);

}  // namespace moa
