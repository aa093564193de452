/* A log in memory, read as a source reads it, and what the assembly hands over as text (source.h
 * says how it looks). For tests of the assembly of transactions. */
#ifndef ROWFERRY_TEST_READING_H
#define ROWFERRY_TEST_READING_H

#include "lib/log_writer.h"
#include "lib/source.h"
#include "source/transaction.h"

enum {
    RF_TEST_STANDALONE = 0x01, /* flags of rf_test_log_gtid */
    RF_TEST_PREPARED_XA = 0x40,
    RF_TEST_COMPLETED_XA = 0x80,
};

/* A transaction with one row, as rf_test_log_row(log, 1, "shop", "t", 1) makes it. */
#define RF_TEST_ONE_ROW "begin 0-1-1\n2.0 create shop.t 1|2\nend 0-1-1\n"

struct rf_test_reading {
    struct rf_test_log log;
    size_t at;
    struct rf_pick pick;
    struct rf_skips skips;
    struct rf_assembly assembly;
    struct rf_batch batch;
    struct rf_buf text;     /* what was handed over */
    struct rf_buf position; /* the last one that was */
    struct rf_error err;
    uint64_t skipped, waived;
    uint32_t batches;
    bool compressed; /* set by the test: rows do not lie in the log as they are */
};

/* Bytes of a transaction that stay in memory, of the readings that begin from now on; 0: as
 * usual. */
extern size_t rf_test_reading_memory_max;

/* patterns and skips are separated by blanks, gtids by commas; "" for none. */
void rf_test_reading_begin(struct rf_test_reading *reading, const char *patterns,
                           const char *gtids);
/* The same of a log of MySQL, before which the transactions 1 to `last` lie. */
void rf_test_reading_begin_mysql(struct rf_test_reading *reading, const char *patterns,
                                 uint64_t last);
void rf_test_reading_skip(struct rf_test_reading *reading, const char *skips);
/* A second one of the same log, behind the first one's position; the server would send it from
 * `at` on. */
void rf_test_reading_resume(struct rf_test_reading *reading, const struct rf_test_reading *from,
                            size_t at);
/* rf_event_finder of it. */
enum rf_status rf_test_reading_find(void *reader, int64_t deadline_ms, struct rf_str *event,
                                    uint64_t *end, struct rf_error *err);
/* One batch. */
enum rf_status rf_test_reading_one(struct rf_test_reading *reading);
/* What the log has by now. Returns RF_AGAIN, or the error. */
enum rf_status rf_test_reading_all(struct rf_test_reading *reading);
/* Everything is read, and this was handed over; aborts otherwise, and shows both. */
void rf_test_reading_expect(struct rf_test_reading *reading, const char *text);
/* It stops with this in its message, and this was handed over before; aborts otherwise. */
void rf_test_reading_expect_stop(struct rf_test_reading *reading, enum rf_status status,
                                 const char *message, const char *text);
void rf_test_reading_end(struct rf_test_reading *reading);

#endif
