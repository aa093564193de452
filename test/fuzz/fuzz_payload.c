/* A payload: what comes out of it are events, and never more bytes than it says it has. */
#include "wire/binlog.h"
#include "wire/payload.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_payload payload = {0};
    struct rf_str event = RF_STR_NONE;
    struct rf_error err = {0};
    uint64_t bytes = 0;
    unsigned char sum = 0;
    for (int round = 0; round < 2; round++) { /* an instance is used again, whatever came before */
        bytes = 0;
        enum rf_status status =
            rf_payload_open(&payload, (struct rf_str){(const char *)data, size}, &err);
        while (status == RF_OK) {
            status = rf_payload_next(&payload, &event, &err);
            if (status != RF_OK || event.data == NULL) {
                break;
            }
            rf_assert(event.size >= RF_BINLOG_HEADER_SIZE && event.size <= RF_PAYLOAD_EVENT_MAX);
            rf_assert(event.size == rf_binlog_header_event_size(event.data));
            for (size_t i = 0; i < event.size; i++) {
                sum ^= (unsigned char)event.data[i]; /* touches every byte */
            }
            bytes += event.size;
            rf_assert(!payload.compressed || bytes <= payload.size);
        }
        rf_assert(status == RF_OK || (status == RF_FATAL && err.message[0] != '\0'));
        rf_payload_close(&payload);
    }
    rf_payload_deinit(&payload);
    return sum == 0 && bytes == UINT64_MAX; /* 0: sum is looked at, so it is not left out */
}
