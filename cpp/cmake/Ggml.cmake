# ggml from the package ggml-python, a build requirement: llmr::ggml is the library to link.
#
# Its own CMake package is not used: it records the absolute path of a build environment that is gone after the build. The
# libraries are installed beside the extension instead and found there by RPATH.
execute_process(
  COMMAND
    "${Python_EXECUTABLE}" -c
    "import importlib.metadata as m; print(m.distribution('ggml-python').locate_file('').as_posix())"
  OUTPUT_VARIABLE LLMR_GGML_ROOT
  OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE result)
if(result)
  message(FATAL_ERROR "The Python that builds (${Python_EXECUTABLE}) lacks ggml-python: "
                      "install what [build-system] of pyproject.toml requires, or run `make build`.")
endif()
set(LLMR_GGML_LIBRARY_DIR "${LLMR_GGML_ROOT}/lib")
file(GLOB LLMR_GGML_LIBRARIES CONFIGURE_DEPENDS
     "${LLMR_GGML_LIBRARY_DIR}/${CMAKE_SHARED_LIBRARY_PREFIX}ggml*${CMAKE_SHARED_LIBRARY_SUFFIX}")

add_library(llmr_ggml INTERFACE)
add_library(llmr::ggml ALIAS llmr_ggml)
target_include_directories(llmr_ggml SYSTEM INTERFACE "${LLMR_GGML_ROOT}/include")
target_link_directories(llmr_ggml INTERFACE "${LLMR_GGML_LIBRARY_DIR}")
target_link_libraries(llmr_ggml INTERFACE -lggml -lggml-cpu -lggml-base)

# Asked for on the command line (CMAKE_ARGS), and present in the ggml at hand? pip caches ggml's wheel whatever CMAKE_ARGS
# says, so the two can differ.
foreach(backend CUDA METAL VULKAN)
  string(TOLOWER "${backend}" name)
  set(library "${CMAKE_SHARED_LIBRARY_PREFIX}ggml-${name}${CMAKE_SHARED_LIBRARY_SUFFIX}")
  if(EXISTS "${LLMR_GGML_LIBRARY_DIR}/${library}")
    target_link_libraries(llmr_ggml INTERFACE "-lggml-${name}")
    target_compile_definitions(llmr_ggml INTERFACE "LLMR_GGML_${backend}=1")
  elseif(GGML_${backend})
    message(
      FATAL_ERROR
        "GGML_${backend} is ON but the installed ggml has no ${library}. It was built, or cached by pip, without that "
        "option. Install it again: CMAKE_ARGS=-DGGML_${backend}=ON pip install --no-cache-dir --force-reinstall "
        "ggml-python==0.0.45, or use `make build CMAKE_ARGS=-DGGML_${backend}=ON` (it keeps a cache per value).")
  endif()
endforeach()
