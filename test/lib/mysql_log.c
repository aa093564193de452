#include "lib/mysql_log.h"

#include "lib/binlog.h"

#include <stdlib.h>

enum { HEADER = 19, CHECKSUM = 4, TYPES = 42, MAGIC = 4 };

static void put_uuid(struct rf_buf *out)
{
    test_put_hex(out, "11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55");
}

void rf_test_log_previous(struct rf_test_log *log, uint64_t last)
{
    struct rf_buf body = {0};
    test_put(&body, last > 0, 8);
    if (last > 0) {
        put_uuid(&body);
        test_put(&body, 1, 8);
        test_put(&body, 1, 8);
        test_put(&body, last + 1, 8);
    }
    rf_test_log_event(log, 35, 0x80, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_begin_mysql(struct rf_test_log *log, uint64_t last)
{
    struct rf_buf body = {0};
    uint8_t fixed[TYPES + 1] = {
        [2] = 13,  [4] = 8,   [19] = 8,  [23] = 8,  [24] = 8,  [25] = 8,  [26] = 2,
        [30] = 10, [31] = 10, [32] = 10, [33] = 42, [34] = 42, [39] = 10, [40] = 40};
    rf_buf_add_str(&log->log, RF_STR("\xfe\x62\x69\x6e"));
    test_put(&body, 4, 2);
    rf_buf_add_str(&body, RF_STR("9.7.4-test"));
    while (body.size < 52) {
        test_put(&body, 0, 1);
    }
    test_put(&body, 0, 4);
    test_put(&body, HEADER, 1);
    rf_buf_add(&body, fixed + 1, TYPES);
    test_put(&body, 1, 1);
    rf_test_log_event(log, 15, 0, body.data, body.size);
    rf_buf_deinit(&body);
    rf_test_log_previous(log, last);
}

void rf_test_log_mysql_gtid(struct rf_test_log *log, uint64_t number, uint64_t commit_us)
{
    struct rf_buf body = {0};
    test_put(&body, 0, 1);
    if (number > 0) {
        put_uuid(&body);
    } else {
        test_put(&body, 0, 8);
        test_put(&body, 0, 8);
    }
    test_put(&body, number, 8);
    test_put(&body, 2, 1);
    test_put(&body, 0, 8);
    test_put(&body, 1, 8);
    if (commit_us > 0) {
        test_put(&body, commit_us, 7);
    }
    rf_test_log_event(log, number > 0 ? 33 : 34, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_tagged_gtid(struct rf_test_log *log, const char *tag, uint8_t number)
{
    struct rf_buf body = {0};
    /* Version, size, no field that is needed; flags; the UUID, of whose bytes those below 0x80 take
     * one byte, doubled. */
    test_put_hex(&body, "02 00 00 00 00 02 22 22 22 22 44 44 66 66 88 88 aa aa aa aa aa aa 04");
    test_put(&body, (uint64_t)number << 2, 1);
    test_put(&body, 6, 1);
    test_put(&body, strlen(tag) << 1, 1);
    rf_buf_add(&body, tag, strlen(tag));
    rf_test_log_event(log, 42, 0, body.data, body.size);
    rf_buf_deinit(&body);
}

void rf_test_log_mysql_row(struct rf_test_log *log, uint64_t number, const char *database,
                           const char *name, int32_t first)
{
    rf_test_log_mysql_gtid(log, number, 0);
    rf_test_log_query(log, database, "BEGIN");
    rf_test_log_table(log, 20, database, name, 2, true);
    rf_test_log_insert(log, 20, 2, first, 1, true);
    rf_test_log_xid(log);
}

void rf_test_log_pack(struct rf_test_log *log, size_t offset)
{
    struct rf_buf plain = {0}, body = {0};
    struct rf_str event;
    for (size_t at = offset; rf_test_log_next(log, &at, &event);) {
        size_t begin = plain.size, size = event.size - CHECKSUM;
        rf_buf_add(&plain, event.data, size);
        for (size_t i = 0; i < 4; i++) {
            plain.data[begin + 9 + i] = (char)(size >> (8 * i));
            plain.data[begin + 13 + i] = 0; /* where it ends in the log */
        }
    }
    log->log.size = offset;
    test_put_hex(&body, "02 03 fc ff 00 01");
    struct rf_buf size = {0};
    test_put_packed(&size, plain.size);
    test_put(&body, size.size, 1);
    rf_buf_add_str(&body, rf_buf_str(&size));
    test_put(&body, 0, 1);
    rf_buf_add_str(&body, rf_buf_str(&plain));
    rf_test_log_event(log, 40, 0, body.data, body.size);
    rf_buf_deinit(&size);
    rf_buf_deinit(&plain);
    rf_buf_deinit(&body);
}

void rf_test_log_xa_prepare(struct rf_test_log *log, bool one_phase)
{
    struct rf_buf body = {0};
    test_put(&body, one_phase, 1);
    test_put(&body, 1, 4);
    test_put(&body, 1, 4);
    test_put(&body, 0, 4);
    test_put(&body, 'a', 1);
    rf_test_log_event(log, 38, 0, body.data, body.size);
    rf_buf_deinit(&body);
}
