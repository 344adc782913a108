// Shards: whatever the bytes, either Errors or pairs, and an end.
#include <cstdint>
#include <cstdlib>

#include <moa/error.hpp>

#include "shards/tar_reader.hpp"
#include "train/shard_source.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moa::train;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ShardSource source({"fuzz"}, {.shuffle = 4},
                           [&](const std::string& path) { return open_tar(path, &bytes); });
  const auto stream = source.epoch(0, 0);
  std::size_t errors = 0;
  while (true) {
    try {
      if (!stream->next()) return 0;
    } catch (const moa::Error&) {
      if (++errors > size + 1) std::abort();  // each stands for bytes that are passed
    }
  }
}
