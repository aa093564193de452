/* A scripted HTTP server on a Unix socket: answers each request with what the script has for it.
 *
 * The answers are written byte by byte by the test, so that old versions, other engines, and
 * answers that end too early can be had. Requests are kept. Thread: the caller's, beside the
 * server's own. */
#ifndef ROWFERRY_TEST_HTTP_SCRIPT_H
#define ROWFERRY_TEST_HTTP_SCRIPT_H

#include <rowferry/str.h>

struct rf_test_http;

/* What is answered to a request whose line begins with `request` ("GET /version"). */
struct rf_test_http_rule {
    const char *request;
    int code;           /* 0: the connection is cut without an answer */
    const char *body;   /* terminated; with `size` any bytes */
    size_t size;        /* 0: as long as body is */
    const char *header; /* one more line of the head, without its end; NULL: none */
    size_t cut;         /* the connection ends when so many bytes of the body are sent; 0: never */
};

/* Listens at a path of its own; the rules are borrowed, ended by one without a request. The first
 * that fits answers; a request that none fits is answered 501. */
struct rf_test_http *rf_test_http_start(const struct rf_test_http_rule *rules);
/* "unix:///tmp/.../socket". */
const char *rf_test_http_address(const struct rf_test_http *http);
/* Other rules from the next request on. */
void rf_test_http_teach(struct rf_test_http *http, const struct rf_test_http_rule *rules);
/* The requests so far, each as "METHOD PATH BODY\n". Valid until the next call. */
const char *rf_test_http_requests(struct rf_test_http *http);
/* Stops listening, and removes the socket. */
void rf_test_http_stop(struct rf_test_http *http);

#endif
