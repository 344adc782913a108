// NCCL: graphics cards that add up without a detour by memory. Built where libtorch has it (MOA_WITH_NCCL).
#pragma once

#include <ATen/ATen.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace moa::train {

// A card takes part in a group once. Errors are c10::Error.
c10::intrusive_ptr<c10d::Backend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                                  int count, at::Device device);

}  // namespace moa::train
