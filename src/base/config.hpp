// A small JSON document read by name: config.json, preprocessor_config.json and their kin. Absent keys take
// the default that the caller states, null counts as absent, and a value of the wrong kind is an error that
// names the file and the key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace moa {

// A view of one object inside a parsed document. Copies share the document; immutable, safe from any thread.
class Config {
 public:
  // An empty object, of which every key is absent.
  Config();
  // `where` names the document in errors, e.g. "config.json". Errors: corrupt_data (not JSON, not an object,
  // nested deeper than 64, a key twice in one object); limit_exceeded above 64 MiB.
  static Config parse(std::string_view json, std::string where);

  bool has(std::string_view key) const;  // present and not null
  bool is_object(std::string_view key) const;
  bool is_number(std::string_view key) const;
  bool is_array(std::string_view key) const;
  bool is_string(std::string_view key) const;
  bool is_boolean(std::string_view key) const;
  std::vector<std::string> keys() const;

  // Each throws corrupt_data if the value is of another kind, or, for `integer`, outside [least, most]
  // (out_of_range).
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least = 0,
                       std::int64_t most = 1 << 30) const;
  double number(std::string_view key, double fallback) const;
  bool boolean(std::string_view key, bool fallback) const;
  std::string string(std::string_view key, std::string_view fallback) const;
  std::vector<double> numbers(std::string_view key, std::vector<double> fallback) const;
  std::vector<std::string> strings(std::string_view key, std::vector<std::string> fallback) const;

  // The nested object; an empty one if absent.
  Config object(std::string_view key) const;
  // The nested array of objects; empty if absent.
  std::vector<Config> objects(std::string_view key) const;

  // e.g. "config.json: text_config", for messages.
  const std::string& where() const { return where_; }
  // As JSON text, compact.
  std::string dump() const;

 private:
  struct Document;
  Config(std::shared_ptr<const Document> document, const void* node, std::string where);
  const void* find(std::string_view key) const;

  std::shared_ptr<const Document> document_;
  const void* node_;
  std::string where_;
};

}  // namespace moa
