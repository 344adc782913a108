// A model file of SentencePiece (spiece.model, sentencepiece.bpe.model, tokenizer.model): a protocol buffer
// of the type ModelProto in its sentencepiece_model.proto, read without a library for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moa {

struct SentencePiece {
  enum class Type { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  std::string_view text;
  float score = 0;
  Type type = Type::normal;
};

// What a file says, with the defaults of the format where it is silent. Texts refer to the file's bytes.
struct SentencePieceFile {
  enum class Kind { unigram = 1, bpe = 2, word = 3, character = 4 };
  std::vector<SentencePiece> pieces;  // by id
  std::int32_t unknown_id = 0;        // of the one piece that stands for what is unknown

  Kind kind = Kind::unigram;
  bool byte_fallback = false;
  bool treats_whitespace_as_suffix = false;

  std::string_view charsmap;  // precompiled_charsmap.hpp; empty: texts stay as they are
  bool adds_dummy_prefix = true;
  bool removes_extra_whitespace = true;
  bool escapes_whitespace = true;

  // Errors: corrupt_data (not of this format, a piece twice, empty or not UTF-8, not exactly one unknown
  // piece); limit_exceeded for a piece above 1024 bytes or more pieces than there are ids; unsupported for
  // models of words or characters. `where` names the file in errors.
  static SentencePieceFile parse(std::string_view bytes, const std::string& where);
};

}  // namespace moa
