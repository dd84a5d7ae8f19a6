# How our own code is compiled, and llmr_add_library().
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# For the machine at hand unless ggml is built for others too.
if(DEFINED GGML_NATIVE)
  set(native_default "${GGML_NATIVE}")
else()
  set(native_default ON)
endif()
option(LLMR_NATIVE "Compile for the machine at hand (follows GGML_NATIVE)" ${native_default})
set(LLMR_SANITIZE "" CACHE STRING "Sanitizers for our code, as -fsanitize= takes them: address,undefined or thread")

add_library(llmr_flags INTERFACE)
target_include_directories(llmr_flags INTERFACE "${LLMR_INCLUDE_ROOT}")
target_compile_options(llmr_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(llmr_flags INTERFACE -Wno-restrict)  # "text" + string raises a false alarm in g++ 12
endif()
if(LLMR_NATIVE)
  target_compile_options(llmr_flags INTERFACE -march=native)
endif()
if(LLMR_SANITIZE)
  target_compile_options(llmr_flags INTERFACE "-fsanitize=${LLMR_SANITIZE}" -fno-sanitize-recover=all
                                              -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS)
  # Instrumented code confuses g++'s flow analysis: its own intrinsics then look uninitialised.
  target_compile_options(llmr_flags INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized)
  target_link_options(llmr_flags INTERFACE "-fsanitize=${LLMR_SANITIZE}")
endif()
find_package(Threads REQUIRED)
target_link_libraries(llmr_flags INTERFACE Threads::Threads)

# llmr_add_library(<folder> SOURCES <file>… DEPENDS <library>…): the static library llmr_<folder>, also called
# llmr::<folder>; headers only where there are no sources. DEPENDS names the layers that it may include.
function(llmr_add_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(ARG_SOURCES)
    add_library(llmr_${folder} STATIC ${ARG_SOURCES})
    target_link_libraries(llmr_${folder} PUBLIC llmr_flags ${ARG_DEPENDS})
  else()
    add_library(llmr_${folder} INTERFACE)
    target_link_libraries(llmr_${folder} INTERFACE llmr_flags ${ARG_DEPENDS})
  endif()
  add_library(llmr::${folder} ALIAS llmr_${folder})
endfunction()
