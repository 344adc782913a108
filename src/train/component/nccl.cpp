#include "train/component/nccl.hpp"

#define USE_C10D_NCCL  // libtorch was built with it; its header asks
#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace moa::train {

c10::intrusive_ptr<c10d::Backend> make_nccl_group(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                                  int count, at::Device device) {
  // What NCCL allocates for itself it puts on the current card.
  c10::cuda::set_device(device.index());
  // Its keys stand apart from gloo's. Who is late is waited for by gloo before, so torch's ten minutes do.
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                                     rank, count);
}

}  // namespace moa::train
