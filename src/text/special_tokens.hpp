// The tokens with a role ([CLS], </s>, …), for tokenizers that no tokenizer.json describes: named by the
// small files beside the vocabulary, or by their class in the reference.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/tokenizer_parts.hpp"

namespace moa {

// Those that tokenizer_config.json lists by id (if it has no list, added_tokens.json), then what it lacks of
// `roles` ("pad_token" and what it is by default; if that is empty, there may be none) and of its further
// ones. Errors: corrupt_data if what is listed is no id, out_of_range if it is larger than any.
std::vector<AddedToken> special_tokens(const TokenizerConfig& config,
                                       const std::vector<std::pair<std::string, std::string>>& roles);

// What the token with `role` reads, or `fallback`.
std::string content_of(const TokenizerConfig& config, const std::string& role, const std::string& fallback);

// A token of the template. Error: corrupt_data if the vocabulary lacks it.
TemplatePart fixed_part(const Tokenizer::Parts& parts, const std::string& token);

// Templates by the model that introduced them; the errors are those of fixed_part.
//   roberta: <s> A </s>, <s> A </s> </s> B </s>        bert: [CLS] A [SEP], [CLS] A [SEP] B [SEP] (B of type
//   1) ending:  A </s>, A </s> B </s>
PostProcessor roberta_template(const Tokenizer::Parts& parts, const std::string& begin,
                               const std::string& end);
PostProcessor bert_template(const Tokenizer::Parts& parts, const std::string& begin, const std::string& end);
PostProcessor ending_template(const Tokenizer::Parts& parts, const std::string& end);

}  // namespace moa
