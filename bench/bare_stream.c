/* bare_stream HOST PORT EVENTS: reads that many events of the change stream of bench.bulk, as one
 * would with libmongoc, and looks at nothing but how many there were.
 *
 * The yardstick of bench/run for the source mongodb. */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>

enum { BEGINNING = 1763830000 /* of the scripted server's clock */ };

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: bare_stream HOST PORT EVENTS\n");
        return 1;
    }
    mongoc_init();
    long left = strtol(words[3], NULL, 10);
    bson_error_t error = {0};
    const bson_t *event, *reply;
    bson_t pipeline = BSON_INITIALIZER, options = BSON_INITIALIZER;
    BSON_APPEND_TIMESTAMP(&options, "startAtOperationTime", BEGINNING, 1);
    mongoc_uri_t *uri =
        mongoc_uri_new_for_host_port(words[1], (uint16_t)strtoul(words[2], NULL, 10));
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, true);
    mongoc_client_t *client = mongoc_client_new_from_uri(uri);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, "bench", "bulk");
    mongoc_change_stream_t *stream = mongoc_collection_watch(collection, &pipeline, &options);
    while (left > 0 && mongoc_change_stream_next(stream, &event)) {
        left--;
    }
    if (mongoc_change_stream_error_document(stream, &error, &reply)) {
        fprintf(stderr, "bare_stream: %s\n", error.message);
    }
    mongoc_change_stream_destroy(stream);
    mongoc_collection_destroy(collection);
    mongoc_client_destroy(client);
    mongoc_uri_destroy(uri);
    bson_destroy(&pipeline);
    bson_destroy(&options);
    mongoc_cleanup();
    return left == 0 ? 0 : 1;
}
