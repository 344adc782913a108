// The "post_processor" of tokenizer.json: the tokens that a model wants around a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/json_node.hpp"

namespace moa {

// A part of the template: fixed ids, or those of a text.
struct TemplatePart {
  enum class Source { fixed, first_text, second_text };
  Source source = Source::fixed;
  std::vector<std::int32_t> ids;  // if they are fixed
  std::int32_t type_id = 0;
};

// A template for one text, and another one for a pair of texts.
class PostProcessor {
 public:
  // Nothing around a text, and nothing between two.
  PostProcessor();
  // `pair` is empty if the tokenizer has no template for pairs.
  PostProcessor(std::vector<TemplatePart> single, std::vector<TemplatePart> pair);
  // Errors: unsupported, naming it, for a type that moa does not know; corrupt_data.
  static PostProcessor make(const JsonNode& node);

  // How many tokens the template adds to a text, and to a pair.
  std::size_t added_tokens() const { return fixed_tokens(single_); }
  std::size_t tokens_added_to_pair() const { return fixed_tokens(pair_); }
  bool takes_pairs() const { return !pair_.empty(); }
  void apply(const std::vector<std::int32_t>& text_ids, std::vector<std::int32_t>& ids,
             std::vector<std::int32_t>& type_ids) const;
  void apply_to_pair(const std::vector<std::int32_t>& first_ids, const std::vector<std::int32_t>& second_ids,
                     std::vector<std::int32_t>& ids, std::vector<std::int32_t>& type_ids) const;
  // From now on the last part is left out where a text ends with it already.
  void skip_repeated_end() { skips_repeated_end_ = true; }

 private:
  static std::size_t fixed_tokens(const std::vector<TemplatePart>& parts);

  std::vector<TemplatePart> single_;
  std::vector<TemplatePart> pair_;
  bool skips_repeated_end_ = false;
};

}  // namespace moa
