/* Compressed values and events: what comes out is as large as it says, and never more than it may
 * be. The first byte says which event it is to be. */
#include "wire/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char sum;

static void touch(struct rf_str bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        sum ^= (unsigned char)bytes.data[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MAX = 1 << 20 };
    struct rf_inflater inflater = {0};
    struct rf_arena arena = {0};
    struct rf_str plain, bytes = {(const char *)data, size};
    struct rf_error err = {0};
    if (rf_inflate_value(&inflater, bytes, MAX, &arena, &plain) == NULL) {
        rf_assert(plain.size <= MAX);
        touch(plain);
    }
    if (size > RF_BINLOG_HEADER_SIZE) {
        struct rf_binlog_header header = {
            .type = (uint8_t)(RF_BINLOG_QUERY_COMPRESSED + data[0] % 7), .size = (uint32_t)size};
        struct rf_str body = {bytes.data + RF_BINLOG_HEADER_SIZE, size - RF_BINLOG_HEADER_SIZE};
        if (rf_inflate_event(&inflater, &header, body, &plain, &err) == RF_OK) {
            rf_assert(plain.size == rf_binlog_header_event_size(plain.data));
            rf_assert(!rf_inflate_is(rf_binlog_header_type(plain.data)));
            touch(plain);
        } else {
            rf_assert(err.message[0] != '\0');
        }
    }
    rf_arena_deinit(&arena);
    rf_inflater_deinit(&inflater);
    return 0;
}
