// tokenizer.json: whatever the bytes, either an Error or a tokenizer, and texts get ids that it knows or an
// Error.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <moa/error.hpp>

#include "text/tokenizer.hpp"

namespace {

constexpr const char* kTexts[] = {
    "a photo of a dog",
    " 강아지와  고양이\n",
    "<s>e\xCC\x81 \xF0\x9F\x98\x80<mask> ①½ #!?",
    "",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  moa::TokenizerFiles files;
  files.tokenizer_json.assign(reinterpret_cast<const char*>(data), size);
  if (files.tokenizer_json.empty()) return 0;
  try {
    const moa::Tokenizer tokenizer = moa::Tokenizer::load(files);
    for (const char* text : kTexts) {
      try {
        const moa::Tokenized tokenized = tokenizer.tokenize(text);
        if (tokenized.ids.size() != tokenized.type_ids.size()) std::abort();
        tokenizer.decode(tokenized.ids, true);
      } catch (const moa::Error&) {
      }
    }
  } catch (const moa::Error&) {
  }
  return 0;
}
