/* TLS over a socket that somebody else has connected: the client's side.
 *
 * Used by the clients that do their own reading and writing (Redis; others later). The socket is
 * non-blocking; sending and receiving move what can be moved now, and say what to poll for when it
 * is nothing. TLS 1.2 or later. The server's certificate must be signed by one that we trust and
 * must name the host that we asked for, unless that is switched off; nothing here ever goes on in
 * the clear.
 *
 * Zeroed is valid and closed. One thread at a time.
 *
 * Source: RFC 8446 (TLS 1.3), RFC 6066 section 3 (server name), RFC 6125 section 6 (names in
 * certificates). */
#ifndef ROWFERRY_NET_TLS_H
#define ROWFERRY_NET_TLS_H

#include <rowferry/str.h>
#include <stdatomic.h>

struct ssl_st;
struct ssl_ctx_st;

enum rf_tls_mode {
    RF_TLS_AUTO, /* off on loopback, else on */
    RF_TLS_ON,
    RF_TLS_OFF,
};

/* What a person may say about it. Everything is borrowed for the call. */
struct rf_tls_options {
    enum rf_tls_mode mode;
    bool skip_verify;
    const char *ca;   /* PEM, what to trust; NULL or empty: what the system trusts */
    const char *cert; /* PEM, our own, with what it was signed by; NULL or empty: none */
    const char *key;  /* PEM; NULL or empty: in the file of cert */
};

/* "localhost", 127.0.0.0/8, ::1. Names are not looked up. */
bool rf_host_is_loopback(const char *host);
/* True when a connection to that host is to be encrypted. */
bool rf_tls_wanted(const struct rf_tls_options *options, const char *host);

/* Looks whether the files can be used, for a client that leaves the reading of them to a library,
 * which asks for a key's pass phrase at the terminal. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_tls_check_files(const struct rf_tls_options *options,
                                                struct rf_error *err);

struct rf_tls {
    struct ssl_st *session; /* NULL: closed */
    struct ssl_ctx_st *context;
    const char *peer; /* "Redis at host:port", for messages; borrowed until close */
    int fd;           /* borrowed until close */
};

/* Shakes hands over the connected socket. `interrupted` is looked at all the time. peer and fd are
 * borrowed until close; after a failure, too, the caller closes.
 * Returns RF_OK; RF_RETRY (the connection broke, deadline_ms passed on the monotonic clock,
 * interrupted); RF_CONFIG (the other side speaks no TLS, its certificate is not good, or a file of
 * ours cannot be used). */
RF_USE_RESULT enum rf_status rf_tls_connect(struct rf_tls *tls, int fd, const char *host,
                                            const char *peer, const struct rf_tls_options *options,
                                            int64_t deadline_ms, const atomic_bool *interrupted,
                                            struct rf_error *err);

/* Sends what goes without waiting, *moved bytes of it. After RF_AGAIN the same bytes, and as many
 * or more, must be sent next; their place may be another one.
 * Returns RF_OK; RF_AGAIN: nothing went, *events says what to poll for; RF_RETRY: lost; RF_CONFIG:
 * the other side refused our certificate. */
RF_USE_RESULT enum rf_status rf_tls_send(struct rf_tls *tls, struct rf_str data, size_t *moved,
                                         short *events, struct rf_error *err);
/* The same, for at most `size` bytes that have come. */
RF_USE_RESULT enum rf_status rf_tls_receive(struct rf_tls *tls, void *data, size_t size,
                                            size_t *moved, short *events, struct rf_error *err);

/* Says goodbye as far as that goes without waiting. Accepts closed ones; the socket stays open. */
void rf_tls_close(struct rf_tls *tls);

#endif
