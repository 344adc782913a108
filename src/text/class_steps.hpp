// Steps that the reference's classes make themselves, of tokenizer_config.json: they win over a
// tokenizer.json's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "text/json_node.hpp"
#include "text/tokenizer_parts.hpp"

namespace moa {

// The class that `config`, tokenizer_config.json, names, without the "Fast" that some have behind it;
// `fallback` if it names none.
std::string tokenizer_class(const Config& config, std::string_view fallback = "");

// By do_lower_case, strip_accents, tokenize_chinese_chars.
std::unique_ptr<Normalizer> bert_normalizer(const Config& config);
// By add_prefix_space.
std::unique_ptr<PreTokenizer> byte_level(const Config& config);
// Words, each with SentencePiece's mark of a space before it.
std::unique_ptr<PreTokenizer> words_with_mark();

// Puts what the class that `config` names makes itself into the place of what was made of `tokenizer_json`:
// BertTokenizer's normalizer (DistilBERT's and MPNet's too), RobertaTokenizer's pre-tokenizer,
// XLMRobertaTokenizer's both, and their templates where there is none. A config that names no class but says
// how BERT's is to normalize means that one.
void put_steps_of_class(Tokenizer::Parts& parts, const JsonNode& tokenizer_json,
                        const TokenizerConfig& config);

}  // namespace moa
