#include "text/unigram.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <simdjson.h>

#include <moa/error.hpp>
#include "text/prefix_lengths.hpp"

namespace moa {
namespace {

constexpr std::size_t kMaxTokenBytes = 1024;  // every place of a text may be looked up to this length
constexpr double kUnknownPenalty = 10;        // an unknown character scores this much below the worst token

std::size_t character_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

class Unigram final : public SubwordModel {
 public:
  Unigram(Vocabulary vocabulary, std::vector<double> scores, std::optional<std::int32_t> unknown,
          bool byte_fallback)
      : vocabulary_(std::move(vocabulary)), scores_(std::move(scores)), unknown_(unknown) {
    unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - kUnknownPenalty;
    if (byte_fallback) bytes_ = byte_tokens(vocabulary_);
    for (std::int32_t id = 0; id < static_cast<std::int32_t>(vocabulary_.ids()); ++id) {
      lengths_.add(vocabulary_.token_of(id));
    }
  }

  void tokenize(std::string_view piece, std::vector<std::int32_t>& ids) const override {
    const std::vector<Step> best = best_steps(piece);
    // Walk back from the end; a run of unknown characters becomes one stretch.
    std::vector<Stretch> stretches;
    for (std::size_t end = piece.size(); end > 0; end = best[end].begin) {
      const bool is_unknown = unknown_ && best[end].id == *unknown_;
      if (is_unknown && !stretches.empty() && stretches.back().is_unknown) {
        stretches.back().begin = best[end].begin;
      } else {
        stretches.push_back({best[end].begin, end, best[end].id, is_unknown});
      }
    }
    for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
      if (stretch->is_unknown) {
        append_unknown(piece.substr(stretch->begin, stretch->end - stretch->begin), ids);
      } else {
        ids.push_back(stretch->id);
      }
    }
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const char* name() const override { return "Unigram"; }

 private:
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
  // The last token of the best way to a position.
  struct Step {
    double score = 0;
    std::size_t begin = kNowhere;
    std::int32_t id = 0;
  };
  struct Stretch {
    std::size_t begin;
    std::size_t end;
    std::int32_t id;
    bool is_unknown;
  };

  // Viterbi. The first best way found stays when another one is equal.
  std::vector<Step> best_steps(std::string_view piece) const {
    std::vector<Step> best(piece.size() + 1);
    const auto offer = [&](std::size_t begin, std::size_t end, double score, std::int32_t id) {
      if (best[end].begin == kNowhere || score > best[end].score) best[end] = {score, begin, id};
    };
    for (std::size_t begin = 0; begin < piece.size();) {
      const std::size_t one = character_bytes(piece[begin]);
      const std::size_t longest = lengths_.longest_at(piece.substr(begin));
      bool has_single = false;
      std::uint64_t hash = Vocabulary::kHashSeed;
      for (std::size_t length = 0; length < longest;) {
        const std::size_t character = character_bytes(piece[begin + length]);
        for (std::size_t i = 0; i < character; ++i)
          hash = Vocabulary::extend_hash(hash, piece[begin + length + i]);
        length += character;
        const std::int32_t id = vocabulary_.find(piece.substr(begin, length), hash);
        if (id < 0) continue;
        offer(begin, begin + length, best[begin].score + scores_[static_cast<std::size_t>(id)], id);
        has_single = has_single || length == one;
      }
      if (!has_single) offer(begin, begin + one, best[begin].score + unknown_score_, unknown_id());
      begin += one;
    }
    return best;
  }

  std::int32_t unknown_id() const {
    if (!unknown_) throw Error(ErrorCode::corrupt_data, "the vocabulary has no unk_id for what is unknown");
    return *unknown_;
  }

  // A run of unknown characters: the token that reads so, or its bytes, or the unknown token.
  void append_unknown(std::string_view run, std::vector<std::int32_t>& ids) const {
    if (const auto id = vocabulary_.id_of(run)) return ids.push_back(*id);
    const auto token_of_byte = [this](char byte) { return bytes_[static_cast<unsigned char>(byte)]; };
    if (bytes_.empty() ||
        !std::all_of(run.begin(), run.end(), [&](char byte) { return token_of_byte(byte) >= 0; })) {
      return ids.push_back(unknown_id());
    }
    for (const char byte : run) ids.push_back(token_of_byte(byte));
  }

  Vocabulary vocabulary_;
  std::vector<double> scores_;  // by id
  std::optional<std::int32_t> unknown_;
  double unknown_score_ = 0;
  std::vector<std::int32_t> bytes_;  // empty without byte fallback
  PrefixLengths lengths_;
};

}  // namespace

std::unique_ptr<SubwordModel> make_unigram(Vocabulary vocabulary, std::vector<double> scores,
                                           std::optional<std::int32_t> unknown, bool byte_fallback) {
  return std::make_unique<Unigram>(std::move(vocabulary), std::move(scores), unknown, byte_fallback);
}

std::unique_ptr<SubwordModel> make_unigram(const JsonNode& node) {
  const JsonNode list = node.at("vocab");
  simdjson::dom::array pieces;
  if (list.raw().get(pieces) || pieces.size() == 0) list.fail("expected an array of tokens and their scores");
  Vocabulary vocabulary;
  vocabulary.reserve(pieces.size(), pieces.size() * 8);
  std::vector<double> scores;
  scores.reserve(pieces.size());
  for (const simdjson::dom::element element : pieces) {
    simdjson::dom::array pair;
    std::string_view token;
    double score = 0;
    if (element.get(pair)) list.fail("expected pairs of a token and its score");
    auto member = pair.begin();
    if (pair.size() != 2 || (*member).get(token) || (*++member).get(score)) {
      list.fail("expected a token and its score at " + std::to_string(scores.size()));
    }
    if (token.size() > kMaxTokenBytes) {
      throw Error(ErrorCode::limit_exceeded, list.where() + ": a token has " + std::to_string(token.size()) +
                                                 " bytes, the limit is " + std::to_string(kMaxTokenBytes));
    }
    vocabulary.add(token, static_cast<std::int64_t>(scores.size()));
    scores.push_back(score);
  }
  std::optional<std::int32_t> unknown;
  if (const auto id = node.find("unk_id")) {
    const std::int64_t value = id->integer();
    if (value < 0 || static_cast<std::size_t>(value) >= scores.size()) {
      throw Error(ErrorCode::out_of_range, id->where() + " is " + std::to_string(value) +
                                               " in a vocabulary of " + std::to_string(scores.size()));
    }
    unknown = static_cast<std::int32_t>(value);
  }
  return make_unigram(std::move(vocabulary), std::move(scores), unknown,
                      node.boolean_or("byte_fallback", false));
}

}  // namespace moa
