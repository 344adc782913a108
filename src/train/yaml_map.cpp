#include "train/yaml_map.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <moa/error.hpp>

namespace moa::train {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string shortest(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

struct YamlMap::Node {
  YAML::Node yaml;
  std::string where;
  std::string path;  // of keys, with a dot behind each
  std::set<std::string, std::less<>> asked;
  std::map<std::string, std::shared_ptr<Node>, std::less<>> below;

  // Null if it is absent: yaml-cpp's own nodes for that throw at every touch.
  YAML::Node find(std::string_view key) {
    asked.emplace(key);
    const YAML::Node found = std::as_const(yaml)[std::string(key)];
    return found.IsDefined() ? found : YAML::Node(YAML::NodeType::Null);
  }
  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view key, const std::string& what) const {
    const std::string line = mark.is_null() ? "" : ", line " + std::to_string(mark.line + 1);
    throw Error(ErrorCode::invalid_argument, where + line + ": '" + path + std::string(key) + "': " + what);
  }
  // The mapping `yaml`, which stands below as `key`.
  std::shared_ptr<Node> child(const std::string& key, const YAML::Node& mapping) {
    auto node = std::make_shared<Node>();
    node->yaml.reset(mapping);
    node->where = where;
    node->path = path + key + ".";
    below.emplace(key, node);
    return node;
  }
  // The scalar of `key`, or nullptr if it is absent.
  bool scalar(std::string_view key, const char* expected, YAML::Node& value) {
    value.reset(find(key));
    if (value.IsNull()) return false;
    if (!value.IsScalar()) refuse(value.Mark(), key, std::string("expected ") + expected);
    return true;
  }
};

YamlMap YamlMap::parse(const std::string& text, const std::string& where) {
  if (text.size() > kMostBytes)
    throw Error(ErrorCode::limit_exceeded, "cannot read '" + where + "': it is larger than 1 MiB");
  auto node = std::make_shared<Node>();
  node->where = where;
  try {
    node->yaml.reset(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    throw Error(ErrorCode::invalid_argument,
                where + ", line " + std::to_string(error.mark.line + 1) + ": not valid YAML: " + error.msg);
  }
  if (!node->yaml.IsMap())
    throw Error(ErrorCode::invalid_argument, where + ": expected settings, as 'name: value' in each line");
  return YamlMap(std::move(node));
}

bool YamlMap::has(std::string_view key) const {
  return !node_->find(key).IsNull();
}
bool YamlMap::is_list(std::string_view key) const {
  return has(key) && node_->find(key).IsSequence();
}
bool YamlMap::is_text(std::string_view key) const {
  return has(key) && node_->find(key).IsScalar();
}

std::int64_t YamlMap::integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) const {
  YAML::Node value;
  if (!node_->scalar(key, "a whole number", value)) return fallback;
  std::int64_t number = 0;
  if (!YAML::convert<std::int64_t>::decode(value, number) || number < least || number > most) {
    node_->refuse(value.Mark(), key,
                  "found " + value.Scalar() + ", expected a whole number from " + std::to_string(least) +
                      " to " + std::to_string(most));
  }
  return number;
}

double YamlMap::number(std::string_view key, double fallback, double least, double most) const {
  YAML::Node value;
  if (!node_->scalar(key, "a number", value)) return fallback;
  double number = 0;
  if (!YAML::convert<double>::decode(value, number) || !(number >= least && number <= most)) {
    node_->refuse(
        value.Mark(), key,
        "found " + value.Scalar() + ", expected a number from " + shortest(least) + " to " + shortest(most));
  }
  return number;
}

bool YamlMap::boolean(std::string_view key, bool fallback) const {
  YAML::Node value;
  if (!node_->scalar(key, "true or false", value)) return fallback;
  bool flag = false;
  if (!YAML::convert<bool>::decode(value, flag))
    node_->refuse(value.Mark(), key, "found " + value.Scalar() + ", expected true or false");
  return flag;
}

std::string YamlMap::text(std::string_view key, std::string_view fallback) const {
  YAML::Node value;
  return node_->scalar(key, "a text", value) ? value.Scalar() : std::string(fallback);
}

std::string YamlMap::choice(std::string_view key, std::string_view fallback,
                            std::span<const std::string_view> choices) const {
  YAML::Node value;
  if (!node_->scalar(key, "a word", value)) return std::string(fallback);
  if (std::ranges::find(choices, value.Scalar()) != choices.end()) return value.Scalar();
  std::string list;
  for (const std::string_view choice : choices) list += (list.empty() ? "" : ", ") + std::string(choice);
  node_->refuse(value.Mark(), key, "found " + value.Scalar() + ", expected one of " + list);
}

std::vector<std::string> YamlMap::texts(std::string_view key) const {
  const YAML::Node value = node_->find(key);
  if (value.IsNull()) return {};
  if (value.IsScalar()) return {value.Scalar()};
  std::vector<std::string> all;
  for (const YAML::Node& item : value) {
    if (!value.IsSequence() || !item.IsScalar()) node_->refuse(value.Mark(), key, "expected a list of texts");
    all.push_back(item.Scalar());
  }
  return all;
}

std::vector<double> YamlMap::numbers(std::string_view key, std::vector<double> fallback, double least,
                                     double most) const {
  const YAML::Node value = node_->find(key);
  if (value.IsNull()) return fallback;
  const auto fail = [&] {
    node_->refuse(value.Mark(), key,
                  "expected a list of " + (fallback.empty() ? "" : std::to_string(fallback.size()) + " ") +
                      "numbers from " + shortest(least) + " to " + shortest(most));
  };
  if (!value.IsSequence() || (!fallback.empty() && value.size() != fallback.size())) fail();
  std::vector<double> all;
  for (const YAML::Node& item : value) {
    double number = 0;
    if (!item.IsScalar() || !YAML::convert<double>::decode(item, number) ||
        !(number >= least && number <= most))
      fail();
    all.push_back(number);
  }
  return all;
}

YamlMap YamlMap::map(std::string_view key) const {
  if (const auto found = node_->below.find(key); found != node_->below.end()) return YamlMap(found->second);
  const YAML::Node value = node_->find(key);
  if (!value.IsNull() && !value.IsMap()) node_->refuse(value.Mark(), key, "expected settings below it");
  return YamlMap(node_->child(std::string(key), value.IsMap() ? value : YAML::Node(YAML::NodeType::Map)));
}

std::vector<YamlMap> YamlMap::maps(std::string_view key) const {
  const YAML::Node value = node_->find(key);
  if (value.IsNull()) return {};
  if (!value.IsSequence()) node_->refuse(value.Mark(), key, "expected a list of settings");
  std::vector<YamlMap> all;
  for (const YAML::Node& item : value) {
    const std::string name = std::string(key) + "[" + std::to_string(all.size()) + "]";
    if (!item.IsMap()) node_->refuse(item.Mark(), name, "expected settings, as {name: value}");
    const auto found = node_->below.find(name);
    all.push_back(YamlMap(found != node_->below.end() ? found->second : node_->child(name, item)));
  }
  return all;
}

void YamlMap::finish() const {
  std::set<std::string> seen;
  for (const auto& entry : node_->yaml) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (!seen.insert(key).second) node_->refuse(entry.first.Mark(), key, "it stands here twice");
    if (node_->asked.contains(key)) continue;
    std::string known;
    for (const std::string& name : node_->asked) known += (known.empty() ? "" : ", ") + name;
    node_->refuse(entry.first.Mark(), key, "not known, expected one of " + known);
  }
  for (const auto& [key, below] : node_->below) YamlMap(below).finish();
}

void YamlMap::refuse(std::string_view key, const std::string& what) const {
  node_->refuse(node_->find(key).Mark(), key, what);
}

}  // namespace moa::train
