// Parameters in the form that kernels read. Each is prepared once, when first asked for, and its original's
// pages are dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/weight_memory.hpp"
#include "base/thread_pool.hpp"
#include "tensor/parameter.hpp"

namespace moa::cpu {

// Safe from any thread. Pointers stay valid as long as this object.
class PreparedWeights {
 public:
  PreparedWeights(const Kernels& kernels, ThreadPool& threads) : kernels_(kernels), threads_(threads) {}

  // [out, in] as panels.
  const float* matrix(const Parameter& weight);
  // [out, in, height, width] as panels of depth height * width * in, in that order: channels innermost, as
  // pictures lie in memory.
  const float* convolution(const Parameter& weight);
  // [channels, 1, height, width] as [height * width][channels].
  const float* depthwise(const Parameter& weight);
  // All elements as f32; nullptr for an absent parameter.
  const float* vector(const Parameter& values);

  std::int64_t bytes() const { return memory_.bytes(); }

 private:
  enum class Form { matrix, convolution, depthwise, vector };
  struct Entry {
    Parameter original;  // keeps identity() from being used again
    std::once_flag once;
    const float* weights = nullptr;
  };
  // Row `first` and the next ones of the matrix being packed, `depth` long each.
  using RowReader =
      std::function<ConstMatrix(std::int64_t first, std::int64_t count, std::vector<float>& space)>;

  const float* prepared(const Parameter& original, Form form, const std::function<const float*()>& prepare);
  const float* pack(std::int64_t rows, std::int64_t depth, const RowReader& read);

  const Kernels& kernels_;
  ThreadPool& threads_;
  WeightMemory memory_;
  std::mutex mutex_;
  std::map<std::pair<const void*, Form>, std::shared_ptr<Entry>> entries_;
};

}  // namespace moa::cpu
