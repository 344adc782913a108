// A model of SentencePiece run as SentencePiece itself runs it. Reference: its library, 0.2; the ids are
// equal on every line of tests/text/golden. (transformers turns most such files into a tokenizer.json in
// memory, which gives other ids now and then: sentencepiece_tokenizers.cpp.)
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "text/sentencepiece_file.hpp"
#include "text/subword_model.hpp"

namespace moa {

struct SentencePieceOptions {
  // Put before every piece of text; the tokens that it makes by itself are taken off again, by their number.
  // So transformers' slow tokenizers keep the space at the beginning of a text.
  std::string prefix = {};
};

// Normalises and cuts a piece: both are one in SentencePiece, so that there is no normalizer beside it.
// Error: corrupt_data if the file's map of characters is damaged.
std::unique_ptr<SubwordModel> make_sentencepiece(const SentencePieceFile& file,
                                                 const SentencePieceOptions& options);

}  // namespace moa
