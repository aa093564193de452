# make install [PREFIX=/usr/local] [DESTDIR=]: the programs, their manual pages, documents and
# completions, a sample configuration, the service manager's unit, the list of what they are made with,
# and the scripts by which the container programs start servers. See docs/operating.md, "Installing".
#
# What depends on the place of installation is written when it is installed, since
# `cmake --install --prefix` may name another one than the configure did.
include(GNUInstallDirs)
if(NOT TARGET rowferry)
    return()
endif()

set(installed_programs rowferry)
foreach(source IN LISTS programs)
    get_filename_component(name ${source} NAME_WE)
    list(APPEND installed_programs ${name})
endforeach()
install(TARGETS ${installed_programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

if(programs)
    # Where the programs look for it: beside their own directory (src/container/native.c).
    set(libexec libexec/rowferry)
    install(PROGRAMS tools/servers tools/packages tools/mysql-tree DESTINATION ${libexec})
    foreach(server mongo cassandra)
        if(EXISTS ${CMAKE_SOURCE_DIR}/tools/${server})
            install(DIRECTORY tools/${server} DESTINATION ${libexec}
                FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
        endif()
    endforeach()
endif()

# ---- Documents ----------------------------------------------------------------------------------

foreach(section 1 5)
    file(GLOB man_pages CONFIGURE_DEPENDS docs/man/*.${section})
    if(man_pages)
        install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endif()
endforeach()
set(documents ${CMAKE_INSTALL_DATAROOTDIR}/doc/rowferry)
file(GLOB pages CONFIGURE_DEPENDS docs/*.md)
install(FILES ${pages} DESTINATION ${documents}/docs)
install(FILES README.md ARCHITECTURE.md STYLE.md CHANGELOG.md SECURITY.md LICENSE Containerfile
    DESTINATION ${documents})
install(FILES bench/RESULTS.md DESTINATION ${documents}/bench)
install(FILES etc/rowferry.yaml DESTINATION ${documents}/examples)
install(FILES etc/rowferry.yaml DESTINATION ${documents}/etc) # where the pages look for it

# ---- What the programs say themselves -----------------------------------------------------------

# `ninja install_files`, which `make install` and the package ask for; a build alone needs none of it.
set(generated ${CMAKE_BINARY_DIR}/generated)
set(program_files "")
foreach(name IN LISTS installed_programs)
    list(APPEND program_files $<TARGET_FILE:${name}>)
    foreach(shell bash zsh fish)
        set(to ${generated}/completions/${shell}/${name})
        add_custom_command(OUTPUT ${to} VERBATIM
            COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}/completions/${shell}
            COMMAND ${name} completions ${shell} > ${to}.new
            COMMAND ${CMAKE_COMMAND} -E rename ${to}.new ${to}
            DEPENDS ${name} COMMENT "What ${shell} completes ${name} with")
        list(APPEND completions ${to})
    endforeach()
    install(FILES ${generated}/completions/bash/${name}
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
    install(FILES ${generated}/completions/fish/${name} RENAME ${name}.fish
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d)
endforeach()

set(sbom ${generated}/rowferry.spdx.json)
add_custom_command(OUTPUT ${sbom} VERBATIM
    COMMAND ${CMAKE_SOURCE_DIR}/tools/sbom ${PROJECT_VERSION} ${program_files} > ${sbom}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${sbom}.new ${sbom}
    DEPENDS ${installed_programs} ${CMAKE_SOURCE_DIR}/tools/sbom
    COMMENT "The list of what the programs are made with")
install(FILES ${sbom} DESTINATION ${documents})
add_custom_target(install_files DEPENDS ${completions} ${sbom})

# ---- What knows the place -----------------------------------------------------------------------

install(CODE "
    set(bindir \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR})
    configure_file(${CMAKE_SOURCE_DIR}/etc/rowferry@.service.in ${generated}/rowferry@.service @ONLY)
    file(INSTALL ${generated}/rowferry@.service
        DESTINATION \${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
    # Debian keeps the second place for its packages, and looks for those of /usr in no other.
    set(zsh ${CMAKE_INSTALL_DATAROOTDIR}/zsh/site-functions)
    if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\" AND EXISTS /etc/debian_version)
        set(zsh ${CMAKE_INSTALL_DATAROOTDIR}/zsh/vendor-completions)
    endif()
    foreach(name ${installed_programs})
        file(INSTALL ${generated}/completions/zsh/\${name}
            DESTINATION \${CMAKE_INSTALL_PREFIX}/\${zsh} RENAME _\${name})
    endforeach()
")

include(cmake/package.cmake)
