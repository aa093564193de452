/* A TCP connection that is being made, with a deadline and so that it can be interrupted.
 *
 * Used by the clients that do their own reading and writing. Knows nothing of what is spoken. */
#ifndef ROWFERRY_NET_TCP_H
#define ROWFERRY_NET_TCP_H

#include <rowferry/error.h>
#include <stdatomic.h>

enum { RF_TCP_SLICE_MS = 100 /* the longest that an interrupt waits for being seen */ };

/* Connects to the first of the host's addresses that answers. *fd is non-blocking, without delay
 * and with keep-alives, and the caller's to close; it is set with RF_OK only. `peer` is who that
 * is, for messages: "Redis at host:port". Looking up a name cannot be interrupted.
 * Returns RF_OK; RF_RETRY: not reachable until deadline_ms on the monotonic clock, with
 * err->connect, or interrupted. */
RF_USE_RESULT enum rf_status rf_tcp_connect(const char *host, uint16_t port, const char *peer,
                                            int64_t deadline_ms, const atomic_bool *interrupted,
                                            int *fd, struct rf_error *err);

#endif
