# The tests. Each file is one test; adding the file is all there is to do.
#
#   test/unit/<room>/test_<noun>.c   unit/<room>/<noun>    linked with that room and what it may use
#   test/contract/test_<noun>.c      contract/<noun>       linked with everything; sinks one by one
#   test/fault/test_<noun>.c         fault/<noun>          linked with everything
#   test/lent/test_<noun>.c          lent/<noun>           the same, on servers that somebody lends: never
#                                                          part of `check`; each says what it needs
#   test/fuzz/fuzz_<noun>.c          fuzz/<noun>           replays test/fuzz/corpus/<noun>/*
#   test/integration/test_<noun>.sh  integration/<noun>    a story with real servers
#   test/fault/test_<noun>.sh        fault/<noun>          the same, with something killed
#
# In a sanitized tree the names end in @asan or @tsan. Labels: the kind, and `check` on those that
# belong to `make check` in this tree (the target `check_tests` builds exactly these).
#
# A story may say, in a comment line of its own near its top:
#   # story: serial           nothing else runs beside it
#   # story: asan             ROWFERRY is the program of the ASan tree, where there is one
#   # story: timeout 240      seconds at 1/20 of the rows (default 180); those that need longer begin
#                             first

find_program(SYMBOLIZER NAMES llvm-symbolizer-14 llvm-symbolizer)
add_custom_target(check_tests)

set(suffix "")
set(checked_kinds "none")                        # the C tests that `make check` runs in this tree
set(unit_rooms_checked "")
if(ROWFERRY_SANITIZE STREQUAL "address")
    set(suffix "@asan")
    set(checked_kinds "unit|contract|fuzz|fault")
    set(unit_rooms_checked ".*")
elseif(ROWFERRY_SANITIZE STREQUAL "thread")
    set(suffix "@tsan")
    set(checked_kinds "unit") # plugins have no threads: the contract's tests would show nothing here
    set(unit_rooms_checked "base|engine|checkpoint|schedule")
endif()

set(test_environment
    "ROWFERRY_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
    "ROWFERRY_BUILD_DIR=${CMAKE_BINARY_DIR}"
    "MONGOC_DISABLE_SHM=1" # else each test that is killed leaves a file in /dev/shm
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")
if(SYMBOLIZER)
    list(APPEND test_environment "ASAN_SYMBOLIZER_PATH=${SYMBOLIZER}")
endif()

# Helpers and tests that are called mongo* stand on libmongoc.
rf_pkg(libmongoc-1.0)
file(GLOB test_lib_sources CONFIGURE_DEPENDS test/lib/*.c)
if(NOT libmongoc-1.0_target)
    list(FILTER test_lib_sources EXCLUDE REGEX "/mongo[^/]*\\.c$")
    message(STATUS "left out: tests with MongoDB, for want of libmongoc-1.0")
endif()
if(test_lib_sources)
    add_library(rf_test STATIC EXCLUDE_FROM_ALL ${test_lib_sources})
    target_include_directories(rf_test PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
        ${CMAKE_SOURCE_DIR}/test)
    target_link_libraries(rf_test PUBLIC ${libmongoc-1.0_library})
endif()

rf_pkg(cmocka)
if(NOT cmocka_target)
    message(STATUS "cmocka is missing: no unit and contract tests (make check installs it)")
endif()

# rf_test_label(NAME KIND TIMEOUT ROOM [TARGET])
function(rf_test_label name kind timeout room)
    set(labels ${kind})
    if(kind MATCHES "^(${checked_kinds})$")
        if(NOT kind STREQUAL "unit" OR room MATCHES "^(${unit_rooms_checked})$")
            list(APPEND labels check)
        endif()
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout}
        ENVIRONMENT "${test_environment}")
    if(ARGC GREATER 4 AND "check" IN_LIST labels)
        add_dependencies(check_tests ${ARGV4})
    endif()
endfunction()

# rf_test_program(TARGET SOURCE LIBRARY...): a C test, built with the test helpers.
function(rf_test_program target source)
    add_executable(${target} ${source})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
        ${CMAKE_SOURCE_DIR}/test)
    target_compile_definitions(${target} PRIVATE ROWFERRY_TEST_DIR="${CMAKE_SOURCE_DIR}/test")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    if(TARGET rf_test)
        target_link_libraries(${target} PRIVATE rf_test)
    endif()
    target_link_libraries(${target} PRIVATE ${ARGN})
endfunction()

# rf_test_libraries(ROOM SOURCE OUT): what this test of this room is linked with: the room, or
# everything when the test or the room asks the registry, which names every plugin.
function(rf_test_libraries room source out)
    set(${out} rf_${room} PARENT_SCOPE)
    if(room STREQUAL "cli")
        return() # it has everything with it
    endif()
    file(GLOB sources src/${room}/*.c)
    foreach(used IN LISTS ${room}_uses)
        if(NOT used MATCHES "^(base|event|checkpoint|engine)$")
            file(GLOB more src/${used}/*.c)
            list(APPEND sources ${more})
        endif()
    endforeach()
    if(NOT "engine" IN_LIST ${room}_uses AND NOT room MATCHES "^(engine|web|cli)$")
        return()
    elseif(room STREQUAL "engine")
        set(sources "")
    endif()
    foreach(path IN LISTS sources ITEMS ${source})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
        file(STRINGS ${path} asks REGEX "^#include +\"engine/registry\\.h\"")
        if(asks)
            set(${out} rf_everything PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

if(cmocka_target)
    file(GLOB unit_sources CONFIGURE_DEPENDS test/unit/*/test_*.c)
    foreach(source IN LISTS unit_sources)
        string(REGEX REPLACE ".*/unit/([^/]+)/test_([^/]+)\\.c$" "\\1;\\2" words ${source})
        list(GET words 0 room)
        list(GET words 1 noun)
        if(NOT TARGET rf_${room})
            message(STATUS "left out: unit/${room}/${noun}, there is no room src/${room}")
            continue()
        endif()
        string(REGEX REPLACE "_.*" "" plugin ${noun})
        if(noun IN_LIST ${room}_left_out OR plugin IN_LIST ${room}_left_out)
            message(STATUS "left out: unit/${room}/${noun}, as what it tests")
            continue()
        endif()
        rf_test_libraries(${room} ${source} libraries)
        rf_test_program(test_${room}_${noun} ${source} ${libraries} ${cmocka_target})
        set(name unit/${room}/${noun}${suffix})
        add_test(NAME ${name} COMMAND test_${room}_${noun})
        rf_test_label(${name} unit 60 ${room} test_${room}_${noun})
    endforeach()

    if(TARGET rf_everything)
        foreach(kind contract fault lent)
            file(GLOB sources CONFIGURE_DEPENDS test/${kind}/test_*.c)
            if(NOT libmongoc-1.0_target)
                list(FILTER sources EXCLUDE REGEX "/test_mongo[^/]*\\.c$")
            endif()
            foreach(source IN LISTS sources)
                string(REGEX REPLACE ".*/test_([^/]+)\\.c$" "\\1" noun ${source})
                rf_test_program(test_${kind}_${noun} ${source} rf_everything ${cmocka_target})
                if(kind STREQUAL "contract" AND noun STREQUAL "sinks")
                    # One by one, so that they run side by side, and the slowest first.
                    foreach(sink IN LISTS sinks_here)
                        set(name ${kind}/${noun}/${sink}${suffix})
                        add_test(NAME ${name} COMMAND test_${kind}_${noun} ${sink})
                        rf_test_label(${name} ${kind} 240 "" test_${kind}_${noun})
                        set_tests_properties(${name} PROPERTIES COST 100)
                    endforeach()
                    continue()
                endif()
                set(name ${kind}/${noun}${suffix})
                add_test(NAME ${name} COMMAND test_${kind}_${noun})
                rf_test_label(${name} ${kind} 240 "" test_${kind}_${noun})
            endforeach()
        endforeach()
    endif()
endif()

# A fuzz target is linked with the rooms whose headers it includes.
file(GLOB fuzz_sources CONFIGURE_DEPENDS test/fuzz/fuzz_*.c)
foreach(source IN LISTS fuzz_sources)
    string(REGEX REPLACE ".*/fuzz_([^/]+)\\.c$" "\\1" noun ${source})
    file(STRINGS ${source} includes REGEX "^#include +\"[a-z]+/")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    set(libraries "")
    set(absent "")
    foreach(line IN LISTS includes)
        string(REGEX REPLACE "^#include +\"([a-z]+)/.*" "\\1" room "${line}")
        if(room IN_LIST rooms AND TARGET rf_${room})
            rf_test_libraries(${room} ${source} library)
            list(APPEND libraries ${library})
        elseif(room IN_LIST rooms)
            set(absent ${room})
        endif()
    endforeach()
    if(absent)
        message(STATUS "left out: fuzz/${noun}, there is no room src/${absent}")
        continue()
    endif()
    list(REMOVE_DUPLICATES libraries)
    if("rf_everything" IN_LIST libraries)
        set(libraries rf_everything)
    endif()
    if(ROWFERRY_FUZZ)
        rf_test_program(fuzz_${noun} ${source} ${libraries})
        target_link_options(fuzz_${noun} PRIVATE -fsanitize=fuzzer)
    endif()
    rf_test_program(replay_${noun} ${source} ${libraries})
    target_sources(replay_${noun} PRIVATE test/fuzz/replay.c)
    set(name fuzz/${noun}${suffix})
    add_test(NAME ${name} COMMAND replay_${noun} ${CMAKE_SOURCE_DIR}/test/fuzz/corpus/${noun})
    rf_test_label(${name} fuzz 60 "" replay_${noun})
endforeach()

# Stories. Their scale and patience depend on ROWFERRY_SCALE at the time they run, not at that of the
# configure, so they stand in a file that ctest reads. They belong to the plain tree.
if(NOT ROWFERRY_SANITIZE)
    set(stories [[
if("$ENV{ROWFERRY_SCALE}" STREQUAL "")
    set(scale 20)
else()
    set(scale $ENV{ROWFERRY_SCALE})
endif()
]])
    foreach(kind integration fault)
        file(GLOB sources CONFIGURE_DEPENDS test/${kind}/test_*.sh)
        foreach(source IN LISTS sources)
            string(REGEX REPLACE ".*/test_([^/]+)\\.sh$" "\\1" noun ${source})
            set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
            file(STRINGS ${source} wishes REGEX "^# story: ")
            set(timeout 180)
            set(serial OFF)
            set(program ${CMAKE_BINARY_DIR}/rowferry)
            foreach(wish IN LISTS wishes)
                if(wish MATCHES "^# story: timeout ([0-9]+)$")
                    set(timeout ${CMAKE_MATCH_1})
                elseif(wish STREQUAL "# story: serial")
                    set(serial ON)
                elseif(wish STREQUAL "# story: asan")
                    if(ROWFERRY_ASAN_BINARY)
                        set(program ${ROWFERRY_ASAN_BINARY})
                    endif()
                else()
                    message(FATAL_ERROR "${source}: unknown wish '${wish}'")
                endif()
            endforeach()
            math(EXPR cost "${timeout} - 180")
            set(environment ${test_environment} ROWFERRY=${program}
                ROWFERRY_ASAN=${ROWFERRY_ASAN_BINARY} "ROWFERRY_SCALE=\${scale}")
            string(APPEND stories "
set(timeout ${timeout})
if(scale LESS 20)
    set(timeout 3600)
endif()
add_test(${kind}/${noun} bash [==[${source}]==])
set_tests_properties(${kind}/${noun} PROPERTIES LABELS \"${kind};check\" RUN_SERIAL ${serial}
    TIMEOUT \${timeout} COST ${cost} ENVIRONMENT \"${environment}\")
")
        endforeach()
    endforeach()
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/stories.cmake CONTENT "${stories}" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${CMAKE_BINARY_DIR}/stories.cmake)
    if(TARGET rowferry)
        add_dependencies(check_tests rowferry programs install_files)
    endif()
elseif(TARGET rowferry AND ROWFERRY_SANITIZE STREQUAL "address")
    add_dependencies(check_tests rowferry)
endif()
