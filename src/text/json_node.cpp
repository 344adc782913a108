#include "text/json_node.hpp"

#include <simdjson.h>

#include <moa/error.hpp>

namespace moa {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxDepth = 64;

}  // namespace

struct JsonNode::Document {
  simdjson::dom::parser parser;
};

JsonNode::JsonNode(std::shared_ptr<const Document> document, const simdjson::dom::element& value,
                   std::string where)
    : document_(std::move(document)),
      value_(std::make_shared<const simdjson::dom::element>(value)),
      where_(std::move(where)) {}

JsonNode JsonNode::parse(std::string_view json, std::string where) {
  if (json.size() > kMaxBytes) {
    throw Error(ErrorCode::limit_exceeded, "cannot read " + where + ": it has " +
                                               std::to_string(json.size()) + " bytes, the limit is " +
                                               std::to_string(kMaxBytes));
  }
  auto document = std::make_shared<Document>();
  simdjson::dom::element root;
  simdjson::error_code error = document->parser.allocate(json.size(), kMaxDepth);
  if (!error) error = document->parser.parse(json.data(), json.size()).get(root);
  if (error == simdjson::MEMALLOC) {
    throw Error(ErrorCode::limit_exceeded, "cannot read " + where + ": not enough memory");
  }
  if (error) {
    throw Error(ErrorCode::corrupt_data,
                "cannot read " + where + ": not JSON: " + simdjson::error_message(error));
  }
  return {std::move(document), root, std::move(where)};
}

void JsonNode::fail(const std::string& complaint) const {
  throw Error(ErrorCode::corrupt_data, where_ + ": " + complaint);
}

void JsonNode::fail_unsupported(const std::string& what) const {
  throw Error(ErrorCode::unsupported, where_ + ": moa does not know " + what);
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  simdjson::dom::object object;
  if (value_->get(object)) fail("expected an object");
  simdjson::dom::element value;
  if (object.at_key(key).get(value) || value.is_null()) return std::nullopt;
  return JsonNode(document_, value, where_ + "." + std::string(key));
}

JsonNode JsonNode::at(std::string_view key) const {
  std::optional<JsonNode> found = find(key);
  if (!found) fail("has no '" + std::string(key) + "'");
  return *found;
}

std::vector<JsonNode> JsonNode::items() const {
  simdjson::dom::array array;
  if (value_->get(array)) fail("expected an array");
  std::vector<JsonNode> nodes;
  for (const simdjson::dom::element item : array) {
    nodes.push_back(JsonNode(document_, item, where_ + "[" + std::to_string(nodes.size()) + "]"));
  }
  return nodes;
}

bool JsonNode::is_object() const {
  return value_->is_object();
}

std::string_view JsonNode::string() const {
  std::string_view string;
  if (value_->get(string)) fail("expected a string");
  return string;
}

bool JsonNode::boolean() const {
  bool boolean = false;
  if (value_->get(boolean)) fail("expected true or false");
  return boolean;
}

double JsonNode::number() const {
  double number = 0;
  if (value_->get(number)) fail("expected a number");
  return number;
}

std::int64_t JsonNode::integer() const {
  std::int64_t integer = 0;
  if (value_->get(integer)) fail("expected an integer");
  return integer;
}

std::string JsonNode::string_or(std::string_view key, std::string_view fallback) const {
  const std::optional<JsonNode> found = find(key);
  return std::string(found ? found->string() : fallback);
}

bool JsonNode::boolean_or(std::string_view key, bool fallback) const {
  const std::optional<JsonNode> found = find(key);
  return found ? found->boolean() : fallback;
}

std::int64_t JsonNode::integer_or(std::string_view key, std::int64_t fallback) const {
  const std::optional<JsonNode> found = find(key);
  return found ? found->integer() : fallback;
}

}  // namespace moa
