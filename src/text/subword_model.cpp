#include "text/subword_model.hpp"

#include <simdjson.h>

#include <moa/error.hpp>
#include "text/bpe.hpp"
#include "text/unigram.hpp"
#include "text/wordpiece.hpp"

namespace moa {
namespace {

// Whole pieces, or the token for unknown ones.
class WordLevel final : public SubwordModel {
 public:
  WordLevel(Vocabulary vocabulary, std::string_view unknown)
      : vocabulary_(std::move(vocabulary)), unknown_(vocabulary_.id_of(unknown)) {}

  void tokenize(std::string_view piece, std::vector<std::int32_t>& ids) const override {
    std::optional<std::int32_t> id = vocabulary_.id_of(piece);
    if (!id) id = unknown_;
    if (!id) throw Error(ErrorCode::corrupt_data, "the vocabulary has no token for an unknown word");
    ids.push_back(*id);
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const char* name() const override { return "WordLevel"; }

 private:
  Vocabulary vocabulary_;
  std::optional<std::int32_t> unknown_;
};

// Old files leave "type" out.
std::string type_of(const JsonNode& node) {
  if (node.find("type")) return node.type();
  if (node.find("merges")) return "BPE";
  if (node.find("unk_id")) return "Unigram";
  return node.find("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

}  // namespace

std::unique_ptr<SubwordModel> SubwordModel::make(const JsonNode& node) {
  const std::string type = type_of(node);
  if (type == "BPE") return make_bpe(node);
  if (type == "WordPiece") return make_wordpiece(node);
  if (type == "Unigram") return make_unigram(node);
  if (type == "WordLevel") {
    return std::make_unique<WordLevel>(parse_vocabulary(node.at("vocab")), node.at("unk_token").string());
  }
  node.fail_unsupported("the model '" + type + "'");
}

Vocabulary parse_vocabulary(const JsonNode& node) {
  simdjson::dom::object object;
  if (node.raw().get(object)) node.fail("expected an object");
  Vocabulary vocabulary;
  vocabulary.reserve(object.size(), object.size() * 8);
  for (const auto [token, value] : object) {
    std::int64_t id = 0;
    if (value.get(id)) node.fail("'" + std::string(token) + "' has no integer for an id");
    vocabulary.add(token, id);
  }
  return vocabulary;
}

std::vector<std::int32_t> byte_tokens(const Vocabulary& vocabulary) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::vector<std::int32_t> ids(256);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const char token[] = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    ids[byte] = vocabulary.id_of({token, sizeof token}).value_or(-1);
  }
  return ids;
}

}  // namespace moa
