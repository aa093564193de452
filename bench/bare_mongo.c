/* bare_mongo HOST PORT ROWS: writes that many rows of the workload bulk to bench.bulk of a MongoDB
 * server, as one would write them with libmongoc: unordered bulks of 1,000 upserts that replace the
 * whole document, each built with libbson.
 *
 * The yardstick of bench/run for the sink mongodb. It has the row ready in memory: only numbers and
 * a few bytes differ from one to the next. Prints one line of JSON: rows and seconds. */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BULK_ROWS = 1000, TEXT_C = 119, TEXT_PAD = 59 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill(char *text, size_t size, uint64_t number)
{
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)('0' + (number >> (i % 8)) % 10);
    }
    text[size] = '\0';
}

/* As rowferry writes that table. */
static bool add_row(mongoc_bulk_operation_t *bulk, const bson_t *upsert, int64_t id,
                    bson_error_t *error)
{
    bson_t filter, document;
    bson_decimal128_t amount;
    char c[TEXT_C + 1], pad[TEXT_PAD + 1];
    fill(c, TEXT_C, (uint64_t)id);
    fill(pad, TEXT_PAD, (uint64_t)id * 7);
    bson_init(&filter);
    bson_init(&document);
    amount.low = (uint64_t)id;
    amount.high = UINT64_C(6174) << 49;
    bool done =
        BSON_APPEND_INT64(&filter, "_id", id) && BSON_APPEND_INT64(&document, "_id", id) &&
        BSON_APPEND_INT64(&document, "id", id) &&
        BSON_APPEND_INT32(&document, "k", (int32_t)(id % 1000000)) &&
        bson_append_utf8(&document, "c", 1, c, TEXT_C) &&
        bson_append_utf8(&document, "pad", 3, pad, TEXT_PAD) &&
        BSON_APPEND_DECIMAL128(&document, "amount", &amount) &&
        BSON_APPEND_DATE_TIME(&document, "created", INT64_C(1709251200000) + id) &&
        bson_append_utf8(&document, "note", 4, "left at the door", 16) &&
        mongoc_bulk_operation_replace_one_with_opts(bulk, &filter, &document, upsert, error);
    bson_destroy(&filter);
    bson_destroy(&document);
    return done;
}

static bool write_rows(mongoc_collection_t *collection, int64_t rows, bson_error_t *error)
{
    bson_t options, upsert, reply;
    bool done = true;
    bson_init(&options);
    bson_init(&upsert);
    BSON_APPEND_BOOL(&options, "ordered", false);
    BSON_APPEND_BOOL(&upsert, "upsert", true);
    for (int64_t id = 1; id <= rows && done;) {
        mongoc_bulk_operation_t *bulk =
            mongoc_collection_create_bulk_operation_with_opts(collection, &options);
        for (int i = 0; i < BULK_ROWS && id <= rows && done; i++) {
            done = add_row(bulk, &upsert, id++, error);
        }
        done = done && mongoc_bulk_operation_execute(bulk, &reply, error) != 0;
        if (done) {
            bson_destroy(&reply);
        }
        mongoc_bulk_operation_destroy(bulk);
    }
    bson_destroy(&options);
    bson_destroy(&upsert);
    return done;
}

int main(int argc, char **argv)
{
    bson_error_t error = {0};
    if (argc != 4) {
        fprintf(stderr, "usage: bare_mongo HOST PORT ROWS\n");
        return EXIT_FAILURE;
    }
    mongoc_init();
    mongoc_uri_t *uri = mongoc_uri_new_for_host_port(argv[1], (uint16_t)strtoul(argv[2], NULL, 10));
    mongoc_client_t *client = mongoc_client_new_from_uri(uri);
    mongoc_write_concern_t *concern = mongoc_write_concern_new();
    mongoc_write_concern_set_wmajority(concern, 10000);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, "bench", "bulk");
    mongoc_collection_set_write_concern(collection, concern);
    int64_t rows = strtoll(argv[3], NULL, 10);
    double start = now_s();
    bool done = write_rows(collection, rows, &error);
    if (done) {
        printf("{\"rows\": %lld, \"seconds\": %.6f}\n", (long long)rows, now_s() - start);
    } else {
        fprintf(stderr, "bare_mongo: %s\n", error.message);
    }
    mongoc_collection_destroy(collection);
    mongoc_write_concern_destroy(concern);
    mongoc_client_destroy(client);
    mongoc_uri_destroy(uri);
    mongoc_cleanup();
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
