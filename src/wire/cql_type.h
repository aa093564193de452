/* Types of CQL: out of the bytes in which answers describe columns, and as text.
 *
 * Used by cql_result.h and cql_value.h. A described type is [option], a [short] and what it needs:
 *
 *   0x0000 custom: [string] its class          0x0001 ascii       0x0002 bigint    0x0003 blob
 *   0x0004 boolean     0x0005 counter          0x0006 decimal     0x0007 double    0x0008 float
 *   0x0009 int         0x000B timestamp        0x000C uuid        0x000D varchar   0x000E varint
 *   0x000F timeuuid    0x0010 inet             0x0011 date        0x0012 time      0x0013 smallint
 *   0x0014 tinyint     0x0015 duration, in version 4 a custom one of the class DurationType
 *   0x0020 list: [option] of its elements      0x0022 set: the same
 *   0x0021 map: [option] of its keys, and of its values
 *   0x0030 user's type: [string] keyspace, [string] name, [short] n, n times [string] [option]
 *   0x0031 tuple: [short] n, n times [option]
 *
 * Source: Apache Cassandra, doc/native_protocol_v4.spec, section 4.2.5.2; v5 adds duration. */
#ifndef ROWFERRY_WIRE_CQL_TYPE_H
#define ROWFERRY_WIRE_CQL_TYPE_H

#include "wire/cursor.h"

#include <rowferry/arena.h>

enum rf_cql_kind {
    RF_CQL_CUSTOM = 0x00,
    RF_CQL_ASCII = 0x01,
    RF_CQL_BIGINT = 0x02,
    RF_CQL_BLOB = 0x03,
    RF_CQL_BOOLEAN = 0x04,
    RF_CQL_COUNTER_TYPE = 0x05,
    RF_CQL_DECIMAL = 0x06,
    RF_CQL_DOUBLE = 0x07,
    RF_CQL_FLOAT = 0x08,
    RF_CQL_INT = 0x09,
    RF_CQL_TIMESTAMP = 0x0B,
    RF_CQL_UUID = 0x0C,
    RF_CQL_TEXT = 0x0D,
    RF_CQL_VARINT = 0x0E,
    RF_CQL_TIMEUUID = 0x0F,
    RF_CQL_INET = 0x10,
    RF_CQL_DATE = 0x11,
    RF_CQL_TIME = 0x12,
    RF_CQL_SMALLINT = 0x13,
    RF_CQL_TINYINT = 0x14,
    RF_CQL_DURATION = 0x15,
    RF_CQL_LIST = 0x20,
    RF_CQL_MAP = 0x21,
    RF_CQL_SET = 0x22,
    RF_CQL_UDT = 0x30,
    RF_CQL_TUPLE = 0x31,
};

enum {
    RF_CQL_DEPTH_MAX = 16, /* of types within types */
};

/* Lies in an arena; its strings in the bytes that it was read from. */
struct rf_cql_type {
    uint16_t kind; /* enum rf_cql_kind */
    uint16_t count;
    const struct rf_cql_type *items; /* of lists and sets one, of maps two, of tuples all */
    const struct rf_str *fields;     /* UDT: their names */
    struct rf_str name;              /* CUSTOM: its class; UDT: its name */
};

/* Reads an [option]. A kind that we do not know, or one that is nested too deeply, fails the
 * cursor. */
void rf_cql_type_read(struct rf_cursor *cursor, struct rf_arena *arena, struct rf_cql_type *type);

/* Appends it as CQL writes it: "map<int, frozen<list<text>>>" without the "frozen", which the bytes
 * do not tell. */
void rf_cql_type_print(struct rf_buf *out, const struct rf_cql_type *type);

/* The kind of a simple type by its name, "bigint"; RF_CQL_CUSTOM: of none. */
enum rf_cql_kind rf_cql_kind_of(struct rf_str name);
/* The name of a simple type's kind; NULL: it is none. */
const char *rf_cql_kind_name(enum rf_cql_kind kind);

#endif
