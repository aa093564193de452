/* What is kept of a transaction until its end was seen: its events, each copied once.
 *
 * Used by the assembly of transactions. Events lie one behind the other in chunks; at the end the
 * chunks go to a batch, one at a time and as they are, and what they hold is decoded there. What
 * exceeds the memory goes to a file meanwhile (spill.h), in blocks that are the chunks, and at the
 * end comes back a chunk at a time: memory stays flat, however large the transaction. An event that
 * is larger than the memory by itself goes there without being copied. */
#ifndef ROWFERRY_SOURCE_RECORDS_H
#define ROWFERRY_SOURCE_RECORDS_H

#include "source/spill.h"

#include <rowferry/batch.h>

/* What stays in memory of one transaction. Common ones never touch the disk (10,000 inserted rows
 * of 226 bytes are 2.3 MB), it is a third of the default pool, and large enough for long writes. */
enum {
    RF_RECORDS_MEMORY_MAX = 8 * 1024 * 1024,
    RF_RECORDS_WRITE = 1024 * 1024, /* at a time, once there is a file */
};

/* In front of its bytes. Aligned to 8. */
struct rf_record {
    uint64_t size;   /* of the bytes behind */
    uint64_t offset; /* of the event in the log, for messages */
    union {
        struct rf_table *table; /* of rows; NULL: a statement */
        uint64_t number;        /* in the file: of the table, from 1; 0: a statement */
    };
    uint32_t ordinal;
    uint32_t event_size; /* of the log event, whose bytes lie last */
    /* Of a statement, whose database, object and SQL text lie one behind the other in front of its
     * event. In front of the event of rows may lie the SQL text that changed them. */
    uint32_t database_size;
    uint32_t object_size;
    uint8_t type;          /* of rows: RF_BINLOG_*; of a statement: enum rf_op */
    uint8_t checksum_size; /* of the event's end that is its checksum */
    bool same_sql;         /* of rows: the SQL text of the rows before changed these too */
};

/* Zeroed is empty and valid. Thread: the owner's. */
struct rf_records {
    /* Given by the owner before the first record. */
    size_t memory_max; /* 0: RF_RECORDS_MEMORY_MAX */
    bool strict;  /* text with bytes that are not of its character set stops; else it is marked */
    bool lacking; /* images may lack columns; else that stops */
    bool marked;  /* such a text was met, and said */

    uint64_t count;         /* of all records, also of those in the file and those handed over */
    uint64_t bytes;         /* of them */
    uint64_t spilled;       /* of those that went to the file; the others lie in memory */
    struct rf_chunk *first; /* in order, behind what is in the file */
    struct rf_chunk *last;
    struct rf_chunk *spare;
    uint32_t spare_count;
    struct rf_spill spill; /* its directory is given by the owner */
    /* The tables of what is in the file, by number - 1, and where to find their numbers.
     * Borrowed. */
    struct rf_table **tables;
    uint32_t table_count;
    uint32_t table_capacity;
    uint32_t *places; /* numbers by hash of the pointer; 0: free */
    uint32_t place_capacity;
    bool holds;        /* the tables are not borrowed: one reference each */
    struct rf_buf sql; /* of the rows that were handed over last; empty: it is not known */
};

/* The sources' option `invalid`, which decides `strict`. */
enum rf_invalid { RF_INVALID_MARK, RF_INVALID_STOP };
#define RF_INVALID_CHOICES "mark|stop"
#define RF_INVALID_HELP                                                                   \
    "text with bytes that are not of its character set: mark carries them as characters " \
    "U+10FE00 to U+10FEFF, byte by byte; stop ends the pipeline with exit 3"

enum { RF_RECORD_PARTS_MAX = 4 };

/* Adds a record: *head, whose size is filled in, and the parts behind it, copied. The table
 * stays valid until the records are reset. Returns RF_OK; RF_RETRY (they do not fit into the
 * memory, and the file could not be written). */
RF_USE_RESULT enum rf_status rf_records_add(struct rf_records *records,
                                            const struct rf_record *head,
                                            const struct rf_str *parts, uint32_t count,
                                            struct rf_error *err);

/* What there is now, to go back to. */
struct rf_records_mark {
    uint64_t count;
    uint64_t bytes;
};
static inline struct rf_records_mark rf_records_mark(const struct rf_records *records)
{
    return (struct rf_records_mark){records->count, records->bytes};
}
/* Forgets all that came behind the mark. Not after something was handed over. Returns RF_OK;
 * RF_RETRY (the file, as below). */
RF_USE_RESULT enum rf_status rf_records_cut(struct rf_records *records, struct rf_records_mark mark,
                                            struct rf_error *err);

/* True as long as something is to be handed over. */
static inline bool rf_records_left(const struct rf_records *records)
{
    return records->first != NULL || rf_spill_left(&records->spill);
}

/* They stay for long: from now on until their reset they hold references to their tables, and no
 * more memory than they need. */
void rf_records_hold(struct rf_records *records);
/* Puts all that lies in memory into the file. Returns RF_OK; RF_RETRY (the file, as below). */
RF_USE_RESULT enum rf_status rf_records_put_away(struct rf_records *records, struct rf_error *err);

/* Hands the first chunk to the batch's open transaction and decodes what it holds. Not when none is
 * left. Returns RF_OK; RF_RETRY (what is in the file could not be read back); RF_FATAL or RF_CONFIG
 * as rf_rows_decode: *offset is that of the event then. */
RF_USE_RESULT enum rf_status rf_records_hand_over(struct rf_records *records,
                                                  struct rf_batch *batch, uint64_t *offset,
                                                  struct rf_error *err);

/* Forgets everything, closes the file, and keeps a chunk for what comes next. */
void rf_records_reset(struct rf_records *records);
void rf_records_deinit(struct rf_records *records);

#endif
