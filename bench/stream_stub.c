/* stream_stub EVENTS BYTES: the tests' scripted server of the MongoDB protocol, in whose history
 * are so many inserts of bench.bulk, each of a document of about so many bytes.
 *
 * The server of bench/run for the source mongodb. It prints its port when it is ready, and ends at
 * the end of its standard input. */
#include "lib/mongo_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOGETHER = 1000 };

static void insert(struct rf_mongo_script *script, uint64_t first, uint64_t last, size_t bytes)
{
    struct rf_buf json = {0};
    rf_buf_printf(&json, "{\"insert\": \"bulk\", \"documents\": [");
    for (uint64_t number = first; number <= last; number++) {
        rf_buf_printf(&json,
                      "%s{\"_id\": {\"$numberLong\": \"%llu\"}, \"k\": %u, \"amount\": %u.25, "
                      "\"created\": {\"$date\": {\"$numberLong\": \"1763830000123\"}}, \"c\": \"",
                      number > first ? ", " : "", (unsigned long long)number, (unsigned)number,
                      (unsigned)(number % 100000));
        for (size_t i = 0; i < bytes; i++) {
            rf_buf_add_byte(&json, (char)('a' + (i * 7 + number) % 26));
        }
        rf_buf_printf(&json, "\"}");
    }
    rf_buf_printf(&json, "]}");
    free(rf_mongo_script_ask(script, "bench", rf_buf_cstr(&json)));
    rf_buf_deinit(&json);
}

int main(int count, char **words)
{
    char byte;
    uint64_t events, bytes;
    if (count != 3 || !rf_str_to_u64(rf_str_of(words[1]), &events) ||
        !rf_str_to_u64(rf_str_of(words[2]), &bytes)) {
        fprintf(stderr, "usage: stream_stub EVENTS BYTES\n");
        return 1;
    }
    struct rf_mongo_script *script = rf_mongo_script_create(
        &(struct rf_mongo_script_options){.set_name = "rs", .streams = true, .unrecorded = true});
    uint64_t together = bytes > TOGETHER ? 1 : TOGETHER;
    for (uint64_t first = 1; first <= events; first += together) {
        uint64_t last = first + together - 1;
        insert(script, first, last < events ? last : events, bytes);
    }
    printf("%u\n", rf_mongo_script_port(script));
    fflush(stdout);
    while (read(0, &byte, 1) > 0) {
    }
    rf_mongo_script_destroy(script);
    return 0;
}
