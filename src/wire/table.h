/* TABLE_MAP events: what a table looked like when its rows were logged.
 *
 * Used by the sources. The name is read cheaply, so that filters run before anything else; the
 * whole becomes an immutable struct rf_table which also holds, hidden behind its `memory`, the plan
 * by which rows.h decodes rows. A source keeps the bytes of each table id's last TABLE_MAP and
 * parses again only when they differ.
 *
 * TABLE_MAP (19), offsets in the body:
 *
 *   offset size
 *        0    6  table id: of this server start and this definition; means nothing across files
 *        6    2  flags
 *        8    1  d: bytes of the database's name
 *        9  d+1  database, NUL
 *     10+d    1  t: bytes of the table's name
 *     11+d  t+1  table, NUL
 *   12+d+t    *  c: number of columns, packed integer
 *        .    c  column types
 *        .    *  m: bytes of the type metadata, packed integer
 *        .    m  type metadata: 0 to 2 bytes per column, see table.c
 *        .    *  (c+7)/8 bytes: the columns that may be NULL, first column in the lowest bit
 *        .    .  optional metadata to the end of the body: type (1), size (packed integer), value
 *
 * Optional metadata (binlog_row_metadata=FULL):
 *
 *    1 SIGNEDNESS     one bit per numeric column (YEAR is one, BIT is not), highest bit first; 1 is
 *                     unsigned
 *    2 DEFAULT_CHARSET  collation id, then pairs (number among the character columns, collation);
 *                     character columns are CHAR, VARCHAR, TEXT, their binary kin, and in a log
 *                     of MariaDB geometries
 *    3 COLUMN_CHARSET   collation id of each character column
 *    4 COLUMN_NAME      size (packed integer) and name of each column
 *    5 SET_STR_VALUE    of each SET column: count, then size and text of each member
 *    6 ENUM_STR_VALUE   the same for ENUM
 *    7 GEOMETRY_TYPE    of each geometry column, packed integer
 *    8 SIMPLE_PRIMARY_KEY       column numbers
 *    9 PRIMARY_KEY_WITH_PREFIX  pairs (column number, prefix in characters, 0 for the whole)
 *   10, 11            as 2 and 3, for the ENUM and SET columns
 *   12 COLUMN_VISIBILITY, 13 vector dimensions: not needed
 *
 * What the log cannot tell, even so: MariaDB's JSON is LONGTEXT with collation utf8mb4_bin and a
 * check constraint, so it arrives as text; its UUID, INET4 and INET6 arrive as BINARY(16), (4),
 * (16), unless a definition says what they are.
 *
 * Source: MariaDB Knowledge Base, "TABLE_MAP_EVENT"; MySQL, libs/mysql/binlog/event/rows_event.h,
 * Table_map_event and Optional_metadata_fields. */
#ifndef ROWFERRY_WIRE_TABLE_H
#define ROWFERRY_WIRE_TABLE_H

#include "wire/schema.h"

struct rf_binlog_table {
    uint64_t id;
    uint16_t flags;
    /* both point into the body; UTF-8 as far as the server is to be trusted */
    struct rf_str database;
    struct rf_str name;
};

/* Id and names, nothing else is looked at. Returns RF_OK; RF_FATAL (damage). */
RF_USE_RESULT enum rf_status rf_binlog_table_name(struct rf_str body, struct rf_binlog_table *table,
                                                  struct rf_error *err);

/* Whose log it is. */
enum rf_log_maker { RF_LOG_OF_MARIADB, RF_LOG_OF_MYSQL };

/* The whole. *table gets one reference, the caller's; nothing of it points into the body. Two
 * allocations. `version` becomes the table's.
 * Returns RF_OK; RF_CONFIG (the metadata was not logged: binlog_row_metadata is not FULL, with the
 * statement that mends it); RF_FATAL (damage; a column type or character set that is not carried,
 * named with its column). *table is NULL unless RF_OK. */
RF_USE_RESULT enum rf_status rf_binlog_table_parse(struct rf_str body, enum rf_log_maker maker,
                                                   uint32_t version, struct rf_table **table,
                                                   struct rf_error *err);

/* What the metadata does not tell, and only a definition; each with what stands above it. Damage
 * lacks the names. */
enum rf_table_lack {
    RF_LACKS_NOTHING,
    RF_LACKS_ADDRESSES, /* whether a BINARY(16) or (4) is MariaDB's UUID, INET6 or INET4 */
    RF_LACKS_FRACTIONS, /* how many digits the old temporal types have: nothing can be read so */
    RF_LACKS_NAMES,     /* of the columns: it is not FULL */
};
enum rf_table_lack rf_binlog_table_lacks(struct rf_str body, enum rf_log_maker maker);

/* The whole of a TABLE_MAP that does not say everything. What it lacks comes from the definition,
 * which must agree with all that it does say: number, types, sizes and nullability of the columns,
 * and with MINIMAL metadata signs and character sets. Without a definition (NULL) the columns are
 * named "@1", "@2" and so on, the table has no key, and ENUM and SET are their numbers; with NO_LOG
 * metadata, signs and character sets are not known then, and that is refused. Where the names were
 * logged, the definition only says what rf_binlog_table_lacks asks for, and need not agree in the
 * rest; without one this is rf_binlog_table_parse. Returns as that; RF_CONFIG also when the two do
 * not agree: both are shown. */
RF_USE_RESULT enum rf_status rf_binlog_table_complete(struct rf_str body, enum rf_log_maker maker,
                                                      const struct rf_definition *definition,
                                                      uint32_t version, struct rf_table **table,
                                                      struct rf_error *err);

#endif
