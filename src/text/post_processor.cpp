#include "text/post_processor.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <moa/error.hpp>
#include "text/vocabulary.hpp"

namespace moa {
namespace {

constexpr std::size_t kMaxFixedTokens = 1024;
constexpr int kMaxNesting = 16;

using Source = TemplatePart::Source;

bool ends_with(const std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& end) {
  return ids.size() >= end.size() && std::equal(end.rbegin(), end.rend(), ids.rbegin());
}

std::int32_t checked_id(std::int64_t id, const JsonNode& node) {
  if (id < 0 || id > kMaxTokenId) {
    throw Error(ErrorCode::out_of_range, node.where() + ": there is no token id " + std::to_string(id));
  }
  return static_cast<std::int32_t>(id);
}

// ["[CLS]", 101]
TemplatePart named_token(const JsonNode& node, std::int32_t type_id = 0) {
  const std::vector<JsonNode> pair = node.items();
  if (pair.size() != 2) node.fail("expected a token and its id");
  return {Source::fixed, {checked_id(pair[1].integer(), node)}, type_id};
}

// The list `form`, "single" or "pair", of a TemplateProcessing.
std::vector<TemplatePart> parse_parts(const JsonNode& node, const JsonNode& form) {
  std::vector<TemplatePart> parts;
  for (const JsonNode& item : form.items()) {
    TemplatePart part;
    if (const auto sequence = item.find("Sequence")) {
      const std::string_view id = sequence->at("id").string();
      if (id != "A" && id != "B") sequence->fail("expected the sequence A or B");
      part.source = id == "A" ? Source::first_text : Source::second_text;
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

struct Templates {
  std::vector<TemplatePart> single;
  std::vector<TemplatePart> pair;
};

// Nothing for a step that moves offsets only.
std::optional<Templates> make_at(const JsonNode& node, int nesting) {
  const std::string type = node.type();
  if (type == "TemplateProcessing") {
    Templates templates{parse_parts(node, node.at("single")), {}};
    if (const auto pair = node.find("pair")) templates.pair = parse_parts(node, *pair);
    return templates;
  }
  if (type == "RobertaProcessing" || type == "BertProcessing") {
    const TemplatePart begin = named_token(node.at("cls"));
    const TemplatePart end = named_token(node.at("sep"));
    const TemplatePart first{Source::first_text, {}, 0};
    if (type == "BertProcessing") {
      const TemplatePart second_end = named_token(node.at("sep"), 1);
      return Templates{{begin, first, end}, {begin, first, end, {Source::second_text, {}, 1}, second_end}};
    }
    return Templates{{begin, first, end}, {begin, first, end, end, {Source::second_text, {}, 0}, end}};
  }
  if (type == "ByteLevel") return std::nullopt;
  if (type != "Sequence") node.fail_unsupported("the post-processor '" + type + "'");
  if (nesting == kMaxNesting) node.fail("sequences nest too deep");
  std::optional<Templates> found;
  for (const JsonNode& step : node.at("processors").items()) {
    auto templates = make_at(step, nesting + 1);
    if (!templates) continue;
    if (found) node.fail_unsupported("a sequence of several templates");
    found = std::move(templates);
  }
  return found;
}

void check_texts(const std::vector<TemplatePart>& parts, std::size_t firsts, std::size_t seconds,
                 const JsonNode& node) {
  std::size_t found_firsts = 0;
  std::size_t found_seconds = 0;
  std::size_t fixed = 0;
  for (const TemplatePart& part : parts) {
    found_firsts += part.source == Source::first_text ? 1u : 0u;
    found_seconds += part.source == Source::second_text ? 1u : 0u;
    fixed += part.ids.size();
  }
  if (fixed > kMaxFixedTokens) node.fail("its template adds more than 1024 tokens");
  if (found_firsts != firsts || found_seconds != seconds) {
    node.fail("a template does not hold each of its texts once");
  }
}

}  // namespace

PostProcessor::PostProcessor()
    : single_{{Source::first_text, {}, 0}},
      pair_{{Source::first_text, {}, 0}, {Source::second_text, {}, 0}} {}

PostProcessor::PostProcessor(std::vector<TemplatePart> single, std::vector<TemplatePart> pair)
    : single_(std::move(single)), pair_(std::move(pair)) {}

PostProcessor PostProcessor::make(const JsonNode& node) {
  auto templates = make_at(node, 0);
  if (!templates) return {};
  check_texts(templates->single, 1, 0, node);
  if (!templates->pair.empty()) check_texts(templates->pair, 1, 1, node);
  return {std::move(templates->single), std::move(templates->pair)};
}

std::size_t PostProcessor::fixed_tokens(const std::vector<TemplatePart>& parts) {
  std::size_t added = 0;
  for (const TemplatePart& part : parts) added += part.ids.size();
  return added;
}

void PostProcessor::apply(const std::vector<std::int32_t>& text_ids, std::vector<std::int32_t>& ids,
                          std::vector<std::int32_t>& type_ids) const {
  for (const TemplatePart& part : single_) {
    const bool is_text = part.source == Source::first_text;
    const bool is_end = !is_text && &part == &single_.back();
    if (is_end && skips_repeated_end_ && ends_with(ids, part.ids)) continue;
    const std::vector<std::int32_t>& source = is_text ? text_ids : part.ids;
    ids.insert(ids.end(), source.begin(), source.end());
    type_ids.insert(type_ids.end(), source.size(), part.type_id);
  }
}

void PostProcessor::apply_to_pair(const std::vector<std::int32_t>& first_ids,
                                  const std::vector<std::int32_t>& second_ids, std::vector<std::int32_t>& ids,
                                  std::vector<std::int32_t>& type_ids) const {
  for (const TemplatePart& part : pair_) {
    const std::vector<std::int32_t>& source = part.source == Source::first_text    ? first_ids
                                              : part.source == Source::second_text ? second_ids
                                                                                   : part.ids;
    ids.insert(ids.end(), source.begin(), source.end());
    type_ids.insert(type_ids.end(), source.size(), part.type_id);
  }
}

}  // namespace moa
