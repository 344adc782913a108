#include "text/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cstdint>
#include <optional>

#include <moa/error.hpp>
#include "text/json_node.hpp"
#include "text/regex_rewrite.hpp"

namespace moa {
namespace {

constexpr std::uint32_t kMatchLimit = 10'000'000;
constexpr std::uint32_t kHeapLimitKib = 64 << 10;

std::string message_of(int error) {
  PCRE2_UCHAR text[128] = {};
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct Regex::Code {
  explicit Code(const std::string& pattern) {
    const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> options(
        pcre2_compile_context_create(nullptr),
        [](pcre2_compile_context* it) { pcre2_compile_context_free(it); });
    if (!options) throw Error(ErrorCode::limit_exceeded, "cannot compile a pattern: not enough memory");
    pcre2_set_newline(options.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE at = 0;
    code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                         PCRE2_UTF | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &at, options.get());
    if (code == nullptr) {
      throw Error(ErrorCode::corrupt_data, "cannot compile the pattern '" + pattern.substr(0, 200) +
                                               "': " + message_of(error) + " at " + std::to_string(at));
    }
    context = pcre2_match_context_create(nullptr);
    if (context == nullptr) {
      pcre2_code_free(code);
      throw Error(ErrorCode::limit_exceeded, "cannot compile a pattern: not enough memory");
    }
    pcre2_set_match_limit(context, kMatchLimit);
    pcre2_set_heap_limit(context, kHeapLimitKib);
  }
  ~Code() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;
};

Regex::Regex(std::string_view pattern) : code_(std::make_shared<const Code>(rewrite_for_pcre2(pattern))) {}

Regex Regex::literal(std::string_view text) {
  return Regex(std::make_shared<const Code>(escape_for_pcre2(text)));
}

Regex Regex::from_json(const JsonNode& node) {
  if (const auto text = node.find("String")) return literal(text->string());
  if (const auto pattern = node.find("Regex")) return Regex(pattern->string());
  node.fail("expected {\"String\": ...} or {\"Regex\": ...}");
}

// One text, searched by one pattern.
class Regex::Search {
 public:
  Search(const Code& code, std::string_view text)
      : code_(code), text_(text), data_(pcre2_match_data_create(1, nullptr), free_data) {
    if (!data_) throw Error(ErrorCode::limit_exceeded, "cannot match a pattern: not enough memory");
  }

  // The first match at or behind byte `from`, if there is one.
  std::optional<Span> next(std::size_t from) const {
    const auto subject = reinterpret_cast<PCRE2_SPTR>(text_.data());
    const int found =
        pcre2_match(code_.code, subject, text_.size(), from, PCRE2_NO_UTF_CHECK, data_.get(), code_.context);
    if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
    if (found < 0) {
      throw Error(ErrorCode::limit_exceeded,
                  "cannot match a pattern of the tokenizer against this text: " + message_of(found));
    }
    const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data_.get());
    return Span{bounds[0], bounds[1], true};
  }

 private:
  static void free_data(pcre2_match_data* data) { pcre2_match_data_free(data); }

  const Code& code_;
  std::string_view text_;
  std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> data_;
};

bool Regex::matches(std::string_view text) const {
  return Search(*code_, text).next(0).has_value();
}

Spans Regex::find(std::string_view text) const {
  Spans spans;
  const Search search(*code_, text);
  std::size_t covered = 0;  // end of the last span
  std::size_t from = 0;     // where to search next
  bool has_matched = false;
  while (from <= text.size() && !text.empty()) {
    const std::optional<Span> found = search.next(from);
    if (!found) break;
    const auto [begin, end, is_match] = *found;
    if (begin == end && has_matched &&
        end == covered) {  // an empty match right behind a match does not count
      ++from;
      while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
      continue;
    }
    if (covered != begin) spans.push_back({covered, begin, false});
    spans.push_back(*found);
    covered = from = end;
    has_matched = true;
  }
  if (covered != text.size()) spans.push_back({covered, text.size(), false});
  return spans;
}

}  // namespace moa
