// Texts before tokenizers: whatever the text, what is made of it is UTF-8 again, or an Error.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <moa/error.hpp>

#include "base/utf8.hpp"
#include "text/mended_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!moa::is_utf8(text)) return 0;  // refused before
  try {
    const std::string cleaned = moa::cleaned(text);
    if (!moa::is_utf8(cleaned)) std::abort();
    if (moa::with_single_spaces(cleaned) != cleaned) std::abort();
  } catch (const moa::Error&) {
  }
  return 0;
}
