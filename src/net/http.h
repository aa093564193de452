/* HTTP over a Unix socket or TCP, one request at a time.
 *
 * Used for the API of engines of containers. Knows nothing of what is asked for. Answers are read
 * whole, up to RF_HTTP_ANSWER_MAX bytes, or handed on line by line where they are streams. Nothing
 * is followed, cached or repeated; proxies of the environment are not used.
 *
 * Thread: one per connection.
 *
 * Source: RFC 9110, RFC 9112. */
#ifndef ROWFERRY_NET_HTTP_H
#define ROWFERRY_NET_HTTP_H

#include <rowferry/error.h>
#include <rowferry/str.h>

enum { RF_HTTP_ANSWER_MAX = 64 << 20 };

/* Zeroed is closed. */
struct rf_http {
    void *handle;          /* libcurl's */
    struct rf_buf address; /* as given, terminated */
    struct rf_buf base;    /* "http://localhost", what paths are added to */
    struct rf_buf socket;  /* terminated; empty: TCP */
};

struct rf_http_request {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char *path;   /* from its first slash on, already encoded */
    const char *type;   /* the body's media type; NULL: no body */
    struct rf_str body;
    int64_t timeout_ms; /* for the whole of it; of a stream: between two pieces of it */
    /* A stream: told each line of an answer of 2xx, without its end; NULL: no stream. Other
     * answers, and what is behind the last line's end, go to the body. False: enough, the rest is
     * not read. */
    bool (*line)(void *argument, struct rf_str line);
    void *argument;
};

struct rf_http_answer {
    long code;          /* 200 ... */
    struct rf_buf body; /* the caller's to give back */
    /* the header named `want`, which the caller set, or empty */
    const char *want;
    struct rf_buf header;
};
void rf_http_answer_deinit(struct rf_http_answer *answer);

/* address: "unix:///run/docker.sock", "tcp://host:2375", "http://host:2375". Contacts nobody.
 * Returns RF_OK; RF_CONFIG: it is none of these, or this machine lacks libcurl. Close it in any
 * case. */
RF_USE_RESULT enum rf_status rf_http_open(struct rf_http *http, const char *address,
                                          struct rf_error *err);

/* Fills the answer, which the caller gives back in any case. Returns RF_OK: there is an answer,
 * whatever its code; RF_RETRY: nobody there (err->connect), gone in the middle, or too slow;
 * RF_CONFIG: no right to the socket (err->access), or no HTTP. */
RF_USE_RESULT enum rf_status rf_http_call(struct rf_http *http,
                                          const struct rf_http_request *request,
                                          struct rf_http_answer *answer, struct rf_error *err);

/* Accepts closed ones. */
void rf_http_close(struct rf_http *http);

/* Appends text as it may stand in a path or a query: all but letters, digits and -._~ as %XX. */
void rf_http_encode(struct rf_buf *out, struct rf_str text);

#endif
