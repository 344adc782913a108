// Patterns of tokenizer.json: whatever the bytes, either an Error or a pattern that cuts a text without gap.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <moa/error.hpp>

#include "base/utf8.hpp"
#include "text/regex.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kText = "It's 12 강아지s, e\xCC\x81t\xC3\xA9!\r\n\n  <b>\xF0\x9F\x98\x80 x_y";
  const std::string_view pattern(reinterpret_cast<const char*>(data), size);
  if (!moa::is_utf8(pattern)) return 0;  // JSON holds nothing else
  try {
    std::size_t covered = 0;
    for (const moa::Span& span : moa::Regex(pattern).find(kText)) {
      if (span.begin != covered || span.end < span.begin) std::abort();
      covered = span.end;
    }
    if (covered != kText.size()) std::abort();
  } catch (const moa::Error&) {
  }
  return 0;
}
