#include "text/metaspace.hpp"

#include "base/utf8.hpp"

namespace moa {

char32_t single_character(const JsonNode& node) {
  const std::string_view text = node.string();
  std::size_t at = 0;
  if (text.empty()) node.fail("expected one character, found none");
  const char32_t c = next_code_point(text, at);
  if (at != text.size()) node.fail("expected one character, found '" + std::string(text) + "'");
  return c;
}

Metaspace Metaspace::parse(const JsonNode& node) {
  Metaspace options;
  append_utf8(options.replacement, single_character(node.at("replacement")));
  options.split = node.boolean_or("split", true);
  const auto scheme = node.find("prepend_scheme");
  const std::string name = scheme ? std::string(scheme->string()) : "always";
  if (name == "first") {
    options.prepend = Prepend::first;
  } else if (name == "never") {
    options.prepend = Prepend::never;
  } else if (name != "always") {
    node.fail_unsupported("the prepend_scheme '" + name + "'");
  }
  // Files older than prepend_scheme say add_prefix_space.
  if (!node.boolean_or("add_prefix_space", true)) {
    if (scheme && options.prepend != Prepend::never) node.fail("add_prefix_space contradicts prepend_scheme");
    options.prepend = Prepend::never;
  }
  return options;
}

}  // namespace moa
