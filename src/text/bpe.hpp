// Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909): adjacent symbols are merged, lowest rank
// first, leftmost among equals, until no pair of them is in the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/subword_model.hpp"

namespace moa {

struct BpeOptions {
  std::string unknown_token;              // empty: what is unknown vanishes
  std::string continuing_subword_prefix;  // before every symbol of a piece but the first
  std::string end_of_word_suffix;         // behind the last symbol of a piece ("</w>" in CLIP)
  bool fuse_unknown = false;              // a run of unknown characters is one token
  bool byte_fallback = false;  // an unknown character is the tokens of its bytes, <0x00> ... <0xFF>
  bool ignore_merges = false;  // a piece that is a token whole is that token
};

using Merge = std::pair<std::string_view, std::string_view>;

// `merges` in order of rank. Error: corrupt_data if one of them, or what it makes, is no token.
std::unique_ptr<SubwordModel> make_bpe(Vocabulary vocabulary, const std::vector<Merge>& merges,
                                       BpeOptions options);
std::unique_ptr<SubwordModel> make_bpe(const JsonNode& node);

}  // namespace moa
