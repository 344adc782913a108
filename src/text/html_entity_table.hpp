// Generated tables behind html_entities.cpp; see html_entity_table.cpp.
#pragma once

#include <string_view>

namespace moa {

// "name=characters\0" for every name of HTML 5 that a semicolon ends.
extern const std::string_view kHtmlEntities;
// "name\0" for those of them that count without a semicolon too ("amp", "nbsp").
extern const std::string_view kBareHtmlEntities;

}  // namespace moa
