// The header of an index's vector file: any bytes give a header whose sizes are possible, or an Error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include <moa/error.hpp>

#include "search/vector_file.hpp"

namespace {

void parse(std::span<const std::byte> bytes) {
  try {
    const moa::search::VectorHeader header = moa::search::parse_vector_header(bytes, "fuzzed");
    const bool possible = header.dim >= 1 && header.dim <= 65536 && header.generation.size() == 16 &&
                          header.model_identity.size() <= 256;
    // What was read and written again is read the same.
    const std::string again = moa::search::format_vector_header(header);
    if (!possible ||
        moa::search::parse_vector_header(moa::as_bytes(again), "again").generation != header.generation) {
      std::abort();
    }
  } catch (const moa::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  parse(bytes);
  // Past the checksum, which the fuzzer cannot guess: the first fields as a sound header's.
  std::string sound = moa::search::format_vector_header({1, std::string(16, 'g'), "identity"});
  const std::size_t fields = std::min<std::size_t>(size, 300);
  sound.replace(0, fields, reinterpret_cast<const char*>(data), fields);
  moa::search::seal_vector_header(sound);
  parse(moa::as_bytes(sound));
  return 0;
}
