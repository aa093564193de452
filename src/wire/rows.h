/* Rows events: packed images to values.
 *
 * Used by the sources: rf_rows_parse reads what stands in front of the rows, enough to find the
 * table and to skip the event; rf_rows_decode turns every row into an event of a batch.
 *
 * WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS, version 1 (23-25) and 2 (30-32), and PARTIAL_UPDATE_ROWS
 * (39), which is UPDATE_ROWS of version 2 but for its after images, offsets in the body:
 *
 *   offset size
 *        0    6  table id
 *        6    2  flags
 *        8    e  version 2 only: extra data, its first 2 bytes are e, themselves included
 *      8+e    *  c: number of columns, packed integer
 *        .    *  (c+7)/8 bytes: columns present in the images, first column in the lowest bit
 *        .    *  UPDATE only: the same for the after images
 *        .    .  rows to the end of the body: one image each, for UPDATE before and after
 *
 * An image: one bit per column present, 1 for NULL, in (present+7)/8 bytes; then the values of the
 * columns that are not NULL. The layout of each type stands beside its decoder in rows.c.
 *
 * In front of an after image of PARTIAL_UPDATE_ROWS stand options, a packed integer; with bit 0
 * set, a bitmap of the table's JSON columns follows, (number of them + 7)/8 bytes, first column in
 * the lowest bit: 1 where the value is not the document but the changes of the one in the before
 * image, jsonb_change.h, behind their size in as many bytes as that of a document has.
 *
 * Source: MariaDB Knowledge Base, "ROWS_EVENT_V1"; MySQL, rows_event.h, Rows_event; MySQL,
 * sql/log_event.h, Update_rows_log_event, "value_options". */
#ifndef ROWFERRY_WIRE_ROWS_H
#define ROWFERRY_WIRE_ROWS_H

#include <rowferry/batch.h>

/* Source: MySQL, rows_event.h, Rows_event::enum_flag. */
enum {
    RF_ROWS_STATEMENT_END =
        0x0001, /* the last rows event of its statement: its table ids are used up */
};

struct rf_rows {
    uint64_t table_id;
    uint16_t flags;
    uint8_t op; /* RF_CREATE, RF_UPDATE or RF_DELETE */
    uint32_t column_count;
    struct rf_str present;       /* bitmap of the columns in the (before) images */
    struct rf_str present_after; /* RF_UPDATE: of the after images; else as `present` */
    struct rf_str images;
    bool partial; /* PARTIAL_UPDATE_ROWS */
    bool lacking; /* for the caller to set: images may lack columns, which then are RF_ABSENT; after
                   * an update those that it did not touch are what they were before, if told */
    bool strict;  /* for the caller to set: text with invalid bytes stops, and is not marked */
};

/* True for the seven types above. */
bool rf_rows_is(unsigned type);

/* type is one of the seven (asserted). Strings point into the body.
 * Returns RF_OK; RF_FATAL (damage). */
RF_USE_RESULT enum rf_status rf_rows_parse(unsigned type, struct rf_str body, struct rf_rows *rows,
                                           struct rf_error *err);

/* Decodes every row and appends it to the batch's open transaction, with `ordinal` as the
 * events' ordinal and the row's number from 0. table was made by rf_binlog_table_parse from the
 * TABLE_MAP of this table id; the batch gets its reference here. Text, bytes and blobs are not
 * copied where the log's bytes are the value already: the body must lie in memory that the batch
 * owns (an arena chunk that was adopted) or that outlives it. What must be converted goes into
 * the batch's arena. Texts with bytes that are not of their character set are marked (value.h) and
 * counted in batch->marked. Returns RF_OK; RF_FATAL (damage; an image that lacks columns, unless
 * they may, or has none at all; a value that cannot be carried, or may not be with rows->strict,
 * named with table, column and row): the batch then has the events that it had before. */
RF_USE_RESULT enum rf_status rf_rows_decode(const struct rf_rows *rows, struct rf_table *table,
                                            uint32_t ordinal, struct rf_batch *batch,
                                            struct rf_error *err);

#endif
