/* TCP ports of 127.0.0.1: whether a server may have one, and who has it already. */
#ifndef ROWFERRY_CONTAINER_PORT_H
#define ROWFERRY_CONTAINER_PORT_H

#include <rowferry/str.h>

/* Whether a server of ours, which never runs as root, could listen there now. Returns RF_OK;
 * RF_CONFIG: it is taken, and by whom as far as we may know, or is for root alone. */
RF_USE_RESULT enum rf_status rf_port_check(uint16_t port, struct rf_error *err);

/* Fails with RF_CONFIG because the port is taken, and says by whom. */
enum rf_status rf_port_taken(uint16_t port, struct rf_error *err) __attribute__((cold));

/* Who listens there: "redis-server (pid 123)". Appends; false: nobody that we may know of. */
bool rf_port_holder(uint16_t port, struct rf_buf *out);

#endif
