#include "text/wordpiece.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <moa/error.hpp>

namespace moa {
namespace {

constexpr std::int64_t kMostWordCharacters = 10'000;

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

class WordPiece final : public SubwordModel {
 public:
  WordPiece(Vocabulary vocabulary, WordPieceOptions options)
      : vocabulary_(std::move(vocabulary)),
        options_(std::move(options)),
        unknown_(vocabulary_.id_of(options_.unknown_token)) {}

  void tokenize(std::string_view word, std::vector<std::int32_t>& ids) const override {
    const auto characters =
        word.size() - static_cast<std::size_t>(std::count_if(word.begin(), word.end(), continues_character));
    const std::size_t first = ids.size();
    if (characters <= options_.max_word_characters && append_tokens(word, ids)) return;
    ids.resize(first);
    if (!unknown_) {
      throw Error(ErrorCode::corrupt_data,
                  "the vocabulary lacks its token for what is unknown, '" + options_.unknown_token + "'");
    }
    ids.push_back(*unknown_);
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const char* name() const override { return "WordPiece"; }

 private:
  bool append_tokens(std::string_view word, std::vector<std::int32_t>& ids) const {
    std::string candidate;
    for (std::size_t begin = 0; begin < word.size();) {
      candidate = begin > 0 ? options_.continuing_subword_prefix : std::string();
      const std::size_t prefix = candidate.size();
      candidate.append(word.substr(begin, vocabulary_.longest_bytes()));
      while (candidate.size() > prefix && begin + candidate.size() - prefix < word.size() &&
             continues_character(word[begin + candidate.size() - prefix])) {
        candidate.pop_back();
      }
      std::optional<std::int32_t> id;
      while (candidate.size() > prefix && !(id = vocabulary_.id_of(candidate))) {
        while (continues_character(candidate.back())) candidate.pop_back();
        candidate.pop_back();
      }
      if (!id) return false;
      ids.push_back(*id);
      begin += candidate.size() - prefix;
    }
    return true;
  }

  Vocabulary vocabulary_;
  WordPieceOptions options_;
  std::optional<std::int32_t> unknown_;
};

}  // namespace

std::unique_ptr<SubwordModel> make_wordpiece(Vocabulary vocabulary, WordPieceOptions options) {
  return std::make_unique<WordPiece>(std::move(vocabulary), std::move(options));
}

std::unique_ptr<SubwordModel> make_wordpiece(const JsonNode& node) {
  WordPieceOptions options;
  options.unknown_token = std::string(node.at("unk_token").string());
  options.continuing_subword_prefix = std::string(node.at("continuing_subword_prefix").string());
  const std::int64_t most = node.at("max_input_chars_per_word").integer();
  if (most < 0 || most > kMostWordCharacters) {
    node.fail("max_input_chars_per_word is " + std::to_string(most) + ", expected 0 to " +
              std::to_string(kMostWordCharacters));
  }
  options.max_word_characters = static_cast<std::size_t>(most);
  return make_wordpiece(parse_vocabulary(node.at("vocab")), std::move(options));
}

}  // namespace moa
