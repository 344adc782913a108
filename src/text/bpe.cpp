#include "text/bpe.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include <simdjson.h>

#include <moa/error.hpp>
#include "base/utf8.hpp"

namespace moa {
namespace {

struct MergeRule {
  std::uint32_t rank = 0;
  std::int32_t made = -1;  // the id of both together; -1 marks an empty slot
};

// From a pair of ids to its rule.
class MergeTable {
 public:
  explicit MergeTable(std::size_t rules)
      : pairs_(std::bit_ceil(std::max<std::size_t>(16, rules * 2))), rules_(pairs_.size()) {}

  void insert(std::int32_t left, std::int32_t right, MergeRule rule) {
    const std::size_t slot = find_slot(key(left, right));
    pairs_[slot] = key(left, right);
    rules_[slot] = rule;  // a pair that comes twice keeps the later rank, as in the reference
  }
  const MergeRule* find(std::int32_t left, std::int32_t right) const {
    const MergeRule& rule = rules_[find_slot(key(left, right))];
    return rule.made < 0 ? nullptr : &rule;
  }

 private:
  static std::uint64_t key(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }
  std::size_t find_slot(std::uint64_t pair) const {
    const std::size_t mask = pairs_.size() - 1;
    std::uint64_t hash = (pair ^ pair >> 29) * 0x9E3779B97F4A7C15u;
    std::size_t slot = (hash ^ hash >> 32) & mask;
    while (rules_[slot].made >= 0 && pairs_[slot] != pair) slot = (slot + 1) & mask;
    return slot;
  }

  std::vector<std::uint64_t> pairs_;
  std::vector<MergeRule> rules_;
};

// A doubly linked list of symbols inside a vector; what was merged into its left neighbour has no id any
// more.
struct Symbol {
  std::int32_t id = -1;
  std::int32_t previous = -1;
  std::int32_t next = -1;
};

struct Candidate {
  std::uint32_t rank;
  std::int32_t at;  // the left symbol
  std::int32_t made;

  bool operator<(const Candidate& other) const {  // the heap's top is the lowest rank, leftmost among equals
    return rank != other.rank ? rank > other.rank : at > other.at;
  }
};

void merge_all(std::vector<Symbol>& symbols, const MergeTable& merges) {
  std::vector<Candidate> heap;
  const auto consider = [&](std::int32_t left, std::int32_t right) {
    if (left < 0 || right < 0) return false;
    const MergeRule* rule =
        merges.find(symbols[static_cast<std::size_t>(left)].id, symbols[static_cast<std::size_t>(right)].id);
    if (rule != nullptr) heap.push_back({rule->rank, left, rule->made});
    return rule != nullptr;
  };
  for (std::int32_t i = 0; i + 1 < static_cast<std::int32_t>(symbols.size()); ++i) consider(i, i + 1);
  std::make_heap(heap.begin(), heap.end());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Candidate best = heap.back();
    heap.pop_back();
    Symbol& left = symbols[static_cast<std::size_t>(best.at)];
    if (left.id < 0 || left.next < 0) continue;
    Symbol& right = symbols[static_cast<std::size_t>(left.next)];
    const MergeRule* rule = merges.find(left.id, right.id);
    if (rule == nullptr || rule->made != best.made) continue;  // one of the two has changed since
    left.id = best.made;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = best.at;
    if (consider(left.previous, best.at)) std::push_heap(heap.begin(), heap.end());
    if (consider(best.at, left.next)) std::push_heap(heap.begin(), heap.end());
  }
}

class Bpe final : public SubwordModel {
 public:
  Bpe(Vocabulary vocabulary, MergeTable merges, BpeOptions options)
      : vocabulary_(std::move(vocabulary)),
        merges_(std::move(merges)),
        options_(std::move(options)),
        unknown_(vocabulary_.id_of(options_.unknown_token)) {
    if (options_.byte_fallback) bytes_ = byte_tokens(vocabulary_);
  }

  void tokenize(std::string_view piece, std::vector<std::int32_t>& ids) const override {
    if (piece.empty()) return;
    if (options_.ignore_merges) {
      if (const auto id = vocabulary_.id_of(piece)) return ids.push_back(*id);
    }
    std::vector<Symbol> symbols = split_into_symbols(piece);
    merge_all(symbols, merges_);
    for (const Symbol& symbol : symbols) {
      if (symbol.id >= 0) ids.push_back(symbol.id);
    }
  }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  const char* name() const override { return "BPE"; }

 private:
  std::vector<Symbol> split_into_symbols(std::string_view piece) const {
    std::vector<Symbol> symbols;
    symbols.reserve(piece.size());
    const auto add = [&](std::int32_t id) {
      const auto index = static_cast<std::int32_t>(symbols.size());
      if (index > 0) symbols.back().next = index;
      symbols.push_back({id, index - 1, -1});
    };
    bool unknown_waits = false;  // for the next known character, so that a run can be one token
    std::string with_affixes;
    for (std::size_t at = 0; at < piece.size();) {
      const std::size_t here = at;
      next_code_point(piece, at);
      std::string_view symbol = piece.substr(here, at - here);
      const bool has_prefix = here > 0 && !options_.continuing_subword_prefix.empty();
      const bool has_suffix = at == piece.size() && !options_.end_of_word_suffix.empty();
      if (has_prefix || has_suffix) {
        with_affixes = has_prefix ? options_.continuing_subword_prefix : std::string();
        with_affixes += symbol;
        if (has_suffix) with_affixes += options_.end_of_word_suffix;
        symbol = with_affixes;
      }
      if (const auto id = vocabulary_.id_of(symbol)) {
        if (std::exchange(unknown_waits, false)) add(*unknown_);
        add(*id);
        continue;
      }
      if (options_.byte_fallback &&
          has_bytes(symbol)) {  // does not end a run of unknowns, as in the reference
        for (const char byte : symbol) add(bytes_[static_cast<unsigned char>(byte)]);
        continue;
      }
      if (options_.unknown_token.empty()) continue;
      if (!unknown_) {
        throw Error(ErrorCode::corrupt_data,
                    "the vocabulary lacks its token for what is unknown, '" + options_.unknown_token + "'");
      }
      if (unknown_waits && !options_.fuse_unknown) add(*unknown_);
      unknown_waits = true;
    }
    if (unknown_waits) add(*unknown_);
    return symbols;
  }

  bool has_bytes(std::string_view symbol) const {
    return std::all_of(symbol.begin(), symbol.end(),
                       [&](char byte) { return bytes_[static_cast<unsigned char>(byte)] >= 0; });
  }

  Vocabulary vocabulary_;
  MergeTable merges_;
  BpeOptions options_;
  std::optional<std::int32_t> unknown_;
  std::vector<std::int32_t> bytes_;
};

// "a b", or ["a", "b"].
Merge parse_merge(simdjson::dom::element element, const JsonNode& merges) {
  std::string_view text;
  if (!element.get(text)) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      merges.fail("'" + std::string(text) + "' is not two tokens with a space between");
    }
    return {text.substr(0, space), text.substr(space + 1)};
  }
  simdjson::dom::array pair;
  std::string_view left;
  std::string_view right;
  if (element.get(pair) || pair.size() != 2 || pair.at(0).get(left) || pair.at(1).get(right)) {
    merges.fail("expected pairs of tokens");
  }
  return {left, right};
}

}  // namespace

std::unique_ptr<SubwordModel> make_bpe(Vocabulary vocabulary, const std::vector<Merge>& merges,
                                       BpeOptions options) {
  MergeTable table(merges.size());
  const auto id_of = [&](std::string_view token) {
    const auto id = vocabulary.id_of(token);
    if (!id) {
      throw Error(ErrorCode::corrupt_data,
                  "a merge needs the token '" + std::string(token) + "', which is not in the vocabulary");
    }
    return *id;
  };
  // Vocabularies are mostly in the order of their merges: the next token is a good guess, and spares a
  // look-up.
  std::int32_t guess = 0;
  std::string both;
  for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    if (right.size() < options.continuing_subword_prefix.size()) {
      throw Error(ErrorCode::corrupt_data, "the merge '" + std::string(left) + " " + std::string(right) +
                                               "' lacks the prefix of continued words");
    }
    both.assign(left);
    both.append(right.substr(options.continuing_subword_prefix.size()));
    const std::int32_t made = vocabulary.token_of(guess) == both && !both.empty() ? guess : id_of(both);
    guess = made + 1;
    table.insert(id_of(left), id_of(right), {rank, made});
  }
  return std::make_unique<Bpe>(std::move(vocabulary), std::move(table), std::move(options));
}

std::unique_ptr<SubwordModel> make_bpe(const JsonNode& node) {
  if (const auto dropout = node.find("dropout"); dropout && dropout->number() != 0) {
    node.fail_unsupported("dropout, which makes ids random");
  }
  const JsonNode list = node.at("merges");
  simdjson::dom::array array;
  if (list.raw().get(array)) list.fail("expected an array");
  std::vector<Merge> merges;
  for (const simdjson::dom::element element : array) {
    std::string_view text;
    if (!element.get(text) && text.starts_with("#version")) continue;
    merges.push_back(parse_merge(element, list));
  }
  BpeOptions options;
  options.unknown_token = node.string_or("unk_token", "");
  options.continuing_subword_prefix = node.string_or("continuing_subword_prefix", "");
  options.end_of_word_suffix = node.string_or("end_of_word_suffix", "");
  options.fuse_unknown = node.boolean_or("fuse_unk", false);
  options.byte_fallback = node.boolean_or("byte_fallback", false);
  options.ignore_merges = node.boolean_or("ignore_merges", false);
  return make_bpe(parse_vocabulary(node.at("vocab")), merges, std::move(options));
}

}  // namespace moa
