# make install [PREFIX=/usr/local] [DESTDIR=]: the program and its manual pages.
include(GNUInstallDirs)
if(TARGET rowferry)
    install(TARGETS rowferry RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
file(GLOB man_pages CONFIGURE_DEPENDS docs/man/*.1)
if(man_pages)
    install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
