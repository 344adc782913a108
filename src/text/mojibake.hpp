// Mojibake: texts in UTF-8 that were read in an encoding of one byte a character ("sÃ³" for "só").
#pragma once

#include <string>
#include <string_view>

namespace moa {

// Whether `utf8` holds characters side by side that are rarely meant ("Ã©", "â€™"): the heuristic of ftfy 6
// (Speer 2019, https://ftfy.readthedocs.io/en/latest/heuristic.html). (badness.cpp)
bool looks_like_mojibake(std::string_view utf8);

// `utf8` as it was meant, where looks_like_mojibake() says that it was not meant so: what ftfy 6.3's
// fix_encoding gives. Any thread. Error: limit_exceeded for a text that needs too many steps.
std::string mend_mojibake(std::string_view utf8);

}  // namespace moa
