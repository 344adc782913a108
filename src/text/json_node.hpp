// A value inside a parsed JSON document, and where it stands, so that every complaint names its place.
// (base/config.hpp reads small documents; a tokenizer.json has hundreds of thousands of values, hence
// simdjson.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace simdjson::dom {
class element;
}

namespace moa {

// Copies share the document, and the views that they give live as long as one of them. Every accessor throws
// corrupt_data, naming the place, if the value is of another kind. An absent key and null are the same.
class JsonNode {
 public:
  // Errors: corrupt_data (not JSON, nested deeper than 64); limit_exceeded above 256 MiB.
  static JsonNode parse(std::string_view json, std::string where);

  std::optional<JsonNode> find(std::string_view key) const;
  JsonNode at(std::string_view key) const;
  std::vector<JsonNode> items() const;
  // What simdjson knows of it, for containers of hundreds of thousands.
  const simdjson::dom::element& raw() const { return *value_; }

  bool is_object() const;
  std::string_view string() const;
  bool boolean() const;
  double number() const;
  std::int64_t integer() const;

  // The member `key`, or `fallback` if it is absent.
  std::string string_or(std::string_view key, std::string_view fallback) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::int64_t integer_or(std::string_view key, std::int64_t fallback) const;
  // The member "type", which every step of a tokenizer has.
  std::string type() const { return std::string(at("type").string()); }

  const std::string& where() const { return where_; }
  // Throws corrupt_data: at `where`, `complaint`.
  [[noreturn]] void fail(const std::string& complaint) const;
  // Throws unsupported: the step `what` is not one that moa knows.
  [[noreturn]] void fail_unsupported(const std::string& what) const;

 private:
  struct Document;
  JsonNode(std::shared_ptr<const Document> document, const simdjson::dom::element& value, std::string where);

  std::shared_ptr<const Document> document_;
  std::shared_ptr<const simdjson::dom::element> value_;
  std::string where_;
};

}  // namespace moa
