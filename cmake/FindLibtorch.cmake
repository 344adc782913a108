# libtorch: Debian's (libtorch-dev), or the one at Libtorch_ROOT, also inside PyPI's package ("…/site-packages/torch"). CMAKE_PREFIX_PATH
# would find that too, but with it the headers of protobuf and others that lie beside it.
# Defines the target Libtorch::Libtorch and, where the headers of NCCL and CUDA are beside its CUDA library (PyPI's package brings
# them), Libtorch::NCCL. Torch's own configuration is not asked: it wants the CUDA toolkit that it was built with.
find_path(LIBTORCH_INCLUDE_DIR ATen/ATen.h)
find_library(LIBTORCH_LIBRARY torch)
find_library(LIBTORCH_CPU_LIBRARY torch_cpu)
find_library(LIBTORCH_C10_LIBRARY c10)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS LIBTORCH_LIBRARY LIBTORCH_CPU_LIBRARY LIBTORCH_C10_LIBRARY LIBTORCH_INCLUDE_DIR)
mark_as_advanced(LIBTORCH_INCLUDE_DIR LIBTORCH_LIBRARY LIBTORCH_CPU_LIBRARY LIBTORCH_C10_LIBRARY)

if(Libtorch_FOUND AND NOT TARGET Libtorch::Libtorch)
  add_library(Libtorch::Libtorch INTERFACE IMPORTED GLOBAL)
  target_include_directories(Libtorch::Libtorch SYSTEM INTERFACE
    "${LIBTORCH_INCLUDE_DIR}" "${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include")
  # libtorch.so has no symbol of its own that anyone needs, but it brings CUDA where there is CUDA; what CUDA's libraries need is
  # found when they are loaded, beside them, not here.
  target_link_libraries(Libtorch::Libtorch INTERFACE
    "${LIBTORCH_CPU_LIBRARY}" "${LIBTORCH_C10_LIBRARY}"
    "-Wl,--push-state,--no-as-needed,${LIBTORCH_LIBRARY},--pop-state" -Wl,--allow-shlib-undefined)

  get_filename_component(libtorch_folder "${LIBTORCH_LIBRARY}" DIRECTORY)
  file(GLOB libtorch_cuda_headers "${LIBTORCH_INCLUDE_DIR}/../../nvidia/cu*/include")
  find_library(LIBTORCH_CUDA_LIBRARY torch_cuda PATHS "${libtorch_folder}" NO_DEFAULT_PATH)
  find_library(LIBTORCH_C10_CUDA_LIBRARY c10_cuda PATHS "${libtorch_folder}" NO_DEFAULT_PATH)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS "${LIBTORCH_INCLUDE_DIR}/../../nvidia/nccl/include")
  find_path(CUDA_RUNTIME_INCLUDE_DIR cuda_runtime_api.h HINTS ${libtorch_cuda_headers} /usr/local/cuda/include)
  mark_as_advanced(LIBTORCH_CUDA_LIBRARY LIBTORCH_C10_CUDA_LIBRARY NCCL_INCLUDE_DIR CUDA_RUNTIME_INCLUDE_DIR)
  if(LIBTORCH_CUDA_LIBRARY AND LIBTORCH_C10_CUDA_LIBRARY AND NCCL_INCLUDE_DIR AND CUDA_RUNTIME_INCLUDE_DIR)
    add_library(Libtorch::NCCL INTERFACE IMPORTED GLOBAL)
    target_include_directories(Libtorch::NCCL SYSTEM INTERFACE "${NCCL_INCLUDE_DIR}" "${CUDA_RUNTIME_INCLUDE_DIR}")
    target_link_libraries(Libtorch::NCCL INTERFACE
      Libtorch::Libtorch "${LIBTORCH_CUDA_LIBRARY}" "${LIBTORCH_C10_CUDA_LIBRARY}")
  endif()
endif()
