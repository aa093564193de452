/* A whole log file: frames, checksums, every event, table maps, rows, and the rows as JSON. The
 * checksums are made right first, or nothing would be reached behind them; the file is walked as
 * it came, too, which is how damage arrives. */
#include "wire/binlog.h"

#include "lib/binlog.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(char *bytes, size_t size)
{
    struct rf_buf out = {0};
    struct rf_error err = {0};
    enum rf_status status = test_binlog_print((struct rf_str){bytes, size}, &out, &err);
    rf_assert(status == RF_OK || status == RF_CONFIG || status == RF_FATAL);
    rf_assert(status == RF_OK || (err.status == status && err.message[0] != '\0'));
    rf_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size ? size : 1);
    rf_assert(bytes != NULL);
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    walk(bytes, size);
    test_binlog_repair(bytes, size);
    walk(bytes, size);
    free(bytes);
    return 0;
}
