# Run by CPack between the staging of the files and the making of the archive (cmake/package.cmake): what
# Debian's policy asks for beside them.
#
# Source: Debian Policy 4.6, 12.1 (manual pages), 12.5 (copyright and licenses), 12.7 (changelogs).
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(documents ${root}/usr/share/doc/rowferry)
if(NOT EXISTS ${documents})
    message(FATAL_ERROR "cmake/package-files.cmake: nothing was staged in ${root}")
endif()

# As old as the source, so that the same source makes the same package.
set(epoch $ENV{SOURCE_DATE_EPOCH})
if(epoch STREQUAL "")
    message(FATAL_ERROR "set SOURCE_DATE_EPOCH, as 'make package' does")
endif()

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "failed: ${ARGN}")
    endif()
endfunction()

# The license is one of those that each Debian has; the README's link to it goes on to that one.
file(REMOVE ${documents}/LICENSE)
file(CREATE_LINK ../../common-licenses/Apache-2.0 ${documents}/LICENSE SYMBOLIC)

configure_file(${CPACK_ROWFERRY_SOURCE_DIR}/etc/debian/copyright ${documents}/copyright COPYONLY)
execute_process(COMMAND date -u -R -d @${epoch} OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE)
file(WRITE ${documents}/changelog "rowferry (${CPACK_ROWFERRY_VERSION}) unstable; urgency=medium

  * See /usr/share/doc/rowferry/CHANGELOG.md.gz

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
configure_file(${CPACK_ROWFERRY_SOURCE_DIR}/etc/debian/lintian-overrides
    ${root}/usr/share/lintian/overrides/rowferry COPYONLY)
file(GLOB pages ${root}/usr/share/man/*/*)
run(gzip -9nf ${pages} ${documents}/changelog ${documents}/CHANGELOG.md)
file(MAKE_DIRECTORY ${root}/etc/rowferry)
run(chmod 755 ${root}/etc ${root}/etc/rowferry)
run(chmod 644 ${documents}/changelog.gz ${documents}/copyright
    ${root}/usr/share/lintian/overrides/rowferry)
run(chmod 755 ${root}/usr/share/lintian ${root}/usr/share/lintian/overrides)
