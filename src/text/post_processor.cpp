#include "text/post_processor.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <moa/error.hpp>
#include "text/vocabulary.hpp"

namespace moa {
namespace {

constexpr std::size_t kMaxFixedTokens = 1024;
constexpr int kMaxNesting = 16;

std::int32_t checked_id(std::int64_t id, const JsonNode& node) {
  if (id < 0 || id > kMaxTokenId) {
    throw Error(ErrorCode::out_of_range, node.where() + ": there is no token id " + std::to_string(id));
  }
  return static_cast<std::int32_t>(id);
}

// ["[CLS]", 101]
TemplatePart named_token(const JsonNode& node) {
  const std::vector<JsonNode> pair = node.items();
  if (pair.size() != 2) node.fail("expected a token and its id");
  return {false, {checked_id(pair[1].integer(), node)}, 0};
}

std::vector<TemplatePart> parse_template(const JsonNode& node) {
  std::vector<TemplatePart> parts;
  for (const JsonNode& item : node.at("single").items()) {
    TemplatePart part;
    if (const auto sequence = item.find("Sequence")) {
      if (sequence->at("id").string() != "A")
        sequence->fail("a template for one text can hold the sequence A only");
      part.is_text = true;
      part.type_id = checked_id(sequence->integer_or("type_id", 0), *sequence);
    } else {
      const JsonNode token = item.at("SpecialToken");
      part.type_id = checked_id(token.integer_or("type_id", 0), token);
      const JsonNode special = node.at("special_tokens").at(token.at("id").string());
      for (const JsonNode& id : special.at("ids").items()) part.ids.push_back(checked_id(id.integer(), id));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

// Nothing for a step that moves offsets only.
std::optional<std::vector<TemplatePart>> make_at(const JsonNode& node, int nesting) {
  const std::string type = node.type();
  if (type == "TemplateProcessing") return parse_template(node);
  if (type == "RobertaProcessing" || type == "BertProcessing") {
    return std::vector<TemplatePart>{named_token(node.at("cls")), {true, {}, 0}, named_token(node.at("sep"))};
  }
  if (type == "ByteLevel") return std::nullopt;
  if (type != "Sequence") node.fail_unsupported("the post-processor '" + type + "'");
  if (nesting == kMaxNesting) node.fail("sequences nest too deep");
  std::optional<std::vector<TemplatePart>> found;
  for (const JsonNode& step : node.at("processors").items()) {
    auto parts = make_at(step, nesting + 1);
    if (!parts) continue;
    if (found) node.fail_unsupported("a sequence of several templates");
    found = std::move(parts);
  }
  return found;
}

}  // namespace

PostProcessor PostProcessor::make(const JsonNode& node) {
  auto parts = make_at(node, 0);
  if (!parts) return PostProcessor();
  PostProcessor made(std::move(*parts));
  if (made.added_tokens() > kMaxFixedTokens) node.fail("its template adds more than 1024 tokens");
  const auto texts =
      std::count_if(made.parts_.begin(), made.parts_.end(), [](const auto& part) { return part.is_text; });
  if (texts != 1) node.fail("its template for one text holds the text " + std::to_string(texts) + " times");
  return made;
}

std::size_t PostProcessor::added_tokens() const {
  std::size_t added = 0;
  for (const TemplatePart& part : parts_) added += part.ids.size();
  return added;
}

void PostProcessor::apply(const std::vector<std::int32_t>& text_ids, std::vector<std::int32_t>& ids,
                          std::vector<std::int32_t>& type_ids) const {
  for (const TemplatePart& part : parts_) {
    const std::vector<std::int32_t>& source = part.is_text ? text_ids : part.ids;
    ids.insert(ids.end(), source.begin(), source.end());
    type_ids.insert(type_ids.end(), source.size(), part.type_id);
  }
}

std::vector<std::int32_t> PostProcessor::fixed_ids() const {
  std::vector<std::int32_t> ids;
  for (const TemplatePart& part : parts_) ids.insert(ids.end(), part.ids.begin(), part.ids.end());
  return ids;
}

}  // namespace moa
