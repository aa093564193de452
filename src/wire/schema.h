/* Definitions of tables, out of SQL text: what completes a TABLE_MAP that was logged without names.
 *
 * Used by the sources of MariaDB logs, for a file of definitions and for what the server answers to
 * SHOW CREATE TABLE. It reads what `mariadb-dump --no-data` and SHOW CREATE TABLE print: USE, the
 * dump's own comment "-- Host: ...    Database: shop", and CREATE TABLE with all that matters to a
 * row: names, types, signs, character sets, members of ENUM and SET, NOT NULL, primary key, columns
 * that are generated or invisible (they are in the log like others), and those that WITH SYSTEM
 * VERSIONING adds. Every other statement is stepped over. What it does not understand inside a
 * CREATE TABLE is an error, by line.
 *
 * Each column is kept as the log would describe it, type and type metadata, so that the two can be
 * compared byte by byte:
 *
 *   declared                      type  metadata, low byte first
 *   tinyint, smallint, mediumint, int, bigint   1, 2, 9, 3, 8
 *   float, double                 4, 5  bytes: 4, 8
 *   decimal(p,s)                  246   p, s
 *   bit(n)                        16    n % 8, n / 8
 *   year, date                    13, 10
 *   time(f), datetime(f), timestamp(f)   19, 18, 17   f
 *   varchar(n), varbinary(n)      15    bytes at most (2)
 *   char(n), binary(n)            254   254 with two bits of the bytes at most, their low byte
 *   uuid, inet6, inet4            254   as binary(16), (16), (4)
 *   enum, set                     254   247 or 248, bytes of a value
 *   tiny-, -, medium-, long- text and blob   252   bytes of the length: 1 to 4
 *   geometry and its kin          255   4
 *   json                          245   4 (MySQL; MariaDB's is a longtext)
 *   vector                        242   4
 *
 * Source: MariaDB Knowledge Base, "SHOW CREATE TABLE", "CREATE TABLE", "TABLE_MAP_EVENT"; MySQL,
 * rows_event.h, Table_map_event. */
#ifndef ROWFERRY_WIRE_SCHEMA_H
#define ROWFERRY_WIRE_SCHEMA_H

#include <rowferry/arena.h>
#include <rowferry/event.h>

struct rf_definition_column {
    struct rf_str name;
    struct rf_str type; /* as declared, for messages */
    uint8_t log_type;   /* 0: a type that is not known here */
    uint16_t metadata;
    uint8_t address;  /* RF_COLUMN_UUID, RF_COLUMN_INET4 or RF_COLUMN_INET6; 0: none of them */
    uint8_t geometry; /* enum rf_geometry_type */
    bool is_unsigned;
    bool nullable;
    bool character; /* has a character set */
    bool carried;   /* ... and that is `charset` */
    bool row_end;   /* of a table with system versioning: when the row ended */
    enum rf_charset charset;
    struct rf_str charset_name;
    const struct rf_str *members; /* of ENUM and SET, UTF-8 */
    uint32_t member_count;
};

struct rf_definition {
    struct rf_definition *next;
    struct rf_str database; /* empty: the text does not say */
    struct rf_str name;
    const char *where; /* "schema.sql:12" */
    struct rf_definition_column *columns;
    uint32_t column_count;
    uint32_t *key_columns; /* numbers, in the key's order */
    uint32_t key_count;
    bool addresses; /* it has columns of UUID, INET4 or INET6 */
};

/* Zeroed is empty and valid. Everything lies in its memory. Thread: any, as long as nobody
 * parses. */
struct rf_schema {
    struct rf_arena memory;
    struct rf_definition *first; /* the last one that was read */
};

/* Adds the definitions of a text, which is not needed afterwards. `name` says what it is in
 * messages; `database` is the default one, may be empty. Returns RF_OK; RF_CONFIG (what is not
 * understood, with its line), the definitions before it were added. */
RF_USE_RESULT enum rf_status rf_schema_parse(struct rf_schema *schema, struct rf_str text,
                                             const char *name, struct rf_str database,
                                             struct rf_error *err);
/* The definition of that table; of several the last one. NULL: none. One without a database is not
 * found, but *nameless then points to it. Valid until deinit. */
const struct rf_definition *rf_schema_find(const struct rf_schema *schema, struct rf_str database,
                                           struct rf_str name,
                                           const struct rf_definition **nameless);
void rf_schema_deinit(struct rf_schema *schema);

#endif
