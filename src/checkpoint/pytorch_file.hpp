// Weights as PyTorch saves them since 1.6: a zip archive with one pickle that describes the tensors and one
// stored entry for each storage (pytorch_model.bin, *.pt; TorchScript archives are of the same form). The
// pickle is read by a machine that knows tensors and nothing else (pickle.hpp): no code of the file ever
// runs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/tensor_file.hpp"

namespace moa {

// The tensors of a file whose content is `file`, by name; `where` names it in errors. Tensors may share
// bytes. Errors: corrupt_data (a damaged archive or pickle, a storage that is missing, or smaller than what
// is said of it); unsupported (a format older than 1.6, a pickle that needs more than tensors, big-endian
// numbers, a tensor that repeats its elements); limit_exceeded (a pickle above 16 MiB).
std::vector<StoredTensor> parse_pytorch(std::span<const std::byte> file, const std::string& where);

class PytorchFile : public TensorFile {
 public:
  // Errors: those of MappedFile::open and of parse_pytorch.
  static PytorchFile open(const std::filesystem::path& path);

 private:
  using TensorFile::TensorFile;
};

}  // namespace moa
