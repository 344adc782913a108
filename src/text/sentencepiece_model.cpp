#include "text/sentencepiece_model.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "text/prefix_lengths.hpp"
#include "text/sentencepiece_normalizer.hpp"

namespace moa {
namespace {

using Type = SentencePiece::Type;

// A stretch of a normalised text, and its token; the unknown one for what is no token. Places have 32 bits,
// as a normalised text has at most 32 MiB (piece.hpp) and a place for each of its bytes.
struct Cut {
  std::uint32_t begin;
  std::uint32_t end;
  std::int32_t id;
};

// The pieces that can be found in a text: control, byte and unknown pieces cannot.
struct Findable {
  Vocabulary vocabulary;
  PrefixLengths lengths;
  std::vector<float> scores;  // by id, of all pieces
  std::vector<Type> types;    // likewise
  float least = std::numeric_limits<float>::max();
  float most = std::numeric_limits<float>::lowest();

  explicit Findable(const SentencePieceFile& file) {
    for (std::size_t id = 0; id < file.pieces.size(); ++id) {
      const SentencePiece& piece = file.pieces[id];
      scores.push_back(piece.score);
      types.push_back(piece.type);
      if (piece.type == Type::normal) {
        least = std::min(least, piece.score);
        most = std::max(most, piece.score);
      }
      if (piece.type != Type::normal && piece.type != Type::user_defined && piece.type != Type::unused)
        continue;
      vocabulary.add(piece.text, static_cast<std::int64_t>(id));
      lengths.add(piece.text);
    }
  }
  Type type_of(std::int32_t id) const { return types[static_cast<std::size_t>(id)]; }
  float score_of(std::int32_t id) const { return scores[static_cast<std::size_t>(id)]; }
  // What a piece of so many bytes counts in a unigram model: what the user defined is always worth its place.
  double worth_of(std::int32_t id, std::size_t bytes) const {
    if (type_of(id) != Type::user_defined) return static_cast<double>(score_of(id));
    return static_cast<double>(static_cast<float>(bytes) * most) - 0.1;
  }
};

std::size_t character_bytes(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  next_code_point(text, at);
  return at - begin;
}

// Viterbi. Near ties are decided by roundings, so that these are the reference's: a way's score is kept in
// f32, but a way that ends in a known piece is compared before it is rounded.
std::vector<Cut> cut_unigram(const Findable& pieces, std::int32_t unknown, std::string_view text) {
  constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();
  constexpr float kUnknownPenalty = 10;
  struct Step {
    float score = 0;
    std::uint32_t begin = kNowhere;
    std::int32_t id = 0;
  };
  std::vector<Step> best(text.size() + 1);
  const auto offer = [&](std::size_t begin, std::size_t end, double score, std::int32_t id) {
    const bool is_better = best[end].begin == kNowhere || score > static_cast<double>(best[end].score);
    if (is_better) best[end] = {static_cast<float>(score), static_cast<std::uint32_t>(begin), id};
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t one = character_bytes(text, begin);
    const float here = best[begin].score;
    const std::size_t longest = pieces.lengths.longest_at(text.substr(begin));
    bool has_single = false;
    std::uint64_t hash = Vocabulary::kHashSeed;
    for (std::size_t length = 1; length <= longest; ++length) {
      hash = Vocabulary::extend_hash(hash, text[begin + length - 1]);
      const std::int32_t id = pieces.vocabulary.find(text.substr(begin, length), hash);
      if (id < 0 || pieces.type_of(id) == Type::unused) continue;
      offer(begin, begin + length, pieces.worth_of(id, length) + static_cast<double>(here), id);
      has_single = has_single || length == one;
    }
    if (!has_single) {
      const float score = pieces.least - kUnknownPenalty + here;
      offer(begin, begin + one, static_cast<double>(score), unknown);
    }
    begin += one;
  }
  std::vector<Cut> cuts;
  for (auto end = static_cast<std::uint32_t>(text.size()); end > 0; end = best[end].begin) {
    cuts.push_back({best[end].begin, end, best[end].id});
  }
  std::ranges::reverse(cuts);
  return cuts;
}

// Neighbours are joined while what they make is a piece, highest score first, leftmost among equals.
class BpeCutter {
 public:
  BpeCutter(const Findable& pieces, const UserPieces& user_pieces, std::int32_t unknown,
            std::string_view text)
      : pieces_(pieces), unknown_(unknown), text_(text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t whole = user_pieces.longest_at(text.substr(at));
      const std::size_t bytes = whole > 0 ? whole : character_bytes(text, at);
      const auto index = static_cast<std::int32_t>(symbols_.size());
      symbols_.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + bytes), index - 1,
                          index + 1, whole > 0});
      at += bytes;
    }
    if (!symbols_.empty()) symbols_.back().next = -1;
  }

  std::vector<Cut> run() {
    for (std::int32_t i = 0; i + 1 < static_cast<std::int32_t>(symbols_.size()); ++i) consider(i, i + 1);
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end());
      const Candidate best = heap_.back();
      heap_.pop_back();
      Symbol& left = at(best.left);
      if (left.is_gone() || left.next != best.right || at(best.right).end - left.begin != best.bytes)
        continue;
      Symbol& right = at(best.right);
      left.end = right.end;
      left.next = right.next;
      right.begin = right.end;
      if (left.next >= 0) at(left.next).previous = best.left;
      consider(left.previous, best.left);
      consider(best.left, left.next);
    }
    std::vector<Cut> cuts;
    for (const Symbol& symbol : symbols_) {
      if (!symbol.is_gone()) append(symbol.begin, symbol.end, cuts);
    }
    return cuts;
  }

 private:
  struct Symbol {
    std::uint32_t begin;
    std::uint32_t end;  // nothing, once it is joined to its left neighbour
    std::int32_t previous;
    std::int32_t next;
    bool is_whole;  // the user's own: it joins nothing
    bool is_gone() const { return begin == end; }
  };
  struct Candidate {
    float score;
    std::int32_t left;
    std::int32_t right;
    std::uint32_t bytes;
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  Symbol& at(std::int32_t index) { return symbols_[static_cast<std::size_t>(index)]; }

  void consider(std::int32_t left, std::int32_t right) {
    if (left < 0 || right < 0 || at(left).is_whole || at(right).is_whole) return;
    const std::uint32_t bytes = at(right).end - at(left).begin;
    if (bytes > pieces_.vocabulary.longest_bytes()) return;
    const std::string_view joined = text_.substr(at(left).begin, bytes);
    const auto id = pieces_.vocabulary.id_of(joined);
    if (!id) return;
    heap_.push_back({pieces_.score_of(*id), left, right, bytes});
    std::push_heap(heap_.begin(), heap_.end());
    if (pieces_.type_of(*id) == Type::unused) halves_[joined] = at(left).end - at(left).begin;
  }

  // A piece that is not to be used is taken apart again into what it was joined from.
  void append(std::uint32_t begin, std::uint32_t end, std::vector<Cut>& cuts) const {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> open = {{begin, end}};
    while (!open.empty()) {
      const auto [from, to] = open.back();
      open.pop_back();
      const std::string_view stretch = text_.substr(from, to - from);
      const std::int32_t id = pieces_.vocabulary.id_of(stretch).value_or(unknown_);
      const auto half = pieces_.type_of(id) == Type::unused ? halves_.find(stretch) : halves_.end();
      if (half == halves_.end()) {
        cuts.push_back({from, to, id});
      } else {
        open.emplace_back(from + half->second, to);
        open.emplace_back(from, from + half->second);
      }
    }
  }

  const Findable& pieces_;
  std::int32_t unknown_;
  std::string_view text_;
  std::vector<Symbol> symbols_;
  std::vector<Candidate> heap_;
  std::unordered_map<std::string_view, std::uint32_t> halves_;  // bytes of the left half
};

class SentencePieceModel final : public SubwordModel {
 public:
  SentencePieceModel(const SentencePieceFile& file, const SentencePieceOptions& options)
      : normalizer_(file),
        findable_(file),
        unknown_(file.unknown_id),
        is_bpe_(file.kind == SentencePieceFile::Kind::bpe) {
    vocabulary_.reserve(file.pieces.size(), file.pieces.size() * 8);
    for (std::size_t id = 0; id < file.pieces.size(); ++id) {
      vocabulary_.add(file.pieces[id].text, static_cast<std::int64_t>(id));
    }
    if (file.byte_fallback) bytes_ = byte_tokens(vocabulary_);
    if (options.prefix.empty()) return;
    std::vector<std::int32_t> ids;
    tokenize(options.prefix, ids);
    prefix_ = options.prefix;
    prefix_tokens_ = ids.size();
  }

  void tokenize(std::string_view piece, std::vector<std::int32_t>& ids) const override {
    const std::string text = normalizer_.normalize(prefix_ + std::string(piece));
    const std::size_t first = ids.size();
    bool follows_unknown = false;
    for (const Cut& cut : is_bpe_ ? BpeCutter(findable_, normalizer_.user_pieces(), unknown_, text).run()
                                  : cut_unigram(findable_, unknown_, text)) {
      const bool is_unknown = cut.id == unknown_;
      if (is_unknown && !bytes_.empty()) {
        append_bytes(std::string_view(text).substr(cut.begin, cut.end - cut.begin), ids);
      } else if (!is_unknown || !follows_unknown) {  // a run of unknown characters is one token
        ids.push_back(cut.id);
      }
      follows_unknown = is_unknown;
    }
    if (ids.size() - first < prefix_tokens_) return;
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(first);
    ids.erase(begin, begin + static_cast<std::ptrdiff_t>(prefix_tokens_));
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const char* name() const override { return is_bpe_ ? "SentencePiece BPE" : "SentencePiece unigram"; }

 private:
  void append_bytes(std::string_view characters, std::vector<std::int32_t>& ids) const {
    for (const char byte : characters) {
      const std::int32_t id = bytes_[static_cast<unsigned char>(byte)];
      ids.push_back(id < 0 ? unknown_ : id);
    }
  }

  SentencePieceNormalizer normalizer_;
  Findable findable_;
  Vocabulary vocabulary_;
  std::int32_t unknown_;
  bool is_bpe_;
  std::vector<std::int32_t> bytes_;  // empty without byte fallback
  std::string prefix_;
  std::size_t prefix_tokens_ = 0;
};

}  // namespace

std::unique_ptr<SubwordModel> make_sentencepiece(const SentencePieceFile& file,
                                                 const SentencePieceOptions& options) {
  return std::make_unique<SentencePieceModel>(file, options);
}

}  // namespace moa
