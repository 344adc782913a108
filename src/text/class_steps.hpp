// Steps that the reference's classes make themselves, from tokenizer_config.json: BertTokenizer (DistilBERT's
// and MPNet's too) its normalizer, RobertaTokenizer its pre-tokenizer. They win over a tokenizer.json's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "text/normalizer.hpp"
#include "text/pre_tokenizer.hpp"

namespace moa {

// The class that `config`, tokenizer_config.json, names, without the "Fast" that some have behind it;
// `fallback` if it names none.
std::string tokenizer_class(const Config& config, std::string_view fallback = "");

// By do_lower_case, strip_accents, tokenize_chinese_chars.
std::unique_ptr<Normalizer> bert_normalizer(const Config& config);
// By add_prefix_space.
std::unique_ptr<PreTokenizer> roberta_pre_tokenizer(const Config& config);

// Whether the class that `config` names makes the step, `model` being the "type" of tokenizer.json's. Where
// it names none but has a key of the step, it is the class that has such a model.
bool makes_bert_normalizer(const Config& config, const std::string& model);
bool makes_roberta_pre_tokenizer(const Config& config, const std::string& model);

}  // namespace moa
