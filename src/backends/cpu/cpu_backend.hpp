// The cpu interpreter of Ops: in f32, bf16 or int8, on any x86-64 or arm64 machine, with the best
// instructions it has.
#pragma once

#include <cstdint>
#include <memory>

#include "backends/cpu/level.hpp"
#include "tensor/interpreter.hpp"
#include "tensor/precision.hpp"

namespace moa {

struct CpuOptions {
  Precision precision = Precision::f32;  // of products with weights, as ops.hpp says
  int threads = 0;  // at most this many work on a forward pass, the caller included; 0: all available CPUs
};

struct CpuMemory {
  std::int64_t prepared_bytes = 0;    // weights in the form that the kernels read
  std::int64_t activation_bytes = 0;  // activations of forwards under way, and blocks kept for the next
};

// What outlives a forward pass: threads, weights in prepared form, memory for activations. One serves any
// number of models and of forwards, several at once too. A weight is prepared when it is first used; then the
// pages of the original are dropped.
//
// A row's bits do not depend on the other rows of the batch, on the number of threads, or on what ran before;
// they may differ between instruction-set levels.
class CpuBackend {
 public:
  // Errors: invalid_argument for a negative number of threads or one above 1024; those of cpu_level().
  explicit CpuBackend(const CpuOptions& options = {});
  // With the kernels of a level that this processor has, for tests and measurements.
  CpuBackend(const CpuOptions& options, const cpu::Kernels& kernels);
  ~CpuBackend();
  CpuBackend(const CpuBackend&) = delete;
  CpuBackend& operator=(const CpuBackend&) = delete;

  // For one forward pass in one thread; cheap. It must not outlive the backend. Safe from any thread.
  std::unique_ptr<Interpreter> interpreter();

  int threads() const noexcept;
  CpuMemory memory() const;
  // What the products, convolutions and attentions of all forward passes so far come to.
  std::int64_t multiply_adds() const noexcept;
  // Frees memory that no forward pass under way uses; prepared weights stay.
  void trim();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moa
