// Adapters as strangers hand them over: a configuration, a zero byte and a file of tensors are opened,
// described and added to the matrices of a small model, or refused with an Error.
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <vector>

#include <moa/error.hpp>

#include "checkpoint/adapter.hpp"

namespace {

const std::filesystem::path& folder() {
  static const std::filesystem::path path = [] {
    std::string name = (std::filesystem::temp_directory_path() / "moa-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    return std::filesystem::path(name);
  }();
  return path;
}

void write(const char* name, const std::uint8_t* begin, const std::uint8_t* end) {
  std::ofstream(folder() / name, std::ios::binary).write(reinterpret_cast<const char*>(begin), end - begin);
}

// As the seeds' layers are called: a square, a tall and a wide matrix.
moa::Weights weights() {
  moa::Weights all;
  const auto add = [&](const char* name, std::int64_t out, std::int64_t in) {
    all.add(moa::Parameter::from_values(name, {out, in},
                                        std::vector<float>(static_cast<std::size_t>(out * in), 1.0F)));
  };
  add("t.q.weight", 8, 8);
  add("t.up.weight", 16, 8);
  add("t.down.weight", 8, 16);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t* const end = data + size;
  const std::uint8_t* const zero = std::find(data, end, std::uint8_t{0});
  write("adapter_config.json", data, zero);
  write("adapter_model.safetensors", zero == end ? end : zero + 1, end);
  try {
    const moa::Adapter adapter = moa::Adapter::open(folder());
    adapter.numbers();
    const moa::Weights merged = adapter.merged_into(weights());
    for (const moa::Parameter& parameter : merged.parameters()) parameter.read();
  } catch (const moa::Error&) {
  }
  return 0;
}
