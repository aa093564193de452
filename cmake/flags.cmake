# How everything is compiled and linked: the language, the warnings, the hardening, the sanitizers.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

# Empty, not 1: a file that defines it too is then no redefinition.
add_compile_definitions(_GNU_SOURCE=)

add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wconversion
    -Wvla -Wformat-security -Wundef -Wwrite-strings -fno-common)
if(ROWFERRY_WERROR)
    add_compile_options(-Werror)
endif()

# -fPIE and not CMake's -fPIC for the static libraries: nothing here is ever a shared library, and
# under -fPIC no global function is inlined, as another one might take its place.
add_compile_options(-fPIE)
add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
add_compile_options(-fstack-protector-strong)
include(CheckCCompilerFlag)
foreach(flag -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "ROWFERRY_HAS${flag}" has)
    check_c_compiler_flag(${flag} ${has})
    if(${has})
        add_compile_options(${flag})
    endif()
endforeach()

# No path of the machine gets into a program, so that two builds of one source, in two places, are the
# same to the byte. Not with the sanitizers, whose reports are to be read.
if(ROWFERRY_SANITIZE STREQUAL "")
    # A compiler cache may name files by their way from here.
    file(RELATIVE_PATH way ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
    string(REGEX REPLACE "/$" "" way "${way}")
    add_compile_options("-ffile-prefix-map=./=build/" "-ffile-prefix-map=${way}=."
        "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=."
        "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build")
endif()

if(ROWFERRY_SANITIZE STREQUAL "address")
    set(sanitizers address,undefined)
elseif(ROWFERRY_SANITIZE STREQUAL "thread")
    set(sanitizers thread)
elseif(NOT ROWFERRY_SANITIZE STREQUAL "")
    message(FATAL_ERROR "ROWFERRY_SANITIZE is '${ROWFERRY_SANITIZE}': use address, thread or nothing")
endif()

if(ROWFERRY_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "ROWFERRY_FUZZ needs clang: configure with -DCMAKE_C_COMPILER=clang-14")
    endif()
    if(NOT ROWFERRY_SANITIZE STREQUAL "address")
        message(FATAL_ERROR "ROWFERRY_FUZZ needs -DROWFERRY_SANITIZE=address: without it a fuzzer "
            "sees only the bugs that crash by luck")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(sanitizers)
    add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${sanitizers})
else()
    # The sanitizers intercept the same calls, and see more when these are the plain ones.
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
