# The plugin lists. src/<room>/<list>.def holds lines
#
#     RF_PLUGIN(name)
#     RF_PLUGIN(name, pkg-config-module ...)
#
# and may hold C comments. A plugin whose module is not installed, or whose src/<room>/<name>.c does
# not exist, is left out, and the build says so. generated/<list>.def in the build directory has
# RF_PLUGIN(name) for each one in the build and RF_PLUGIN_MISSING(name, "why") for each one left out;
# the registry includes that, so that program, tests and documents all follow the same list.
#
# Sets <list>_here (names in the build), <room>_left_out (names) and <room>_modules (pkg-config
# targets to link) for cmake/rooms.cmake and cmake/tests.cmake.

# rf_pkg(MODULE) finds a pkg-config module once; sets ${MODULE}_target, empty when it is missing. Of
# libmongoc that is its headers and libbson: src/net/mongo_library.c loads it when it is needed. What
# is to be linked with it, tests and a benchmark, takes ${libmongoc-1.0_library}.
function(rf_pkg module)
    string(MAKE_C_IDENTIFIER "RF_PKG_${module}" prefix)
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${module})
    if(${prefix}_FOUND AND module STREQUAL "libmongoc-1.0")
        if(NOT TARGET rf_mongoc_headers)
            pkg_check_modules(RF_PKG_libbson_1_0 REQUIRED QUIET IMPORTED_TARGET libbson-1.0)
            add_library(rf_mongoc_headers INTERFACE)
            target_include_directories(rf_mongoc_headers SYSTEM INTERFACE ${${prefix}_INCLUDE_DIRS})
            target_link_libraries(rf_mongoc_headers INTERFACE PkgConfig::RF_PKG_libbson_1_0
                ${CMAKE_DL_LIBS})
        endif()
        set(${module}_target rf_mongoc_headers PARENT_SCOPE)
        set(${module}_library PkgConfig::${prefix} PARENT_SCOPE)
    elseif(${prefix}_FOUND)
        set(${module}_target PkgConfig::${prefix} PARENT_SCOPE)
    else()
        set(${module}_target "" PARENT_SCOPE)
    endif()
endfunction()

function(rf_plugin_list room list)
    set(path ${CMAKE_SOURCE_DIR}/src/${room}/${list}.def)
    set(out "/* Written by the build from src/${room}/${list}.def. */\n")
    set(left_out "")
    set(here "")
    set(modules_found "")
    set(text "")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    if(EXISTS ${path})
        file(READ ${path} text)
        string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" " " text "${text}")
    endif()
    string(REGEX MATCHALL "RF_PLUGIN\\([^)]*\\)" lines "${text}")
    string(REGEX REPLACE "RF_PLUGIN\\([^)]*\\)" "" rest "${text}")
    string(STRIP "${rest}" rest)
    if(NOT rest STREQUAL "")
        message(FATAL_ERROR "src/${room}/${list}.def: not an RF_PLUGIN(name, module ...) line: ${rest}")
    endif()
    foreach(line IN LISTS lines)
        string(REGEX REPLACE "RF_PLUGIN\\(([^)]*)\\)" "\\1" words "${line}")
        string(REGEX MATCHALL "[^, \t\r\n\"]+" words "${words}")
        list(POP_FRONT words name)
        set(why "")
        if(NOT EXISTS ${CMAKE_SOURCE_DIR}/src/${room}/${name}.c)
            set(why "src/${room}/${name}.c")
        endif()
        set(targets "")
        foreach(module IN LISTS words)
            rf_pkg(${module})
            if(${module}_target)
                list(APPEND targets ${${module}_target})
            else()
                set(why "${module}")
            endif()
        endforeach()
        if(why STREQUAL "")
            string(APPEND out "RF_PLUGIN(${name})\n")
            list(APPEND here ${name})
            list(APPEND modules_found ${targets})
        else()
            message(NOTICE "left out: ${room} '${name}', for want of ${why}")
            string(APPEND out "RF_PLUGIN_MISSING(${name}, \"${why}\")\n")
            list(APPEND left_out ${name})
        endif()
    endforeach()
    # Written only when it differs, so that a configure does not rebuild the registry.
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${list}.def CONTENT "${out}" @ONLY)
    list(REMOVE_DUPLICATES modules_found)
    set(${list}_here "${here}" PARENT_SCOPE)
    set(${room}_left_out "${left_out}" PARENT_SCOPE)
    set(${room}_modules "${modules_found}" PARENT_SCOPE)
endfunction()

rf_plugin_list(source sources)
rf_plugin_list(transform transforms)
rf_plugin_list(format formats)
rf_plugin_list(sink sinks)
rf_plugin_list(container containers)
