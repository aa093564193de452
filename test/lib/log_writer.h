/* Writes a binary log as a MariaDB server would, event by event, for tests of what reads one.
 *
 * Tables have integer columns only, named a, b, c ...; a is the primary key. Bytes go to `log`,
 * from the magic number on; each function adds one event unless it says otherwise. Knows nothing of
 * the code under test: the checksum is its own. */
#ifndef ROWFERRY_TEST_LOG_WRITER_H
#define ROWFERRY_TEST_LOG_WRITER_H

#include <rowferry/str.h>

/* Zeroed is empty. */
struct rf_test_log {
    struct rf_buf log;
    uint32_t server_id; /* 0: 1 */
    uint32_t time;      /* 0: 1700000000 */
    uint8_t xid;        /* of transactions; 0: 7 */
    size_t last;        /* where the last event begins */
};

/* Magic number, format description and GTID_LIST with these GTIDs ("" for none). */
void rf_test_log_begin(struct rf_test_log *log, const char *gtids);
/* Any event, with header and checksum. */
void rf_test_log_event(struct rf_test_log *log, uint8_t type, uint16_t flags, const void *body,
                       size_t size);
/* flags: 0x01 standalone, 0x20 DDL, 0x40 prepared XA, 0x80 completed XA. */
void rf_test_log_gtid(struct rf_test_log *log, uint32_t domain, uint64_t sequence, uint8_t flags);
void rf_test_log_gtid_list(struct rf_test_log *log, const char *gtids);
/* columns: 1 to 8; metadata false leaves names and key out, as binlog_row_metadata=NO_LOG. */
void rf_test_log_table(struct rf_test_log *log, uint64_t id, const char *database, const char *name,
                       unsigned columns, bool metadata);
/* `rows` rows whose columns are first, first + 1, ...; the next row begins at first + 10. */
void rf_test_log_insert(struct rf_test_log *log, uint64_t id, unsigned columns, int32_t first,
                        unsigned rows, bool ends_statement);
void rf_test_log_delete(struct rf_test_log *log, uint64_t id, unsigned columns, int32_t first,
                        bool ends_statement);
void rf_test_log_xid(struct rf_test_log *log);
void rf_test_log_query(struct rf_test_log *log, const char *database, const char *statement);
void rf_test_log_rotate(struct rf_test_log *log, const char *file);
/* A transaction with one row in one table: four events. */
void rf_test_log_row(struct rf_test_log *log, uint64_t sequence, const char *database,
                     const char *name, int32_t first);

/* The event that was added last. */
struct rf_str rf_test_log_last(const struct rf_test_log *log);
/* Takes the event at *offset and moves there behind it; false at the end. Skips the magic
 * number. */
bool rf_test_log_next(const struct rf_test_log *log, size_t *offset, struct rf_str *event);
/* Makes the event at this offset right again after its bytes were changed: size and checksum. */
void rf_test_log_seal(struct rf_test_log *log, size_t offset);
void rf_test_log_deinit(struct rf_test_log *log);

#endif
