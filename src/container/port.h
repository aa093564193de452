/* TCP ports of 127.0.0.1: whether a server may have one, and who has it already. */
#ifndef ROWFERRY_CONTAINER_PORT_H
#define ROWFERRY_CONTAINER_PORT_H

#include <rowferry/str.h>

/* Who is to listen. */
enum rf_port_user {
    RF_PORT_OURS,   /* a process that we start: it may have the ports that we may have */
    RF_PORT_ENGINE, /* an engine of containers, whose rights are not ours */
};

/* Whether it could listen there now. Returns RF_OK; RF_CONFIG: it is taken, and by whom as far as
 * we may know, or we have no right to it. */
RF_USE_RESULT enum rf_status rf_port_check(uint16_t port, enum rf_port_user user,
                                           struct rf_error *err);

/* Fails with RF_CONFIG and the code EADDRINUSE because the port is taken, and says by whom. */
enum rf_status rf_port_taken(uint16_t port, struct rf_error *err) __attribute__((cold));

/* Who listens there: "redis-server (pid 123)". Appends; false: nobody that we may know of. */
bool rf_port_holder(uint16_t port, struct rf_buf *out);

#endif
