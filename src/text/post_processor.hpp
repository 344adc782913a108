// The "post_processor" of tokenizer.json: the tokens that a model wants around a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/json_node.hpp"

namespace moa {

// A part of the template: the text's own ids, or fixed ones.
struct TemplatePart {
  bool is_text = false;
  std::vector<std::int32_t> ids;  // if it is not the text
  std::int32_t type_id = 0;
};

// For one text; pairs of texts are not offered yet.
class PostProcessor {
 public:
  PostProcessor() : parts_{{true, {}, 0}} {}
  explicit PostProcessor(std::vector<TemplatePart> parts) : parts_(std::move(parts)) {}
  // Errors: unsupported, naming it, for a type that moa does not know; corrupt_data.
  static PostProcessor make(const JsonNode& node);

  std::size_t added_tokens() const;
  void apply(const std::vector<std::int32_t>& text_ids, std::vector<std::int32_t>& ids,
             std::vector<std::int32_t>& type_ids) const;
  // Every id that it adds.
  std::vector<std::int32_t> fixed_ids() const;

 private:
  std::vector<TemplatePart> parts_;
};

}  // namespace moa
