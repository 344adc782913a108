# libmoa.so and what `cmake --install` puts beside it and the command.
#
# The library holds the objects of the rooms that define the public headers' declarations; what they need of other rooms comes
# out of the archives. Only what is marked MOA_API can be seen from outside.
add_library(moa_library SHARED $<TARGET_OBJECTS:moa_base> $<TARGET_OBJECTS:moa_compress> $<TARGET_OBJECTS:moa_embed>
  $<TARGET_OBJECTS:moa_export> $<TARGET_OBJECTS:moa_search> $<TARGET_OBJECTS:moa_train>)
target_link_libraries(moa_library PRIVATE moa_train moa_search moa_compress moa_export moa_embed moa_base)
target_link_options(moa_library PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined)
target_include_directories(moa_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(moa_library INTERFACE cxx_std_20)
set_target_properties(moa_library PROPERTIES
  OUTPUT_NAME moa EXPORT_NAME moa LINKER_LANGUAGE CXX LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}"
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/moa")
install(TARGETS moa_library EXPORT moa LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT moa NAMESPACE moa:: DESTINATION "${package_dir}" FILE moaTargets.cmake)
configure_package_config_file(cmake/moaConfig.cmake.in "${PROJECT_BINARY_DIR}/moaConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/moaConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/moaConfig.cmake" "${PROJECT_BINARY_DIR}/moaConfigVersion.cmake"
  DESTINATION "${package_dir}")
# Where it is installed is known when it is: the file tells it from its own place.
file(RELATIVE_PATH prefix_from_pkgconfig "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(cmake/moa.pc.in "${PROJECT_BINARY_DIR}/moa.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/moa.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(DIRECTORY include/moa DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY models/moa-mini DESTINATION "${CMAKE_INSTALL_DATADIR}/moa/models")

# The manual page and the shells' completions are what the command itself says of its options.
set(generated "${PROJECT_BINARY_DIR}/generated")
add_custom_command(
  OUTPUT "${generated}/moa.1" "${generated}/moa.bash" "${generated}/_moa" "${generated}/moa.fish"
  COMMAND moa man > "${generated}/moa.1"
  COMMAND moa completion bash > "${generated}/moa.bash"
  COMMAND moa completion zsh > "${generated}/_moa"
  COMMAND moa completion fish > "${generated}/moa.fish"
  DEPENDS moa VERBATIM)
add_custom_target(moa_manual ALL DEPENDS "${generated}/moa.1")
install(FILES "${generated}/moa.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${generated}/moa.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME moa)
install(FILES "${generated}/_moa" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
install(FILES "${generated}/moa.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
