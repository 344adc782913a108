# moa_room(NAME SOURCES a.cpp ... LINKS room ... LIBRARIES lib ...)
#
# One static library a room. A room's headers are reached as "<room>/<header>.hpp", and only by rooms that link it: its include
# directory holds nothing but a link to the room itself, so an include against the arrows of ARCHITECTURE.md does not compile.
# LINKS are rooms whose headers this room's own headers need (public); PRIVATE_LINKS stay inside its sources.
function(moa_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS;LIBRARIES" ${ARGN})
  set(doorway "${PROJECT_BINARY_DIR}/rooms/${name}")
  file(MAKE_DIRECTORY "${doorway}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${doorway}/${name}" SYMBOLIC)
  add_library(moa_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(moa_${name} PUBLIC "${doorway}" "${PROJECT_SOURCE_DIR}/include")
  list(TRANSFORM ROOM_LINKS PREPEND moa_)
  list(TRANSFORM ROOM_PRIVATE_LINKS PREPEND moa_)
  target_link_libraries(moa_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS} ${ROOM_LIBRARIES} Threads::Threads)
endfunction()

# moa_test(NAME SOURCES a_test.cpp ... LINKS room ... LIBRARIES lib ... HEADERS <header> ...)
#
# One GoogleTest program for a room, run by ctest as "NAME". Tests find their files below MOA_TEST_DATA (tests/) and what the
# repository holds below MOA_SOURCE_DIR. Reading GoogleTest's header takes longer than compiling most tests, so it is read once
# for all of them; a program that names HEADERS reads these and it once for itself. (Rooms gain little by the like.)
function(moa_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINKS;LIBRARIES;HEADERS" ${ARGN})
  add_executable(${name}_test ${TEST_SOURCES})
  list(TRANSFORM TEST_LINKS PREPEND moa_)
  target_include_directories(${name}_test PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${name}_test PRIVATE
    MOA_TEST_DATA="${PROJECT_SOURCE_DIR}/tests" MOA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_test PRIVATE ${TEST_LINKS} ${TEST_LIBRARIES} GTest::gtest GTest::gtest_main)
  if(TEST_HEADERS)
    target_precompile_headers(${name}_test PRIVATE <gtest/gtest.h> ${TEST_HEADERS})
  else()
    moa_precompiled_gtest()
    target_precompile_headers(${name}_test REUSE_FROM precompiled_gtest)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name}_test PRIVATE -fpch-preprocess)  # without it ccache keeps nothing
  endif()
  add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
endfunction()

# The program without tests whose precompiled header the tests take.
function(moa_precompiled_gtest)
  if(NOT TARGET precompiled_gtest)
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/precompiled_gtest.cpp" CONTENT "int main() {}\n")
    add_executable(precompiled_gtest EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/precompiled_gtest.cpp")
    target_link_libraries(precompiled_gtest PRIVATE GTest::gtest)
    target_precompile_headers(precompiled_gtest PRIVATE <gtest/gtest.h>)
  endif()
endfunction()

# moa_fuzz(NAME SOURCE x_fuzz.cpp LINKS room ...)
#
# A fuzz target: a source that defines LLVMFuzzerTestOneInput, driven by libFuzzer under the sanitizers of MOA_SANITIZE.
function(moa_fuzz name)
  cmake_parse_arguments(FUZZ "" "SOURCE" "LINKS;LIBRARIES" ${ARGN})
  list(TRANSFORM FUZZ_LINKS PREPEND moa_)
  add_executable(${name}_fuzz ${FUZZ_SOURCE})
  target_link_libraries(${name}_fuzz PRIVATE ${FUZZ_LINKS} ${FUZZ_LIBRARIES})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
endfunction()
