// Several processes that learn together, over torch's c10d: gloo on any machine, by TCP; NCCL between
// graphics cards, where libtorch has it.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>

#include <moa/train.hpp>

namespace moa::train {

// All processes call the same functions in the same order. Without NCCL, tensors on a graphics card go by way
// of memory.
// Error of all: io_error if another process is lost.
class ProcessGroup {
 public:
  // Waits for the others, five minutes at most. `device`: where this process computes, a graphics card of its
  // own or the processor. Errors: invalid_argument (an impossible rank or meeting point), io_error.
  ProcessGroup(const TrainProcesses& processes, at::Device device);
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const { return rank_; }
  int count() const { return count_; }

  // The rows of all processes, in the order of their ranks; each may have another number of them, also none.
  // Gradients reach one's own rows.
  at::Tensor gather(const at::Tensor& own) const;
  // Each becomes the sum over all processes.
  void sum(at::Tensor& tensor) const;
  void sum(std::span<double> numbers) const;
  // Becomes that of process 0.
  void broadcast(at::Tensor& tensor) const;

 private:
  struct Groups;
  // Without a graph, where it can be sent from.
  at::Tensor sendable(const at::Tensor& tensor) const;
  template <typename Work>
  void together(const at::Tensor& sent, const Work& work) const;

  int rank_;
  int count_;
  std::unique_ptr<Groups> groups_;
};

}  // namespace moa::train
