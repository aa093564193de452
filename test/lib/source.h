/* A source under test, driven as the engine does, and what it hands over as text.
 *
 * One line each:
 *
 *   begin 0-1-7                          a transaction begins here
 *   1.0 create shop.orders 1|tea         ordinal.row, operation, table, values
 *   2.0 update shop.orders 1|tea > 1|coffee
 *   3.0 truncate shop.orders
 *   1.0 ddl shop/orders ALTER TABLE ...  default database / table, statement
 *   end 0-1-7                            its last event lies before
 *
 * "begin" is missing where a transaction goes on from the batch before, "end" where it goes on in
 * the next one. NULL is printed as NULL, what the log does not say as ?. */
#ifndef ROWFERRY_TEST_SOURCE_H
#define ROWFERRY_TEST_SOURCE_H

#include "lib/plugin.h"

#include <pthread.h>

enum { RF_TEST_SOURCE_LISTS = 4 };
struct rf_test_list {
    struct rf_list list;
    char *text;
};

/* Zeroed but for type and settings is ready to be opened. */
struct rf_test_source {
    const struct rf_source_type *type;
    const struct rf_test_setting *settings; /* ends with a NULL name; lists have commas */
    const char *from;                       /* NULL: none */
    size_t batch_bytes_max;                 /* 0: 1 MiB */
    uint32_t feed;
    bool whole; /* as with a sink that holds the last state */

    void *state; /* NULL: closed */
    /* held while the state is taken away or interrupted; zeroed is PTHREAD_MUTEX_INITIALIZER */
    pthread_mutex_t guard;
    struct rf_context ctx;
    struct rf_test_list lists[RF_TEST_SOURCE_LISTS]; /* of the settings */
    uint32_t list_count;
    struct rf_buf position; /* the last one that was handed over; survives close */
    struct rf_batch batch;
    bool ended;         /* batch.end came */
    uint64_t currents;  /* how often batch.current came */
    bool quiet;         /* print nothing, only count */
    struct rf_buf text; /* what was handed over since it was last emptied */
    uint64_t transactions, events, batches, skipped, waived, gone;
};

/* With a fresh instance, behind `position` or where `from` says. After a failure it is closed. */
RF_USE_RESULT enum rf_status rf_test_source_open(struct rf_test_source *source,
                                                 struct rf_error *err);
/* One read of at most wait_ms; what came is printed, position moved. Batches that hold nothing but
 * `current` are counted, and read over. */
RF_USE_RESULT enum rf_status rf_test_source_read(struct rf_test_source *source, int64_t wait_ms,
                                                 struct rf_error *err);
/* Reads until the text has `part` in it, or an error comes (it is returned), or limit_ms have
 * passed (aborts, and shows what came). */
RF_USE_RESULT enum rf_status rf_test_source_until(struct rf_test_source *source, const char *part,
                                                  int64_t limit_ms, struct rf_error *err);
/* Reads until an error, the end of a file (RF_OK) or nothing for quiet_ms (RF_AGAIN). */
RF_USE_RESULT enum rf_status rf_test_source_drain(struct rf_test_source *source, int64_t quiet_ms,
                                                  struct rf_error *err);
void rf_test_source_close(struct rf_test_source *source);
/* Interrupts it as the engine does: never one that is being closed, or is closed. Thread: any. */
void rf_test_source_interrupt(struct rf_test_source *source);
/* Closes it and forgets everything. */
void rf_test_source_deinit(struct rf_test_source *source);

/* Appends the batch as text. */
void rf_test_batch_print(struct rf_buf *out, const struct rf_batch *batch);

#endif
