/* The sockets that libmongoc reads from and writes to.
 *
 * Used by net/mongo.c alone. A stream connects, shakes hands where TLS is wanted, and moves bytes;
 * its waits look at the connection's `interrupted`, end after its silence limit, and leave in
 * `broken` what happened, in words for people. A stream that broke is of no use any more.
 *
 * Source: libmongoc's mongoc-stream.h, mongoc_client_set_stream_initiator. */
#ifndef ROWFERRY_NET_MONGO_STREAM_H
#define ROWFERRY_NET_MONGO_STREAM_H

#include "net/mongo.h"

struct _mongoc_stream_t;
struct _mongoc_uri_t;
struct _mongoc_host_list_t;

/* A mongoc_stream_initiator_t; user_data is the struct rf_mongo. Once mongo->tls is NULL it refuses
 * to connect. */
struct _mongoc_stream_t *rf_mongo_stream_create(const struct _mongoc_uri_t *uri,
                                                const struct _mongoc_host_list_t *host,
                                                void *user_data, bson_error_t *error);

#endif
