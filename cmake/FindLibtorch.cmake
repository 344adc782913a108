# libtorch: Debian's (libtorch-dev) or any that CMAKE_PREFIX_PATH names, also the one inside PyPI's package ("…/site-packages/torch").
# Processes that train together need gloo's headers too (libgloo-dev), which torch's own include; its code is in libtorch.
# Defines the target Libtorch::Libtorch. Torch's own configuration is not asked: it wants the CUDA toolkit that it was built with.
find_path(LIBTORCH_INCLUDE_DIR ATen/ATen.h)
find_path(GLOO_INCLUDE_DIR gloo/context.h)
find_library(LIBTORCH_LIBRARY torch)
find_library(LIBTORCH_CPU_LIBRARY torch_cpu)
find_library(LIBTORCH_C10_LIBRARY c10)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS LIBTORCH_LIBRARY LIBTORCH_CPU_LIBRARY LIBTORCH_C10_LIBRARY LIBTORCH_INCLUDE_DIR GLOO_INCLUDE_DIR)
mark_as_advanced(GLOO_INCLUDE_DIR LIBTORCH_INCLUDE_DIR LIBTORCH_LIBRARY LIBTORCH_CPU_LIBRARY LIBTORCH_C10_LIBRARY)

if(Libtorch_FOUND AND NOT TARGET Libtorch::Libtorch)
  add_library(Libtorch::Libtorch INTERFACE IMPORTED GLOBAL)
  target_include_directories(Libtorch::Libtorch SYSTEM INTERFACE
    "${LIBTORCH_INCLUDE_DIR}" "${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include" "${GLOO_INCLUDE_DIR}")
  # libtorch.so has no symbol of its own that anyone needs, but it brings CUDA where there is CUDA; what CUDA's libraries need is
  # found when they are loaded, beside them, not here.
  target_link_libraries(Libtorch::Libtorch INTERFACE
    "${LIBTORCH_CPU_LIBRARY}" "${LIBTORCH_C10_LIBRARY}"
    "-Wl,--push-state,--no-as-needed,${LIBTORCH_LIBRARY},--pop-state" -Wl,--allow-shlib-undefined)
endif()
