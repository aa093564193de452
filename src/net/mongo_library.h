/* libmongoc, loaded when the first connection to MongoDB is made.
 *
 * Used by net/mongo*.c alone. A program that is linked with it has it set up before `main`, whether
 * or not it is used: several milliseconds for the libraries that it brings along, and a file in
 * /dev/shm for its counters, which stays there when the process is killed. */
#ifndef ROWFERRY_NET_MONGO_LIBRARY_H
#define ROWFERRY_NET_MONGO_LIBRARY_H

#include <mongoc/mongoc.h>
#include <rowferry/error.h>

/* The functions that we call, without their "mongoc_". */
#define RF_MONGO_LIBRARY(X)                       \
    X(apm_callbacks_destroy)                      \
    X(apm_callbacks_new)                          \
    X(apm_server_heartbeat_succeeded_get_context) \
    X(apm_server_heartbeat_succeeded_get_host)    \
    X(apm_server_heartbeat_succeeded_get_reply)   \
    X(apm_set_server_heartbeat_succeeded_cb)      \
    X(client_command_simple)                      \
    X(client_destroy)                             \
    X(client_new_from_uri_with_error)             \
    X(client_select_server)                       \
    X(client_set_apm_callbacks)                   \
    X(client_set_error_api)                       \
    X(client_set_stream_initiator)                \
    X(error_has_label)                            \
    X(init)                                       \
    X(log_set_handler)                            \
    X(server_description_destroy)                 \
    X(server_description_hello_response)          \
    X(uri_destroy)                                \
    X(uri_new_with_error)                         \
    X(uri_set_appname)                            \
    X(uri_set_auth_source)                        \
    X(uri_set_option_as_bool)                     \
    X(uri_set_option_as_int32)                    \
    X(uri_set_option_as_utf8)                     \
    X(uri_set_password)                           \
    X(uri_set_username)

struct rf_mongo_library {
#define RF_MONGO_LIBRARY_MEMBER(name) __typeof__(mongoc_##name) *name;
    RF_MONGO_LIBRARY(RF_MONGO_LIBRARY_MEMBER)
#undef RF_MONGO_LIBRARY_MEMBER
};

/* rf_mongoc.init() is mongoc_init(), once rf_mongo_library_load has returned RF_OK. */
extern struct rf_mongo_library rf_mongoc;

/* Loads it and sets it up, the first time. What it logs goes to our log, as debug. Returns RF_OK;
 * RF_CONFIG: this machine has none that fits. Thread: any. */
RF_USE_RESULT enum rf_status rf_mongo_library_load(struct rf_error *err);

#endif
