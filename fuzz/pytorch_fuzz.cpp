// PyTorch's weights: whatever the bytes, either an Error or tensors that lie inside the file and can be read.
// The same bytes are taken once as a file, and once as the pickle of a file that is otherwise in order, so
// that the pickle machine is not hidden behind the archive.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "checkpoint/pickle.hpp"
#include "checkpoint/pytorch_file.hpp"
#include "checkpoint/state_dict.hpp"
#include "checkpoint/widen.hpp"

namespace {

void read_all(std::span<const std::byte> file) {
  for (const moa::StoredTensor& tensor : moa::parse_pytorch(file, "fuzz")) {
    const auto* begin = tensor.bytes.data();
    if (!tensor.bytes.empty() &&
        (begin < file.data() || begin + tensor.bytes.size() > file.data() + file.size()))
      std::abort();
    if (!tensor.dtype) continue;
    const std::size_t size = moa::element_bytes(*tensor.dtype);
    const std::int64_t spanned = static_cast<std::int64_t>(tensor.bytes.size() / size);
    if (tensor.shape.elements() > spanned) std::abort();  // never more than the file holds
    std::vector<float> values(static_cast<std::size_t>(spanned));
    moa::widen(*tensor.dtype, begin, spanned, values.data());
    std::int64_t last = 0;
    for (std::size_t axis = 0; axis < tensor.strides.size(); ++axis)
      last += (tensor.shape[axis] - 1) * tensor.strides[axis];
    if (!tensor.strides.empty() && last >= spanned) std::abort();
  }
}

void run_alone(std::span<const std::byte> bytes) {
  const moa::Pickle pickle = moa::run_pickle(bytes, "fuzz");
  moa::tensors_of(pickle, "fuzz");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  for (const auto attempt : {read_all, run_alone}) {
    try {
      attempt(bytes);
    } catch (const moa::Error&) {
    }
  }
  return 0;
}
