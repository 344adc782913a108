#include "text/regex_rewrite.hpp"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <moa/error.hpp>
#include "text/unicode_tables.hpp"

namespace moa {
namespace {

constexpr std::size_t kMaxPatternBytes = 64 << 10;
constexpr int kMaxClassDepth = 16;

// A set of characters as PCRE2 can write it: what stands between brackets, and patterns of one character each
// for what cannot stand there.
struct CharacterSet {
  std::string members;
  std::vector<std::string> others;

  void add(const CharacterSet& set) {
    members += set.members;
    others.insert(others.end(), set.others.begin(), set.others.end());
  }
};

// A pattern that matches one character of `set`, or one that is not in it.
std::string one_of(const CharacterSet& set, bool negated) {
  if (set.others.empty()) return (negated ? "[^" : "[") + set.members + "]";
  std::string either = "(?:";
  if (!set.members.empty()) either += "[" + set.members + "]|";
  for (const std::string& other : set.others) either += other + "|";
  either.back() = ')';
  return negated ? "(?:(?!" + either + ")(?s:.))" : either;
}

std::string code_point(char32_t c) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  do digits.insert(digits.begin(), kDigits[c & 15]);
  while ((c >>= 4) != 0);
  return "\\x{" + digits + "}";
}

std::string range(char32_t first, char32_t last) {
  return first == last ? code_point(first) : code_point(first) + "-" + code_point(last);
}

template <typename Wanted>
std::string new_ranges(Wanted wanted) {
  std::string members;
  for (const NewRange& each : kAssignedSinceUnicode14) {
    if (wanted(each)) members += range(each.first, each.last);
  }
  return members;
}

// "L" or "Lu"; empty if `name` (lower case, bare) is no general category.
std::string category_of(std::string_view name) {
  static constexpr std::array<std::array<std::string_view, 2>, 14> kLongNames = {{{"letter", "L"},
                                                                                  {"number", "N"},
                                                                                  {"punctuation", "P"},
                                                                                  {"symbol", "S"},
                                                                                  {"mark", "M"},
                                                                                  {"separator", "Z"},
                                                                                  {"uppercaseletter", "Lu"},
                                                                                  {"lowercaseletter", "Ll"},
                                                                                  {"decimalnumber", "Nd"},
                                                                                  {"digit", "Nd"},
                                                                                  {"punct", "P"},
                                                                                  {"spaceseparator", "Zs"},
                                                                                  {"nonspacingmark", "Mn"},
                                                                                  {"cntrl", "Cc"}}};
  for (const auto& [long_name, category] : kLongNames) {
    if (name == long_name) return std::string(category);
  }
  static constexpr std::string_view kCategories =
      " l lu ll lt lm lo m mn mc me n nd nl no p pc pd ps pe pi pf po s sm sc sk so z zs zl zp cc cf co ";
  if (name.size() > 2 || kCategories.find(" " + std::string(name) + " ") == std::string_view::npos) return "";
  std::string category(name);
  category[0] = static_cast<char>(category[0] - 'a' + 'A');
  return category;
}

CharacterSet spaces() {
  CharacterSet set;
  for (const CodeRange& each : kWhiteSpace) set.members += range(each.first, each.last);
  return set;
}

CharacterSet category(const std::string& name) {
  return {"\\p{" + name + "}" + new_ranges([&](const NewRange& each) {
            return std::string_view(each.category).substr(0, name.size()) == name;
          }),
          {}};
}

CharacterSet assigned() {
  CharacterSet set{new_ranges([](const NewRange&) { return true; }), {}};
  set.members += "\\P{Cn}";
  return set;
}

CharacterSet word() {
  CharacterSet set = category("M");
  set.add(category("Nd"));
  set.add(category("Pc"));
  // The superscripts and fractions of Latin-1 are in, the others are not: so it is in Oniguruma's byte table.
  set.members += "\\p{Alphabetic}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";
  set.members += new_ranges([](const NewRange& each) { return each.alphabetic; });
  return set;
}

CharacterSet property(std::string_view raw) {
  std::string name;
  for (const char c : raw) {
    if (c == ' ' || c == '_' || c == '-') continue;
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) {
      throw Error(ErrorCode::unsupported,
                  "the pattern's property \\p{" + std::string(raw) + "} is not supported");
    }
    name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  if (const std::string known = category_of(name); !known.empty()) return category(known);
  if (name == "space" || name == "whitespace") return spaces();
  if (name == "word") return word();
  if (name == "any") return {"\\x{0}-\\x{10ffff}", {}};
  if (name == "assigned") return assigned();
  if (name == "cn" || name == "unassigned") return {"", {one_of(assigned(), true)}};
  if (name == "c" || name == "other") {
    CharacterSet set = category("Cc");
    set.add(category("Cf"));
    set.add(category("Co"));
    set.others.push_back(one_of(assigned(), true));
    return set;
  }
  if (name == "alphabetic" || name == "alpha") {
    return {"\\p{Alphabetic}" + new_ranges([](const NewRange& each) { return each.alphabetic; }), {}};
  }
  if (name == "emoji" || name == "extendedpictographic") return {"\\p{" + name + "}", {}};
  const std::string newer = new_ranges([&](const NewRange& each) {
    std::string script;
    for (const char* c = each.script; *c != 0; ++c) {
      if (*c != '_') script.push_back(*c >= 'A' && *c <= 'Z' ? static_cast<char>(*c - 'A' + 'a') : *c);
    }
    return script == name;
  });
  return {"\\p{sc:" + name + "}" + newer, {}};  // a script, or PCRE2 says that there is none of this name
}

// A character that means itself, inside a class too.
std::string plain(char c) {
  const bool is_special = static_cast<unsigned char>(c) < 0x80 && (c < '0' || c > '9') &&
                          (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != ' ';
  if (c == 0) return "\\x{0}";
  return is_special ? std::string{'\\', c} : std::string(1, c);
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    std::string result;
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        result += escape();
      } else if (c == '[') {
        ++at_;
        const auto [set, negated] = character_class(0);
        result += one_of(set, negated);
      } else if (c == '(') {
        result += group();
      } else if (c == '{') {
        result += repetition();
      } else {
        result.push_back(c);
        ++at_;
      }
    }
    return result;
  }

 private:
  struct Class {
    CharacterSet set;
    bool negated = false;
  };

  [[noreturn]] void fail(ErrorCode code, const std::string& complaint) const {
    throw Error(code, "the pattern '" + std::string(pattern_.substr(0, 200)) + "': " + complaint);
  }
  char next() {
    if (at_ >= pattern_.size()) fail(ErrorCode::corrupt_data, "ends in the middle");
    return pattern_[at_++];
  }
  bool take(std::string_view text) {
    if (pattern_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }

  // Behind "\p" or "\P"; whether it is negated is the second.
  Class named_property(char letter) {
    if (next() != '{') fail(ErrorCode::unsupported, "\\p without braces is not supported");
    Class found{{}, letter == 'P'};
    if (take("^")) found.negated = !found.negated;
    const std::size_t end = pattern_.find('}', at_);
    if (end == std::string_view::npos) fail(ErrorCode::corrupt_data, "\\p{ without }");
    found.set = property(pattern_.substr(at_, end - at_));
    at_ = end + 1;
    return found;
  }

  // \s, \D, \p{L}, ...: the escapes that mean a set of characters. `letter` stands behind the backslash.
  bool escaped_set(char letter, Class& found) {
    switch (letter) {
      case 's':
        found = {spaces(), false};
        return true;
      case 'S':
        found = {spaces(), true};
        return true;
      case 'd':
        found = {category("Nd"), false};
        return true;
      case 'D':
        found = {category("Nd"), true};
        return true;
      case 'w':
        found = {word(), false};
        return true;
      case 'W':
        found = {word(), true};
        return true;
      case 'h':
        found = {{"0-9A-Fa-f", {}}, false};
        return true;
      case 'H':
        found = {{"0-9A-Fa-f", {}}, true};
        return true;
      case 'p':
      case 'P':
        found = named_property(letter);
        return true;
      default:
        return false;
    }
  }

  // An escape that means one character, as PCRE2 writes it. `letter` stands behind the backslash.
  std::string escaped_character(char letter) {
    if (letter == 'u') return code_point(hexadecimal(4));
    if (letter == 'x') {
      if (!take("{")) return code_point(hexadecimal(2));
      const std::size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos || end - at_ == 0 || end - at_ > 8) {
        fail(ErrorCode::corrupt_data, "\\x{ without a code point");
      }
      const char32_t c = hexadecimal(end - at_);
      ++at_;
      return code_point(c);
    }
    switch (letter) {
      case 'n':
        return code_point('\n');
      case 'r':
        return code_point('\r');
      case 't':
        return code_point('\t');
      case 'f':
        return code_point('\f');
      case 'v':
        return code_point('\v');
      case 'a':
        return code_point('\a');
      case 'e':
        return code_point(0x1B);
      default:
        break;
    }
    std::string itself = plain(letter);
    if (itself == std::string_view(&letter, 1) && static_cast<unsigned char>(letter) < 0x80 &&
        letter != ' ') {
      fail(ErrorCode::unsupported, std::string("\\") + letter + " is not supported");
    }
    return itself;
  }

  char32_t hexadecimal(std::size_t digits) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = next();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail(ErrorCode::corrupt_data, "expected a hexadecimal digit");
      value = value << 4 | static_cast<std::uint64_t>(digit);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
      fail(ErrorCode::corrupt_data, "an escape names no character");
    }
    return static_cast<char32_t>(value);
  }

  std::string escape() {
    ++at_;
    const char letter = next();
    if (Class found; escaped_set(letter, found)) return one_of(found.set, found.negated);
    switch (letter) {
      case 'b': {
        const std::string w = one_of(word(), false);
        return "(?:(?<=" + w + ")(?!" + w + ")|(?<!" + w + ")(?=" + w + "))";
      }
      case 'B': {
        const std::string w = one_of(word(), false);
        return "(?:(?<=" + w + ")(?=" + w + ")|(?<!" + w + ")(?!" + w + "))";
      }
      case 'A':
      case 'z':
      case 'Z':
      case 'G':
      case 'R':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9':
        return std::string("\\") + letter;
      default:
        return escaped_character(letter);
    }
  }

  // Behind "[": up to and with the "]" that closes it.
  Class character_class(int depth) {
    if (depth > kMaxClassDepth) fail(ErrorCode::limit_exceeded, "its classes nest too deep");
    Class result;
    result.negated = take("^");
    std::vector<CharacterSet> operands(1);  // what && stands between
    if (take("]")) operands.back().members += "\\]";
    bool behind_set = false;  // where no range can begin
    for (;;) {
      CharacterSet& set = operands.back();
      const char c = next();
      if (c == ']') break;
      const bool was_set = std::exchange(behind_set, false);
      if (c == '&' && take("&")) {
        operands.emplace_back();
      } else if (c == '[' && take(":")) {
        behind_set = true;
        set.add(posix_class());
      } else if (c == '[') {
        behind_set = true;
        const auto [inner, negated] = character_class(depth + 1);
        if (negated) {
          set.others.push_back(one_of(inner, true));
        } else {
          set.add(inner);
        }
      } else if (c == '\\') {
        const char letter = next();
        if (Class found; escaped_set(letter, found)) {
          behind_set = true;
          if (found.negated) {
            set.others.push_back(one_of(found.set, true));
          } else {
            set.add(found.set);
          }
        } else {
          set.members += letter == 'b' ? code_point('\b') : escaped_character(letter);
        }
      } else if (c == '-') {
        // A range's, or itself at either end of the class.
        const bool is_last = at_ < pattern_.size() && pattern_[at_] == ']';
        if (was_set && !is_last) fail(ErrorCode::unsupported, "has a range that begins with a class");
        set.members += set.members.empty() || is_last ? "\\-" : "-";
      } else {
        set.members += plain(c);
      }
    }
    for (const CharacterSet& set : operands) {
      if (set.members.empty() && set.others.empty()) fail(ErrorCode::corrupt_data, "has an empty class");
    }
    result.set = operands.front();
    if (operands.size() > 1) {
      std::string all = "(?:";
      for (std::size_t i = 0; i + 1 < operands.size(); ++i) all += "(?=" + one_of(operands[i], false) + ")";
      result.set = {"", {all + one_of(operands.back(), false) + ")"}};
    }
    return result;
  }

  // Behind "[[:": a POSIX class, with Unicode meaning.
  CharacterSet posix_class() {
    const bool negated = take("^");
    const std::size_t end = pattern_.find(":]", at_);
    if (end == std::string_view::npos) fail(ErrorCode::corrupt_data, "[: without :]");
    const std::string_view name = pattern_.substr(at_, end - at_);
    at_ = end + 2;
    CharacterSet set;
    if (name == "space") {
      set = spaces();
    } else if (name == "digit") {
      set = category("Nd");
    } else if (name == "alpha") {
      set = property("Alphabetic");
    } else if (name == "alnum") {
      set = property("Alphabetic");
      set.add(category("Nd"));
    } else if (name == "word") {
      set = word();
    } else if (name == "xdigit") {
      set.members = "0-9A-Fa-f";
    } else {
      fail(ErrorCode::unsupported, "[:" + std::string(name) + ":] is not supported");
    }
    return negated ? CharacterSet{"", {one_of(set, true)}} : set;
  }

  // At "(": the opening of a group.
  std::string group() {
    if (!take("(?")) {
      ++at_;
      return "(";
    }
    for (const std::string_view kind : {":", "=", "!", "<=", "<!", ">"}) {
      if (take(kind)) return "(?" + std::string(kind);
    }
    std::string options = "(?";
    for (;;) {
      const char c = next();
      if (c == 'm') {
        options.push_back('s');
      } else if (c == 'i' || c == '-') {
        options.push_back(c);
      } else if (c == ')' || c == ':') {
        return options + c;
      } else {
        fail(ErrorCode::unsupported, std::string("the group (?") + c + " is not supported");
      }
    }
  }

  // At "{": a repetition, or the character itself.
  std::string repetition() {
    const std::size_t end = pattern_.find_first_not_of("0123456789,", at_ + 1);
    const bool is_repetition = end != std::string_view::npos && pattern_[end] == '}' && end > at_ + 1;
    std::string body(is_repetition ? pattern_.substr(at_ + 1, end - at_ - 1) : std::string_view());
    const std::size_t comma = body.find(',');
    if (!is_repetition || body == "," ||
        (comma != std::string::npos && body.find(',', comma + 1) != std::string::npos)) {
      ++at_;
      return "\\{";
    }
    at_ = end + 1;
    if (comma == 0) body.insert(0, "0");
    // {n}+ repeats the repetition, where PCRE2 would take it for a possessive one.
    if (at_ < pattern_.size() && pattern_[at_] == '+') {
      fail(ErrorCode::unsupported, "a + behind {" + body + "} is not supported");
    }
    return "{" + body + "}";
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
};

}  // namespace

std::string rewrite_for_pcre2(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    throw Error(ErrorCode::limit_exceeded,
                "a pattern of " + std::to_string(pattern.size()) + " bytes is too long");
  }
  return Rewriter(pattern).run();
}

std::string escape_for_pcre2(std::string_view text) {
  std::string pattern;
  for (const char c : text) pattern += plain(c);
  return pattern;
}

}  // namespace moa
