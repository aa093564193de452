/* Unix sockets by paths of any length. An address has room for 107 bytes; a longer path is reached
 * through a descriptor of its directory, or of the socket itself, in /proc/self/fd. */
#ifndef ROWFERRY_CONTROL_SOCKET_H
#define ROWFERRY_CONTROL_SOCKET_H

#include <rowferry/str.h>

/* Listens at path, for the owner alone (0600); what lies there is replaced in one step. Returns the
 * socket, which does not block; -1: err says why. */
int rf_socket_listen(const char *path, struct rf_error *err);

/* Connects to the socket at path; neither this nor what is read from it blocks. Returns the socket;
 * -1 with errno: ENOENT, ECONNREFUSED (nobody listens any more), ... */
int rf_control_connect(const char *path);

#endif
