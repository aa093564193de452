# make package: a Debian package, build/package/rowferry_VERSION_ARCHITECTURE.deb, by CPack.
#
# What Debian wants of a package beside the files of `make install` is made here: the copyright, the
# changelog, compressed manual pages, and the scripts that run when it is installed and removed (etc/debian).
set(ROWFERRY_MAINTAINER "Rowferry maintainers <maintainers@rowferry.invalid>" CACHE STRING
    "Whom the package names for questions: NAME <ADDRESS>")

set(package ${CMAKE_BINARY_DIR}/generated/package)
foreach(name postinst prerm postrm)
    configure_file(etc/debian/${name} ${package}/${name} COPYONLY)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME rowferry)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${ROWFERRY_MAINTAINER}")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
set(CPACK_PACKAGE_FILE_NAME rowferry)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
    GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/package-files.cmake)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# It loads the first when it is asked for MongoDB, and needs the second to verify certificates.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libmongoc-1.0-0, ca-certificates, libcurl4")
# What tools/servers starts for the container programs; it says which ones are missing.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "mariadb-server-core, mariadb-client, redis-tools, maven, openjdk-17-jre-headless")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "change data capture from MySQL, MariaDB and MongoDB, without loss")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Rowferry reads the binary log of a MySQL or MariaDB server, as a replica
would, or the change streams of a MongoDB, and carries every committed change,
in order and without loss, to MongoDB, Redis, Cassandra, files of JSON lines or
standard output.

It is one small program without a run-time of its own, keeps no table on a
server of MySQL, and goes on after any crash where each destination stands. A
template unit, rowferry@.service, runs a pipeline per file of /etc/rowferry.

The package also has the programs that make private servers on one machine,
to try things with.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${package}/postinst;${package}/prerm;${package}/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_ROWFERRY_SOURCE_DIR ${CMAKE_SOURCE_DIR})
set(CPACK_ROWFERRY_VERSION ${PROJECT_VERSION})
set(CPACK_PROJECT_CONFIG_FILE "")
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
