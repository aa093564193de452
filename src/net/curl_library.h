/* libcurl, loaded when the first request is made: with all that it brings along it would cost every
 * start of the program some milliseconds.
 *
 * Used by net/http.c alone. */
#ifndef ROWFERRY_NET_CURL_LIBRARY_H
#define ROWFERRY_NET_CURL_LIBRARY_H

#include <curl/curl.h>
#include <rowferry/error.h>

/* The functions that we call, without their "curl_". */
#define RF_CURL_LIBRARY(X) \
    X(easy_cleanup)        \
    X(easy_getinfo)        \
    X(easy_init)           \
    X(easy_perform)        \
    X(easy_reset)          \
    X(easy_setopt)         \
    X(easy_strerror)       \
    X(global_init)         \
    X(slist_append)        \
    X(slist_free_all)

struct rf_curl_library {
#define RF_CURL_LIBRARY_MEMBER(name) __typeof__(curl_##name) *name;
    RF_CURL_LIBRARY(RF_CURL_LIBRARY_MEMBER)
#undef RF_CURL_LIBRARY_MEMBER
};

/* rf_curl.easy_init() is curl_easy_init(), once rf_curl_library_load has returned RF_OK. */
extern struct rf_curl_library rf_curl;

/* Loads it and sets it up, the first time. Returns RF_OK; RF_CONFIG: this machine has none that
 * fits. Thread: any. */
RF_USE_RESULT enum rf_status rf_curl_library_load(struct rf_error *err);

#endif
