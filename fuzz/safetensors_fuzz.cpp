// safetensors: whatever the bytes, either an Error or tensors that lie inside the file and can be read.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "checkpoint/q4.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/widen.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  try {
    std::size_t covered = 0;
    for (const moa::StoredTensor& tensor : moa::parse_safetensors(file, "fuzz")) {
      covered += tensor.bytes.size();
      if (!tensor.dtype) continue;
      const std::int64_t elements = tensor.shape.elements();
      std::vector<float> values(static_cast<std::size_t>(elements));
      moa::widen(*tensor.dtype, tensor.bytes.data(), elements, values.data());
    }
    if (covered > size) std::abort();  // tensors may not share bytes
  } catch (const moa::Error&) {
  }
  return 0;
}
