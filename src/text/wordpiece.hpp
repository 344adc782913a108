// WordPiece (Schuster and Nakajima 2012; BERT): the longest token that begins a word, then the longest that
// continues it, and so on; a word that does not work out so is one unknown token.
#pragma once

#include <memory>
#include <string>

#include "text/subword_model.hpp"

namespace moa {

struct WordPieceOptions {
  std::string unknown_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  std::size_t max_word_characters = 100;  // a longer word is unknown
};

std::unique_ptr<SubwordModel> make_wordpiece(Vocabulary vocabulary, WordPieceOptions options);
std::unique_ptr<SubwordModel> make_wordpiece(const JsonNode& node);

}  // namespace moa
