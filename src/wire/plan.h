/* How the rows of one table are decoded: one small step per column, worked out once from its
 * TABLE_MAP.
 *
 * Written by table.c at the head of rf_table.memory, read by rows.c. Private to these two.
 *
 * Source: MySQL, libs/mysql/binlog/event/rows_event.h, Table_map_event, table of column types. */
#ifndef ROWFERRY_WIRE_PLAN_H
#define ROWFERRY_WIRE_PLAN_H

#include "wire/decimal.h"

#include <rowferry/event.h>

enum rf_plan_op {
    RF_PLAN_I8,
    RF_PLAN_U8,
    RF_PLAN_I16,
    RF_PLAN_U16,
    RF_PLAN_I24,
    RF_PLAN_U24,
    RF_PLAN_I32,
    RF_PLAN_U32,
    RF_PLAN_I64,
    RF_PLAN_U64,
    RF_PLAN_FLOAT,
    RF_PLAN_DOUBLE,
    RF_PLAN_DECIMAL,
    RF_PLAN_BIT,
    RF_PLAN_YEAR,
    RF_PLAN_DATE,
    RF_PLAN_TIME,
    RF_PLAN_DATETIME,
    RF_PLAN_TIMESTAMP,
    RF_PLAN_ENUM,
    RF_PLAN_SET,
    RF_PLAN_OLD_TIME, /* of before MySQL 5.6, as are the next two */
    RF_PLAN_OLD_DATETIME,
    RF_PLAN_OLD_TIMESTAMP,
    RF_PLAN_SIZED,                /* from here on a length stands in front of the value */
    RF_PLAN_TEXT = RF_PLAN_SIZED, /* of a set in which ASCII is ASCII */
    RF_PLAN_WIDE,                 /* of one in which it is not */
    RF_PLAN_BYTES,
    RF_PLAN_BINARY, /* BINARY(n): zeros at its end are not in the log */
    RF_PLAN_GEOMETRY,
    RF_PLAN_JSON,
    RF_PLAN_VECTOR,
    RF_PLAN_UUID, /* of this and the next two, the zeros at their end are not in the log either */
    RF_PLAN_INET4,
    RF_PLAN_INET6,
    RF_PLAN_COMPRESSED, /* one of TEXT, WIDE, BYTES, as inflate.h says */
};

struct rf_plan_step {
    uint8_t op;      /* enum rf_plan_op */
    uint8_t width;   /* bytes of the value, or of the length in front of it */
    uint8_t scale;   /* what rf_value.scale becomes */
    uint8_t charset; /* RF_PLAN_TEXT, RF_PLAN_WIDE: enum rf_charset */
    union {
        uint32_t length;                 /* RF_PLAN_BINARY: bytes declared */
        uint32_t inner;                  /* RF_PLAN_COMPRESSED: what is compressed */
        uint32_t json;                   /* RF_PLAN_JSON: its number among these */
        struct rf_decimal_shape decimal; /* RF_PLAN_DECIMAL */
    };
};

enum { RF_PLAN_MAGIC = 0x6e616c70 };

struct rf_plan {
    uint32_t magic;      /* a table of another maker has no plan: asserted */
    uint32_t json_count; /* columns of binary JSON */
    bool marked;         /* members of ENUM or SET columns have marks (value.h) */
    uint32_t text_bytes; /* what the DECIMAL columns of one image need in the arena at most */
    struct rf_plan_step steps[]; /* one per column */
};

/* Bytes of type metadata that a column of this type has in a TABLE_MAP. */
size_t rf_plan_metadata_size(unsigned type);

/* What the type is called, when it is one that cannot be carried; NULL when it can. */
const char *rf_plan_refused(unsigned type);

/* True for the temporal types of before MySQL 5.6: MariaDB gives them fraction digits, which change
 * their size, and does not log how many. */
bool rf_plan_is_old(unsigned type);

/* True for MariaDB's COMPRESSED columns. rf_plan_column makes steps for them as for what is
 * compressed in them. */
bool rf_plan_is_compressed(unsigned type);

/* Fills in the column and its step from a type that can be carried; both come zeroed. Text is
 * taken for UTF-8, numbers for signed: the optional metadata corrects that. For the old temporal
 * types, metadata is the number of fraction digits. False: the metadata is damaged. */
bool rf_plan_column(struct rf_column *column, struct rf_plan_step *step, unsigned type,
                    unsigned metadata);

#endif
