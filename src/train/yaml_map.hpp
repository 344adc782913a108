// A YAML document of settings, read strictly: what is not asked for is a mistake of the user's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moa::train {

// A mapping of names to values, and which of them were asked for. Every error is invalid_argument
// (limit_exceeded above 1 MiB) and names the file, the line and the key. Copies share the document and what
// was asked for.
class YamlMap {
 public:
  // `where` names the document. Errors: not YAML, no mapping, a key twice.
  static YamlMap parse(const std::string& text, const std::string& where);

  bool has(std::string_view key) const;  // present and not null
  bool is_list(std::string_view key) const;
  bool is_text(std::string_view key) const;

  // The value of a key, or `fallback` if it is absent. Each asks for the key.
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                       std::int64_t most) const;
  double number(std::string_view key, double fallback, double least, double most) const;
  bool boolean(std::string_view key, bool fallback) const;
  std::string text(std::string_view key, std::string_view fallback) const;
  // One of `choices`.
  std::string choice(std::string_view key, std::string_view fallback,
                     std::span<const std::string_view> choices) const;
  std::vector<std::string> texts(std::string_view key) const;
  // As many as `fallback` has, unless that is empty.
  std::vector<double> numbers(std::string_view key, std::vector<double> fallback, double least,
                              double most) const;
  // The mapping below; an empty one if it is absent.
  YamlMap map(std::string_view key) const;
  // The mappings of the list below; none if it is absent. An error names one as "key[1]".
  std::vector<YamlMap> maps(std::string_view key) const;

  // Throws for a key, here or below, that nobody asked for, naming those that would be known.
  void finish() const;
  // Throws for the value of `key`: "FILE, line 3: 'key': <what>".
  [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

 private:
  struct Node;
  explicit YamlMap(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  std::shared_ptr<Node> node_;
};

}  // namespace moa::train
