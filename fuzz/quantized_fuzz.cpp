// Directories of weights in int8, in 4-bit blocks and in factors, as moa quantize and moa compress write them
// and as strangers hand them over: a statement, a zero byte and a file of tensors are opened and read, or
// refused with an Error. However it is asked for, a row is the same.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <moa/error.hpp>

#include "checkpoint/model_directory.hpp"
#include "checkpoint/quantization.hpp"
#include "scratch_folder.hpp"

namespace {

// Products may stand for more than there is memory for: of those, one row.
constexpr std::int64_t kMostElements = 1 << 18;

void expect_same(const float* a, const float* b, std::int64_t count) {
  if (std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(float)) != 0) std::abort();
}

void read_rows_of(const moa::Parameter& tensor) {
  if (tensor.shape().rank() == 0 || tensor.shape().elements() == 0) return;
  const std::int64_t last = tensor.shape()[0] - 1;
  const std::int64_t width = tensor.shape().elements_per_row();
  if (width > kMostElements) return;
  std::vector<float> row(static_cast<std::size_t>(width));
  tensor.read_rows(last, 1, row.data());
  std::vector<std::int8_t> integers(row.size());
  float scale = 0;
  if (tensor.read_rows_int8(last, 1, integers.data(), &scale)) {
    std::vector<float> scaled;
    for (const std::int8_t integer : integers) scaled.push_back(static_cast<float>(integer) * scale);
    expect_same(scaled.data(), row.data(), width);
  }
  if (tensor.shape().elements() > kMostElements) return;
  const std::vector<float> whole = tensor.read();
  expect_same(whole.data() + last * width, row.data(), width);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [statement, tensors] = moa::fuzz::split_at_zero(moa::fuzz::bytes_of(data, size));
  moa::fuzz::write_scratch("config.json", "{}");
  moa::fuzz::write_scratch(moa::kQuantizationName, statement);
  moa::fuzz::write_scratch("model.safetensors", tensors);
  try {
    const moa::ModelDirectory directory = moa::ModelDirectory::open(moa::fuzz::scratch_folder());
    moa::quantized_to(directory);
    for (const moa::Parameter& tensor : directory.weights().parameters()) read_rows_of(tensor);
  } catch (const moa::Error&) {
  }
  return 0;
}
