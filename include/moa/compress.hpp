// Compressing: the matrices of a trained model as products of smaller ones.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <moa/export.hpp>

namespace moa {

struct CompressOptions {
  // low_rank: two thin matrices, by the singular value decomposition. They are run one after the other, so
  // that a smaller rank takes fewer products. tensor_train: three cores, by TT-SVD; they are multiplied out
  // when the model is loaded, so that the directory alone is smaller.
  enum class Kind { low_rank, tensor_train };
  Kind kind = Kind::low_rank;
  // The most that each matrix may change, as a part of its length: |W - W'| / |W|, in Frobenius norms. From 0
  // to below 1.
  double error = 0.3;
  // The linear layers that may be replaced, by the names of their weights in the checkpoint; `*` in a pattern
  // stands for any characters, also none.
  std::vector<std::string> linears{"*"};
  int threads = 0;  // 0: as many as the process may use
  // Called now and then, from any thread but one at a time, with how many linear layers are done; may be
  // empty.
  std::function<void(std::size_t done, std::size_t count)> progress = {};
  const std::atomic<bool>* cancelled = nullptr;
};

// What became of a linear layer's weight.
struct CompressedLinear {
  std::string name;
  std::int64_t out = 0;
  std::int64_t in = 0;
  // Empty if it stays as it was, as no product that is near enough is smaller. Otherwise the rank; of a
  // tensor train its two.
  std::vector<std::int64_t> ranks;
  double error = 0;  // of the product as it is stored
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
};

// Writes a directory that Model::load takes as it takes the original, with the weights of linear layers
// inside the towers replaced by products wherever these take fewer bytes; projections into the shared space,
// which nothing corrects afterwards, stay. Factors have the type of the matrix; of one in 4-bit blocks, f16.
// What a model reads beside its weights is copied. `moa::train_model` goes on with such a directory, and
// learns the factors.
//
// Returns every layer that was looked at, by name. The directory appears whole or not at all. Errors:
// invalid_argument (an error outside its range, a pattern that fits no linear layer, a model that is
// quantized or compressed already, `directory` exists); corrupt_data (a weight that is no number); cancelled;
// io_error; those of Model::load.
MOA_API std::vector<CompressedLinear> compress(std::string_view model, const std::filesystem::path& directory,
                                               const CompressOptions& options = {});

}  // namespace moa
