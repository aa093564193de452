/* Tables and events: what happened to which row.
 *
 * A table is immutable and reference counted: a change of the source's schema makes a new one with
 * another version. A batch holds one reference per table it mentions; events borrow. Made by
 * sources (through wire/), read by formats and sinks. */
#ifndef ROWFERRY_EVENT_H
#define ROWFERRY_EVENT_H

#include <rowferry/value.h>
#include <stdatomic.h>

/* The type that the source declared, named as its manual does; what a sink maps to a type of its
 * own. */
enum rf_column_type {
    RF_COLUMN_TINYINT = 1,
    RF_COLUMN_SMALLINT,
    RF_COLUMN_MEDIUMINT,
    RF_COLUMN_INT,
    RF_COLUMN_BIGINT,
    RF_COLUMN_FLOAT,
    RF_COLUMN_DOUBLE,
    RF_COLUMN_DECIMAL,
    RF_COLUMN_BIT,
    RF_COLUMN_YEAR,
    RF_COLUMN_DATE,
    RF_COLUMN_TIME,
    RF_COLUMN_DATETIME,
    RF_COLUMN_TIMESTAMP,
    RF_COLUMN_CHAR,
    RF_COLUMN_VARCHAR,
    RF_COLUMN_BINARY,
    RF_COLUMN_VARBINARY,
    RF_COLUMN_TEXT,
    RF_COLUMN_BLOB,
    RF_COLUMN_ENUM,
    RF_COLUMN_SET,
    RF_COLUMN_JSON,
    RF_COLUMN_GEOMETRY,
    RF_COLUMN_VECTOR,
    /* MariaDB's; their values are RF_TEXT, as the server shows them */
    RF_COLUMN_UUID,
    RF_COLUMN_INET4,
    RF_COLUMN_INET6,
    /* the two columns of a collection of documents, see rf_table.documents */
    RF_COLUMN_DOCUMENT_ID,
    RF_COLUMN_DOCUMENT,
};

/* The character set that a column of characters has on its server. Its values are UTF-8 all the
 * same, whatever this says. */
enum rf_charset {
    RF_CHARSET_BINARY = 0, /* bytes; also every column that is not of characters */
    RF_CHARSET_ASCII,
    RF_CHARSET_LATIN1, /* MySQL's latin1, which is cp1252 with the five holes filled */
    RF_CHARSET_UTF8,   /* utf8mb3 and utf8mb4 */
    RF_CHARSET_ARMSCII8,
    RF_CHARSET_BIG5,
    RF_CHARSET_CP1250,
    RF_CHARSET_CP1251,
    RF_CHARSET_CP1256,
    RF_CHARSET_CP1257,
    RF_CHARSET_CP850,
    RF_CHARSET_CP852,
    RF_CHARSET_CP866,
    RF_CHARSET_CP932,
    RF_CHARSET_DEC8,
    RF_CHARSET_EUCJPMS,
    RF_CHARSET_EUCKR,
    RF_CHARSET_GB18030,
    RF_CHARSET_GB2312,
    RF_CHARSET_GBK,
    RF_CHARSET_GEOSTD8,
    RF_CHARSET_GREEK,
    RF_CHARSET_HEBREW,
    RF_CHARSET_HP8,
    RF_CHARSET_KEYBCS2,
    RF_CHARSET_KOI8R,
    RF_CHARSET_KOI8U,
    RF_CHARSET_LATIN2,
    RF_CHARSET_LATIN5,
    RF_CHARSET_LATIN7,
    RF_CHARSET_MACCE,
    RF_CHARSET_MACROMAN,
    RF_CHARSET_SJIS,
    RF_CHARSET_SWE7,
    RF_CHARSET_TIS620,
    RF_CHARSET_UCS2,
    RF_CHARSET_UJIS,
    RF_CHARSET_UTF16,
    RF_CHARSET_UTF16LE,
    RF_CHARSET_UTF32,
    RF_CHARSET_COUNT,
};

/* What a geometry column may hold. Source: OpenGIS Simple Features, the types of WKB. */
enum rf_geometry_type {
    RF_GEOMETRY_ANY = 0, /* also where the log does not say */
    RF_GEOMETRY_POINT,
    RF_GEOMETRY_LINESTRING,
    RF_GEOMETRY_POLYGON,
    RF_GEOMETRY_MULTIPOINT,
    RF_GEOMETRY_MULTILINESTRING,
    RF_GEOMETRY_MULTIPOLYGON,
    RF_GEOMETRY_COLLECTION,
};

struct rf_column {
    struct rf_str name;
    uint8_t type;    /* enum rf_column_type */
    uint8_t charset; /* enum rf_charset */
    bool is_unsigned;
    bool nullable;
    bool key; /* part of the primary key */
    /* DECIMAL: digits in all; BIT: bits; FLOAT and DOUBLE: bytes; GEOMETRY: enum
     * rf_geometry_type */
    uint8_t precision;
    uint8_t scale; /* DECIMAL: digits after the point; temporal types: fraction digits */
    /* CHAR, BINARY and their kin: bytes at most; TEXT, BLOB, JSON, GEOMETRY, VECTOR: bytes of the
     * length field */
    uint32_t length;
    uint32_t member_count;
    const struct rf_str *members; /* ENUM and SET, UTF-8, in the order of their numbers */
};

/* Freed with its last reference; everything it points to lies in its own memory. */
struct rf_table {
    atomic_uint references;
    uint32_t version; /* 1 for the first shape of this name that this process saw, then growing */
    struct rf_str database;
    struct rf_str name;
    struct rf_str full_name; /* "database.name" */
    uint32_t column_count;
    uint32_t key_count; /* 0: no primary key */
    /* A collection of a document store. It has two columns, so that whoever knows nothing of
     * documents sees rows: column 0, "_id", RF_COLUMN_DOCUMENT_ID, the key; column 1, "document",
     * RF_COLUMN_DOCUMENT. An _id's value is RF_TEXT that is another one for each _id that the store
     * takes for another: an ObjectId as 24 hexadecimal digits in lower case; a string as it is,
     * unless it reads like one of the other forms, then as a JSON string in quotes; a number in
     * decimal, the same whichever type it has; everything else as canonical Extended JSON. A
     * document's value is RF_DOCUMENT; RF_ABSENT where the store was not asked for it; RF_NULL
     * where it was, and had none any more: an update whose document was gone when it was looked up,
     * so that its delete follows. Both images of an update are there, with their _id at least. */
    bool documents;
    const struct rf_column *columns;
    const uint32_t *key_columns; /* column numbers in the key's order */
    void *memory;                /* the source's own description of it, freed with free() */
};

struct rf_table *rf_table_retain(struct rf_table *table);
/* NULL is accepted. Any thread. */
void rf_table_release(struct rf_table *table);
/* Number of the column of that name, or -1. */
int rf_table_find(const struct rf_table *table, struct rf_str column);

enum rf_op {
    RF_CREATE = 1,
    RF_UPDATE,
    RF_DELETE,
    RF_TRUNCATE,
    RF_DDL,
    RF_READ, /* a row of a snapshot */
};
/* "create", "update", "delete", "truncate", "ddl", "read". */
const char *rf_op_name(enum rf_op op);

/* What kind of server wrote the log. */
enum rf_server {
    RF_SERVER_UNKNOWN = 0,
    RF_SERVER_MARIADB,
    RF_SERVER_MYSQL,
};

/* A committed transaction, or a piece of one that is larger than a batch. Lies in the batch. */
struct rf_transaction {
    /* the source's name of it, e.g. the GTID "0-1-300000"; also what rf_source_type.contains
     * takes */
    struct rf_str id;
    int64_t commit_us; /* commit time, microseconds since 1970 UTC */
    uint32_t first;    /* its first event in the batch */
    uint32_t count;    /* its events in the batch; may be 0 */
    bool begins;       /* its first event is in this batch */
    bool ends;         /* its last event is in this batch */

    /* What the log says of it besides, for formats that repeat it. Zeroed where it does not say. */
    bool has_xid;
    bool has_thread;
    uint8_t server;     /* enum rf_server */
    uint32_t server_id; /* of the server that committed it first */
    uint32_t
        thread_id; /* of the connection that ran it, there; MariaDB: only of some, 10.11 of none
                         * that consists of rows alone */
    uint64_t xid;  /* the number by which log and engine committed it; none for DDL */
    struct rf_str gtid; /* as the server writes it; empty: it has none */
    struct rf_str file; /* the log's file, without directories */
};

/* The log event that one or more events were made of. Lies in the batch. */
struct rf_origin {
    struct rf_str raw;  /* as it was read, its header included, for dead letters; where the server
                         * has compressed it, what it is without that */
    struct rf_str sql;  /* rows: the statement that changed them, where log and source give it */
    int64_t time_us;    /* when its statement began, microseconds since 1970 UTC */
    uint64_t offset;    /* where it begins in its transaction's file */
    uint32_t server_id; /* of the server that logged it first */
};

/* What a document store says of a change beside the images. All BSON documents, checked as those of
 * RF_DOCUMENT are; empty where there is none. Lies in the batch. */
struct rf_document_change {
    /* the store's name of what happened: "insert", "update", "replace", "delete", "drop", "rename",
     * "dropDatabase", "invalidate" */
    struct rf_str type;
    struct rf_str key; /* _id and, of a sharded collection, the fields of its shard key */
    /* what an update changed: the updateDescription as the store sent it, with truncatedArrays and,
     * from MongoDB 6.1 on, disambiguatedPaths */
    struct rf_str update;
    struct rf_str to;      /* of a rename: the new name, "database.collection" (text) */
    int64_t wall_us;       /* the store's wall clock, microseconds since 1970 UTC; 0: not told */
    uint32_t cluster_time; /* seconds since 1970 UTC of the store's logical clock */
    uint32_t cluster_increment; /* and its number within that second */
    struct rf_str lsid;         /* the session of a transaction of several documents */
    int64_t txn_number;         /* and its number there; with an empty lsid without meaning */
};

/* One change of one row or document, or a statement. Row images have table->column_count values. */
struct rf_event {
    uint8_t op;       /* enum rf_op */
    uint32_t ordinal; /* number of its log event in the transaction, from 1, skipped ones counted */
    uint32_t row;     /* number of its row in that log event, from 0 */
    uint32_t transaction; /* index into the batch's transactions */
    /* NULL for RF_DDL and for RF_TRUNCATE, which name database and object below */
    const struct rf_table *table;
    const struct rf_value *before; /* RF_UPDATE, RF_DELETE; else NULL */
    const struct rf_value *after;  /* RF_CREATE, RF_UPDATE, RF_READ; else NULL */
    /* RF_DDL: the default database, may be empty; RF_TRUNCATE: the table's */
    struct rf_str database;
    /* RF_TRUNCATE: the table's name; RF_DDL: the table it names where known, else empty */
    struct rf_str object;
    struct rf_str statement; /* RF_DDL and RF_TRUNCATE: the SQL text as logged */
    /* shared by the rows of one log event; NULL where the source has no log */
    const struct rf_origin *origin;
    /* Events of collections; NULL for those of tables. An RF_UPDATE whose document the store does
     * not tell has its _id and an absent document in `after`, or a NULL one. RF_DDL: drop, rename,
     * dropDatabase and invalidate; `statement` is then the change event as relaxed Extended
     * JSON. */
    const struct rf_document_change *change;
};

/* The image that identifies the row: before for deletes, else after. NULL without one. */
static inline const struct rf_value *rf_event_image(const struct rf_event *event)
{
    return event->after ? event->after : event->before;
}

/* Text of a value as templates, keys and string destinations show it: integers in decimal, decimals
 * exact, dates ISO-like ("2024-02-29 12:00:00.250", TIMESTAMP the same in UTC), bytes and geometry
 * as they are, vectors as "[1.5,-2]", bits as a number, NULL and absent add nothing. Appends
 * to out. */
void rf_value_print(struct rf_buf *out, struct rf_value value);
/* Equal in kind and content; two NULLs are equal. */
bool rf_value_equal(struct rf_value a, struct rf_value b);
/* True when an update changes the primary key. False for other operations and tables without a
 * key. */
bool rf_event_changes_key(const struct rf_event *event);

#endif
