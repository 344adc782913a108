# Language level, warnings, sanitizers. Nothing here names an instruction set: a release runs on any x86-64 or arm64
# machine, and the kernels that need more (src/backends/cpu/kernels) carry their own flags and are chosen at run time.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(MOA_CCACHE ccache)
if(MOA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache asks for where headers are precompiled (cmake/rooms.cmake).
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${MOA_CCACHE}")
endif()

# -ffp-contract=off: a product is fused with a sum only where the code says so, so that scalar and vector code agree.
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror -ffp-contract=off)
# A char is signed everywhere, as it is on x86-64: on arm64 the same source would otherwise mean something else.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-fsigned-char)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-psabi -Wno-maybe-uninitialized)  # vector-extension ABI notes; GCC 12 false positives
endif()
if(MOA_SANITIZE)
  add_compile_options(-fsanitize=${MOA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MOA_SANITIZE})
endif()
