// Steps that no file describes, written as tokenizer.json would.
#pragma once

#include <memory>
#include <string_view>

#include "text/json_node.hpp"

namespace moa {

// `Step` is Normalizer, PreTokenizer or Decoder.
template <typename Step>
std::unique_ptr<Step> built_in_step(std::string_view json) {
  return Step::make(JsonNode::parse(json, "a built-in step"));
}

}  // namespace moa
