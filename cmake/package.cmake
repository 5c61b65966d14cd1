# The public headers, and where the libraries are installed: two components of one build.
#
#   python (what a plain `cmake --install` does)   PREFIX/geoinfluencer/ops/: the libraries alone
#   cpp (only when asked for by name)              PREFIX/{lib,include/geoinfluencer}: the package
#
# A wheel is a plain installation, so headers and CMake files never get into it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(GEOINFLUENCER_TARGETS geoinfluencer_cpu)
set(GEOINFLUENCER_HEADERS csrc/api.h)
if(TARGET geoinfluencer_cuda)
  list(APPEND GEOINFLUENCER_TARGETS geoinfluencer_cuda)
  list(APPEND GEOINFLUENCER_HEADERS csrc/cuda_api.h)
endif()

# <geoinfluencer/api.h>, whether installed or used from the build.
foreach(header ${GEOINFLUENCER_HEADERS})
  get_filename_component(name ${header} NAME)
  configure_file(${header} ${CMAKE_CURRENT_BINARY_DIR}/include/geoinfluencer/${name} COPYONLY)
endforeach()
foreach(target ${GEOINFLUENCER_TARGETS})
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${CMAKE_CURRENT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()

if(NOT GEOINFLUENCER_INSTALL)
  return()
endif()

set(ops geoinfluencer/ops)
install(TARGETS ${GEOINFLUENCER_TARGETS}
  LIBRARY DESTINATION ${ops} COMPONENT python
  RUNTIME DESTINATION ${ops} COMPONENT python
  ARCHIVE DESTINATION ${ops} COMPONENT python EXCLUDE_FROM_ALL)

set(config ${CMAKE_INSTALL_LIBDIR}/cmake/geoinfluencer)
install(TARGETS ${GEOINFLUENCER_TARGETS} EXPORT geoinfluencer
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cpp EXCLUDE_FROM_ALL
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cpp EXCLUDE_FROM_ALL
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cpp EXCLUDE_FROM_ALL)
install(FILES ${GEOINFLUENCER_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/geoinfluencer
  COMPONENT cpp EXCLUDE_FROM_ALL)
install(EXPORT geoinfluencer NAMESPACE geoinfluencer:: FILE geoinfluencerTargets.cmake
  DESTINATION ${config} COMPONENT cpp EXCLUDE_FROM_ALL)
configure_package_config_file(cmake/geoinfluencerConfig.cmake.in geoinfluencerConfig.cmake
  INSTALL_DESTINATION ${config} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may change a signature; geo_abi_version() says so at run time.
write_basic_package_version_file(geoinfluencerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/geoinfluencerConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/geoinfluencerConfigVersion.cmake
  DESTINATION ${config} COMPONENT cpp EXCLUDE_FROM_ALL)
