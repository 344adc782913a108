#include "text/decoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"
#include "text/byte_level.hpp"
#include "text/metaspace.hpp"
#include "text/regex.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

constexpr int kMaxNesting = 16;
constexpr std::int64_t kMaxStripped = 1 << 20;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  std::string result;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(from, at)) != std::string::npos; at = found + from.size()) {
    result.append(text, at, found - at);
    result.append(to);
  }
  result.append(text, at);
  text = std::move(result);
}

std::string join(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

class Sequence final : public Decoder {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Decoder>> steps) : steps_(std::move(steps)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (const auto& step : steps_) step->apply(tokens);
  }

 private:
  std::vector<std::unique_ptr<Decoder>> steps_;
};

class ByteLevel final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) bytes += characters_to_bytes(token).value_or(token);
    tokens = {replace_ill_formed(bytes)};
  }
};

class WordPiece final : public Decoder {
 public:
  WordPiece(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i].starts_with(prefix_)) {
        tokens[i].erase(0, prefix_.size());
      } else if (i > 0) {
        tokens[i].insert(0, 1, ' ');
      }
      if (!cleanup_) continue;
      replace_all(tokens[i], " do not", " don't");
      tokens[i] = clean_up_spaces(std::move(tokens[i]));
    }
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

class MetaspaceDecoder final : public Decoder {
 public:
  explicit MetaspaceDecoder(Metaspace options) : options_(std::move(options)) {}
  void apply(std::vector<std::string>& tokens) const override {
    const bool drops_first = options_.prepend != Metaspace::Prepend::never;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], options_.replacement, i == 0 && drops_first ? "" : " ");
    }
  }

 private:
  Metaspace options_;
};

class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

class Replace final : public Decoder {
 public:
  Replace(Regex pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string text;
      for (const Span& span : pattern_.find(token)) {
        text.append(span.is_match ? content_ : token.substr(span.begin, span.end - span.begin));
        check_normalized_size(text.size());
      }
      token = std::move(text);
    }
  }

 private:
  Regex pattern_;
  std::string content_;
};

class Fuse final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override { tokens = {join(tokens)}; }
};

class Strip final : public Decoder {
 public:
  Strip(std::string character, std::size_t start, std::size_t stop)
      : character_(std::move(character)), start_(start), stop_(stop) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::size_t begin = 0;
      for (std::size_t i = 0; i < start_ && std::string_view(token).substr(begin).starts_with(character_);
           ++i) {
        begin += character_.size();
      }
      token.erase(0, begin);
      for (std::size_t i = 0; i < stop_ && token.ends_with(character_); ++i) {
        token.resize(token.size() - character_.size());
      }
    }
  }

 private:
  std::string character_;
  std::size_t start_;
  std::size_t stop_;
};

// Runs of <0x..> become the characters that they spell, or one U+FFFD a byte.
class ByteFallback final : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> result;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (is_utf8(bytes)) {
        result.push_back(std::move(bytes));
      } else {
        result.insert(result.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes.push_back(*byte);
        continue;
      }
      flush();
      result.push_back(std::move(token));
    }
    flush();
    tokens = std::move(result);
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
    int value = 0;
    for (const char c : token.substr(3, 2)) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      value = value << 4 | digit;
    }
    return static_cast<char>(value);
  }
};

std::size_t count_of(const JsonNode& node, std::string_view key) {
  const std::int64_t count = node.at(key).integer();
  if (count < 0 || count > kMaxStripped) node.fail("'" + std::string(key) + "' is " + std::to_string(count));
  return static_cast<std::size_t>(count);
}

std::unique_ptr<Decoder> make_at(const JsonNode& node, int nesting) {
  const std::string type = node.type();
  if (type == "Sequence") {
    if (nesting == kMaxNesting) node.fail("sequences nest too deep");
    std::vector<std::unique_ptr<Decoder>> steps;
    for (const JsonNode& step : node.at("decoders").items()) steps.push_back(make_at(step, nesting + 1));
    return std::make_unique<Sequence>(std::move(steps));
  }
  if (type == "ByteLevel") return std::make_unique<ByteLevel>();
  if (type == "WordPiece") {
    return std::make_unique<WordPiece>(std::string(node.at("prefix").string()), node.at("cleanup").boolean());
  }
  if (type == "Metaspace") return std::make_unique<MetaspaceDecoder>(Metaspace::parse(node));
  if (type == "BPEDecoder") return std::make_unique<BpeDecoder>(node.string_or("suffix", "</w>"));
  if (type == "Replace") {
    return std::make_unique<Replace>(Regex::from_json(node.at("pattern")),
                                     std::string(node.at("content").string()));
  }
  if (type == "Fuse") return std::make_unique<Fuse>();
  if (type == "ByteFallback") return std::make_unique<ByteFallback>();
  if (type == "Strip") {
    std::string character;
    append_utf8(character, single_character(node.at("content")));
    return std::make_unique<Strip>(std::move(character), count_of(node, "start"), count_of(node, "stop"));
  }
  node.fail_unsupported("the decoder '" + type + "'");
}

}  // namespace

std::unique_ptr<Decoder> Decoder::make(const JsonNode& node) {
  return make_at(node, 0);
}

std::string spaces_for(std::string text, const std::string& mark) {
  replace_all(text, mark, " ");
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (is_python_space(next_code_point(text, at))) continue;
    begin = std::min(begin, here);
    end = at;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string();
}

std::string clean_up_spaces(std::string text) {
  static constexpr std::array<std::array<std::string_view, 2>, 10> kRepairs = {{{" .", "."},
                                                                                {" ?", "?"},
                                                                                {" !", "!"},
                                                                                {" ,", ","},
                                                                                {" ' ", "'"},
                                                                                {" n't", "n't"},
                                                                                {" 'm", "'m"},
                                                                                {" 's", "'s"},
                                                                                {" 've", "'ve"},
                                                                                {" 're", "'re"}}};
  for (const auto& [from, to] : kRepairs) replace_all(text, from, to);
  return text;
}

}  // namespace moa
