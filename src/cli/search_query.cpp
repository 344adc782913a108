#include "cli/search_query.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "cli/inputs.hpp"

namespace moa::cli {
namespace {

SearchTerm guess(const std::string& word) {
  return {is_picture_file(word) ? SearchTerm::Kind::image : SearchTerm::Kind::text, word, 1};
}

// Takes "2:" off "2:stripes"; 1 if there is no weight.
double take_weight(std::string& word) {
  double weight = 0;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), weight, std::chars_format::fixed);
  if (error != std::errc() || *end != ':' || !(weight > 0) || !std::isfinite(weight)) return 1;
  word.erase(0, static_cast<std::size_t>(end - word.data()) + 1);
  return weight;
}

// Builds queries from words that come one after the other.
class QueryReader {
 public:
  explicit QueryReader(const Command& command) : command_(command) {}

  // `sign` joins what stands before it to what comes next.
  void join(int sign) {
    if (joining_ != 0 || queries_.empty())
      fail_usage(command_, "a lone + or - expects a term on either side");
    joining_ = sign;
  }

  void argument(const std::string& word) { add(std::nullopt, word, word); }
  void term(SearchTerm term, bool similar) {
    const std::string value = term.value;
    add(std::move(term), value, value);
    if (similar) queries_.back().similar_to.push_back(value);
  }

  std::vector<SearchQuery> finish() {
    if (joining_ != 0) fail_usage(command_, "a lone + or - expects a term on either side");
    end_query();
    return std::move(queries_);
  }

 private:
  // Whether an argument's weight is taken off is known only when its query is whole.
  void add(std::optional<SearchTerm> known, const std::string& word, const std::string& shown) {
    if (joining_ == 0) {
      end_query();
      queries_.emplace_back();
    } else {
      queries_.back().shown += joining_ > 0 ? " + " : " - ";
    }
    queries_.back().shown += shown;
    pending_.push_back({std::move(known), word, joining_ < 0 ? -1.0 : 1.0});
    joining_ = 0;
  }

  void end_query() {
    for (Pending& pending : pending_) {
      double weight = pending.sign;
      if (!pending.known && pending_.size() > 1) weight *= take_weight(pending.word);
      SearchTerm term = pending.known ? *pending.known : guess(pending.word);
      term.weight = weight;
      queries_.back().terms.push_back(std::move(term));
    }
    pending_.clear();
  }

  struct Pending {
    std::optional<SearchTerm> known;
    std::string word;
    double sign;
  };

  const Command& command_;
  std::vector<SearchQuery> queries_;
  std::vector<Pending> pending_;
  int joining_ = 0;
};

}  // namespace

std::vector<SearchQuery> read_queries(const Arguments& arguments) {
  QueryReader reader(arguments.command());
  bool place_seen = false;
  for (const Arguments::Item& item : arguments.items()) {
    if (item.option == nullptr) {
      if (!place_seen) {
        place_seen = true;
      } else if (item.value == "+" || item.value == "-") {
        reader.join(item.value == "+" ? 1 : -1);
      } else {
        reader.argument(item.value);
      }
    } else if (item.option->name == "text") {
      reader.term({SearchTerm::Kind::text, item.value, 1}, false);
    } else if (item.option->name == "image" || item.option->name == "similar") {
      reader.term({SearchTerm::Kind::image, item.value, 1}, item.option->name == "similar");
    }
  }
  return reader.finish();
}

std::vector<SearchQuery> read_query_line(const std::string& line) {
  if (is_picture_file(line)) return {{line, {guess(line)}, {}}};
  QueryReader reader(kSearchCommand);
  std::string_view term;  // as it was typed, blanks between its words included
  const auto end_term = [&] {
    if (!term.empty()) reader.argument(std::string(term));
    term = {};
  };
  constexpr std::string_view kBlanks = " \t\r";
  for (std::size_t at = 0; (at = line.find_first_not_of(kBlanks, at)) != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    const std::string_view word(&line[at], end - at);
    if (word == "+" || word == "-") {
      end_term();
      reader.join(word == "+" ? 1 : -1);
    } else {
      const char* first = term.empty() ? word.data() : term.data();
      term = {first, static_cast<std::size_t>(word.data() + word.size() - first)};
    }
    at = end;
  }
  end_term();
  return reader.finish();
}

std::vector<float> query_vector(const SearchQuery& query, const Model& model, const EmbedOptions& options) {
  const auto embed = [&](const SearchTerm& term) {
    return term.kind == SearchTerm::Kind::text ? model.embed_text(term.value, options)
                                               : model.embed_image(term.value, options);
  };
  // A single term's vector is taken as it is: bit for bit what `moa embed` gives.
  if (query.terms.size() == 1) return embed(query.terms.front());
  std::vector<double> sum;
  for (const SearchTerm& term : query.terms) {
    const std::vector<float> vector = embed(term);
    sum.resize(vector.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term.weight * static_cast<double>(vector[i]);
  }
  double square = 0;
  for (const double value : sum) square += value * value;
  const double length = std::sqrt(square);
  constexpr double kNothing = 1e-6;  // of unit vectors in f32, a shorter sum is rounding and nothing else
  if (length < kNothing) {
    throw Error(ErrorCode::invalid_argument,
                "cannot search for '" + query.shown + "': its terms cancel each other");
  }
  std::vector<float> unit(sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i) unit[i] = static_cast<float>(sum[i] / length);
  return unit;
}

}  // namespace moa::cli
