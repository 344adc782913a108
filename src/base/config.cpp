#include "base/config.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include <moa/error.hpp>

namespace moa {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxBytes = 64u << 20;
constexpr int kMaxDepth = 64;

const json& as_json(const void* node) {
  return *static_cast<const json*>(node);
}

[[noreturn]] void wrong_kind(const std::string& where, std::string_view key, const json& found,
                             const char* expected) {
  throw Error(ErrorCode::corrupt_data,
              where + ": '" + std::string(key) + "': found " + found.type_name() + ", expected " + expected);
}

// Parses with bounded depth and refuses a key that stands twice: whoever reads such a file guesses.
json parse_strictly(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> open_objects;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kMaxDepth)
      throw Error(ErrorCode::corrupt_data, where + ": nested deeper than " + std::to_string(kMaxDepth));
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key && !open_objects.back().insert(value.get<std::string>()).second) {
      throw Error(ErrorCode::corrupt_data,
                  where + ": key '" + value.get<std::string>() + "' stands twice in one object");
    }
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::exception& error) {
    const std::string_view what =
        error.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
    const std::size_t id = what.find("] ");
    throw Error(ErrorCode::corrupt_data,
                where + ": not valid JSON: " + std::string(id == what.npos ? what : what.substr(id + 2)));
  }
}

}  // namespace

struct Config::Document {
  json root;
};

Config::Config() : Config(std::make_shared<Document>(Document{json::object()}), nullptr, "(empty)") {
  node_ = &document_->root;
}

Config::Config(std::shared_ptr<const Document> document, const void* node, std::string where)
    : document_(std::move(document)), node_(node), where_(std::move(where)) {}

Config Config::parse(std::string_view text, std::string where) {
  if (text.size() > kMaxBytes) {
    throw Error(ErrorCode::limit_exceeded,
                where + ": " + std::to_string(text.size()) + " bytes, expected at most 64 MiB");
  }
  auto document = std::make_shared<Document>(Document{parse_strictly(text, where)});
  if (!document->root.is_object()) {
    throw Error(ErrorCode::corrupt_data,
                where + ": found " + document->root.type_name() + ", expected an object");
  }
  const void* root = &document->root;
  return {std::move(document), root, std::move(where)};
}

const void* Config::find(std::string_view key) const {
  const json& object = as_json(node_);
  const auto found = object.find(std::string(key));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

bool Config::has(std::string_view key) const {
  return find(key) != nullptr;
}
bool Config::is_object(std::string_view key) const {
  return has(key) && as_json(find(key)).is_object();
}
bool Config::is_number(std::string_view key) const {
  return has(key) && as_json(find(key)).is_number();
}
bool Config::is_array(std::string_view key) const {
  return has(key) && as_json(find(key)).is_array();
}
bool Config::is_string(std::string_view key) const {
  return has(key) && as_json(find(key)).is_string();
}
bool Config::is_boolean(std::string_view key) const {
  return has(key) && as_json(find(key)).is_boolean();
}

std::vector<std::string> Config::keys() const {
  std::vector<std::string> names;
  for (const auto& item : as_json(node_).items()) names.push_back(item.key());
  return names;
}

std::int64_t Config::integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                             std::int64_t most) const {
  const void* node = find(key);
  if (node == nullptr) return fallback;
  const json& value = as_json(node);
  const bool whole_float = value.is_number_float() &&
                           value.get<double>() == static_cast<double>(static_cast<std::int64_t>(
                                                      std::min(std::max(value.get<double>(), -9e15), 9e15)));
  if (!value.is_number_integer() && !whole_float) wrong_kind(where_, key, value, "an integer");
  const bool too_large =
      value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  const std::int64_t found = value.get<std::int64_t>();
  if (too_large || found < least || found > most) {
    throw Error(ErrorCode::out_of_range, where_ + ": '" + std::string(key) + "': found " + value.dump() +
                                             ", expected " + std::to_string(least) + " to " +
                                             std::to_string(most));
  }
  return found;
}

double Config::number(std::string_view key, double fallback) const {
  const void* node = find(key);
  if (node == nullptr) return fallback;
  if (!as_json(node).is_number()) wrong_kind(where_, key, as_json(node), "a number");
  return as_json(node).get<double>();
}

bool Config::boolean(std::string_view key, bool fallback) const {
  const void* node = find(key);
  if (node == nullptr) return fallback;
  if (!as_json(node).is_boolean()) wrong_kind(where_, key, as_json(node), "true or false");
  return as_json(node).get<bool>();
}

std::string Config::string(std::string_view key, std::string_view fallback) const {
  const void* node = find(key);
  if (node == nullptr) return std::string(fallback);
  if (!as_json(node).is_string()) wrong_kind(where_, key, as_json(node), "a string");
  return as_json(node).get<std::string>();
}

std::vector<double> Config::numbers(std::string_view key, std::vector<double> fallback) const {
  const void* node = find(key);
  if (node == nullptr) return fallback;
  if (!as_json(node).is_array()) wrong_kind(where_, key, as_json(node), "a list of numbers");
  std::vector<double> values;
  for (const json& value : as_json(node)) {
    if (!value.is_number()) wrong_kind(where_, key, value, "a number in the list");
    values.push_back(value.get<double>());
  }
  return values;
}

std::vector<std::string> Config::strings(std::string_view key, std::vector<std::string> fallback) const {
  const void* node = find(key);
  if (node == nullptr) return fallback;
  if (!as_json(node).is_array()) wrong_kind(where_, key, as_json(node), "a list of strings");
  std::vector<std::string> values;
  for (const json& value : as_json(node)) {
    if (!value.is_string()) wrong_kind(where_, key, value, "a string in the list");
    values.push_back(value.get<std::string>());
  }
  return values;
}

Config Config::object(std::string_view key) const {
  const void* node = find(key);
  std::string inner = where_ + ": " + std::string(key);
  if (node == nullptr) {
    Config empty;
    empty.where_ = std::move(inner);
    return empty;
  }
  if (!as_json(node).is_object()) wrong_kind(where_, key, as_json(node), "an object");
  return {document_, node, std::move(inner)};
}

std::vector<Config> Config::objects(std::string_view key) const {
  const void* node = find(key);
  if (node == nullptr) return {};
  if (!as_json(node).is_array()) wrong_kind(where_, key, as_json(node), "a list of objects");
  std::vector<Config> all;
  for (const json& value : as_json(node)) {
    if (!value.is_object()) wrong_kind(where_, key, value, "an object in the list");
    all.push_back(
        Config(document_, &value, where_ + ": " + std::string(key) + "[" + std::to_string(all.size()) + "]"));
  }
  return all;
}

std::string Config::dump() const {
  return as_json(node_).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace moa
