/* What is kept of a transaction until its end was seen: its events, each copied once.
 *
 * Used by the assembly of transactions. Events lie one behind the other in chunks; at the end the
 * chunks go to a batch, one at a time and as they are, and what they hold is decoded there. */
#ifndef ROWFERRY_SOURCE_RECORDS_H
#define ROWFERRY_SOURCE_RECORDS_H

#include <rowferry/batch.h>

/* In front of an event's bytes. Aligned to 8. */
struct rf_record {
    uint32_t size; /* of the bytes behind */
    uint32_t ordinal;
    uint64_t offset;        /* of the event in the log, for messages */
    struct rf_table *table; /* of rows; NULL: a statement */
    uint8_t type;           /* of rows: RF_BINLOG_*; of a statement: enum rf_op */
    /* Of a statement, whose database, object and SQL text lie one behind the other. */
    uint32_t database_size;
    uint32_t object_size;
};

/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_records {
    uint64_t bytes;         /* of all records, also of those that were handed over */
    struct rf_chunk *first; /* in order */
    struct rf_chunk *last;
    struct rf_chunk *spare;
};

/* A record with room for `size` bytes behind it, zeroed but for its size. Valid until it is handed
 * over. */
struct rf_record *rf_records_add(struct rf_records *records, size_t size);

/* Hands the first chunk to the batch's open transaction and decodes what it holds. Not when empty.
 * Returns RF_OK; RF_FATAL or RF_CONFIG as rf_rows_decode, *offset is that of the event then. */
RF_USE_RESULT enum rf_status rf_records_hand_over(struct rf_records *records,
                                                  struct rf_batch *batch, uint64_t *offset,
                                                  struct rf_error *err);

/* Forgets everything and keeps a chunk for what comes next. */
void rf_records_reset(struct rf_records *records);
void rf_records_deinit(struct rf_records *records);

#endif
