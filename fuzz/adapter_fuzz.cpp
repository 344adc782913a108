// Adapters as strangers hand them over: a configuration, a zero byte and a file of tensors are opened,
// described and added to the matrices of a small model, or refused with an Error.
#include <cstdint>
#include <vector>

#include <moa/error.hpp>

#include "checkpoint/adapter.hpp"
#include "scratch_folder.hpp"

namespace {

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
  const auto [config, tensors] = moa::fuzz::split_at_zero(moa::fuzz::bytes_of(data, size));
  moa::fuzz::write_scratch("adapter_config.json", config);
  moa::fuzz::write_scratch("adapter_model.safetensors", tensors);
  try {
    const moa::Adapter adapter = moa::Adapter::open(moa::fuzz::scratch_folder());
    adapter.numbers();
    const moa::Weights merged = adapter.merged_into(weights());
    for (const moa::Parameter& parameter : merged.parameters()) parameter.read();
  } catch (const moa::Error&) {
  }
  return 0;
}
