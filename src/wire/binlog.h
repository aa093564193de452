/* Events of the binary log of MariaDB and MySQL: bytes to structs.
 *
 * Used by the sources that read a log, from a server or from a file. It knows nothing of files,
 * connections, filters or transactions: the caller finds an event's bytes, this says what they
 * mean. TABLE_MAP and the rows events are read by table.h and rows.h; MariaDB's GTIDs by gtid.h.
 *
 * The order of calls for one event:
 *
 *   rf_binlog_header_parse    the 19 bytes in front: type and size
 *   rf_binlog_format_parse    type 15 only: replaces the stream's format
 *   rf_binlog_body            every other type: verifies the checksum, gives the bytes between
 *   rf_binlog_*_parse         by type, from that body
 *
 * All integers are little-endian unless a table says otherwise. Every read is checked against the
 * bytes that are there. Damage is RF_FATAL, with what was wrong and the offset in the body; the
 * caller puts file, position and GTID in front (rf_error_wrap). Strings point into the bytes that
 * were given in and live as long as they. No function here allocates. Any thread.
 *
 * Source: MariaDB Knowledge Base, "Replication Protocol: Binlog Event Header" and the page of each
 * event; MySQL Source Code Documentation, "Binlog Event" and libs/mysql/binlog/event; both measured
 * against logs written by MariaDB 10.11. */
#ifndef ROWFERRY_WIRE_BINLOG_H
#define ROWFERRY_WIRE_BINLOG_H

#include <rowferry/arena.h>
#include <rowferry/str.h>

/* Source: MySQL, "enum Log_event_type" (0-42); MariaDB, sql/log_event.h (160-171). */
enum rf_binlog_type {
    RF_BINLOG_UNKNOWN = 0,
    RF_BINLOG_START_V3 = 1,
    RF_BINLOG_QUERY = 2,
    RF_BINLOG_STOP = 3,
    RF_BINLOG_ROTATE = 4,
    RF_BINLOG_INTVAR = 5,
    RF_BINLOG_LOAD = 6,
    RF_BINLOG_SLAVE = 7,
    RF_BINLOG_CREATE_FILE = 8,
    RF_BINLOG_APPEND_BLOCK = 9,
    RF_BINLOG_EXEC_LOAD = 10,
    RF_BINLOG_DELETE_FILE = 11,
    RF_BINLOG_NEW_LOAD = 12,
    RF_BINLOG_RAND = 13,
    RF_BINLOG_USER_VAR = 14,
    RF_BINLOG_FORMAT_DESCRIPTION = 15,
    RF_BINLOG_XID = 16,
    RF_BINLOG_BEGIN_LOAD_QUERY = 17,
    RF_BINLOG_EXECUTE_LOAD_QUERY = 18,
    RF_BINLOG_TABLE_MAP = 19,
    RF_BINLOG_PRE_GA_WRITE_ROWS = 20,
    RF_BINLOG_PRE_GA_UPDATE_ROWS = 21,
    RF_BINLOG_PRE_GA_DELETE_ROWS = 22,
    RF_BINLOG_WRITE_ROWS_V1 = 23,
    RF_BINLOG_UPDATE_ROWS_V1 = 24,
    RF_BINLOG_DELETE_ROWS_V1 = 25,
    RF_BINLOG_INCIDENT = 26,
    RF_BINLOG_HEARTBEAT = 27,
    RF_BINLOG_IGNORABLE = 28,
    RF_BINLOG_ROWS_QUERY = 29,
    RF_BINLOG_WRITE_ROWS_V2 = 30,
    RF_BINLOG_UPDATE_ROWS_V2 = 31,
    RF_BINLOG_DELETE_ROWS_V2 = 32,
    RF_BINLOG_MYSQL_GTID = 33,
    RF_BINLOG_MYSQL_ANONYMOUS_GTID = 34,
    RF_BINLOG_MYSQL_PREVIOUS_GTIDS = 35,
    RF_BINLOG_TRANSACTION_CONTEXT = 36,
    RF_BINLOG_VIEW_CHANGE = 37,
    RF_BINLOG_XA_PREPARE = 38,
    RF_BINLOG_PARTIAL_UPDATE_ROWS = 39,
    RF_BINLOG_TRANSACTION_PAYLOAD = 40,
    RF_BINLOG_HEARTBEAT_V2 = 41,
    RF_BINLOG_MYSQL_GTID_TAGGED = 42,
    RF_BINLOG_ANNOTATE_ROWS = 160,
    RF_BINLOG_CHECKPOINT = 161,
    RF_BINLOG_GTID = 162,
    RF_BINLOG_GTID_LIST = 163,
    RF_BINLOG_START_ENCRYPTION = 164,
    RF_BINLOG_QUERY_COMPRESSED = 165,
    RF_BINLOG_WRITE_ROWS_COMPRESSED_V1 = 166,
    RF_BINLOG_UPDATE_ROWS_COMPRESSED_V1 = 167,
    RF_BINLOG_DELETE_ROWS_COMPRESSED_V1 = 168,
    RF_BINLOG_WRITE_ROWS_COMPRESSED_V2 = 169,
    RF_BINLOG_UPDATE_ROWS_COMPRESSED_V2 = 170,
    RF_BINLOG_DELETE_ROWS_COMPRESSED_V2 = 171,
};

/* "TABLE_MAP", "WRITE_ROWS_V1", ...; "UNKNOWN" for a number that has no name here. */
const char *rf_binlog_type_name(unsigned type);

/* Flags of the common header.
 * Source: MariaDB and MySQL, sql/log_event.h, LOG_EVENT_*_F. */
enum {
    RF_BINLOG_FLAG_IN_USE =
        0x0001, /* of the format description: the log was not closed (or is being written) */
    RF_BINLOG_FLAG_ARTIFICIAL =
        0x0020, /* made by the dump thread, not in the file; its position means nothing */
    RF_BINLOG_FLAG_IGNORABLE = 0x0080, /* a reader that does not know the type may skip it */
};

enum {
    RF_BINLOG_MAGIC_SIZE = 4, /* bytes in front of the first event of a file */
    RF_BINLOG_HEADER_SIZE = 19,
    RF_BINLOG_CHECKSUM_SIZE = 4,
};

/* The first bytes of a log file: fe 62 69 6e.
 * Returns RF_OK; RF_FATAL (not a binary log; a MySQL log that is encrypted, fd 62 69 6e, is named).
 * Source: MySQL, "Binary Log File Format": BINLOG_MAGIC. */
RF_USE_RESULT enum rf_status rf_binlog_magic_check(struct rf_str bytes, struct rf_error *err);

/* The common header.
 *
 *   offset size
 *        0    4  timestamp, seconds since 1970 UTC: when the statement began
 *        4    1  type
 *        5    4  server id
 *        9    4  size of the event: header, body and checksum
 *       13    4  position of the next event in the file; wraps in files above 4 GB, 0 in artificial
 *                events and, from MariaDB 11.4 on, in TABLE_MAP, rows and ANNOTATE_ROWS
 *       17    2  flags
 *
 * Source: MariaDB Knowledge Base, "2-Binlog Event Header". */
struct rf_binlog_header {
    uint32_t timestamp;
    uint8_t type; /* enum rf_binlog_type, or a newer one */
    uint32_t server_id;
    uint32_t size;
    uint32_t end_position;
    uint16_t flags;
};

/* bytes hold at least the header; more is not looked at. Returns RF_OK; RF_FATAL (fewer than 19
 * bytes, or a size that is smaller than the header itself). */
RF_USE_RESULT enum rf_status rf_binlog_header_parse(struct rf_str bytes,
                                                    struct rf_binlog_header *header,
                                                    struct rf_error *err);

/* Type and size out of a header, which has to be all there; nothing is checked.
 * Source: as above, offsets 4 and 9. */
static inline uint8_t rf_binlog_header_type(const char *header)
{
    return (uint8_t)header[4];
}
static inline uint32_t rf_binlog_header_event_size(const char *header)
{
    const unsigned char *at = (const unsigned char *)header + 9;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Source: MariaDB, sql/log_event.h, enum_binlog_checksum_alg. */
enum { RF_BINLOG_CHECKSUM_NONE = 0, RF_BINLOG_CHECKSUM_CRC32 = 1 };

/* How the events of a stream are to be read. Zeroed: before the first format description, when only
 * the artificial ROTATE that a MariaDB server sends first may come; it has no checksum.
 *
 * FORMAT_DESCRIPTION (15), offsets in the body:
 *
 *   offset size
 *        0    2  binlog version: 4
 *        2   50  server version, NUL-padded
 *       52    4  created: when the server started; 0 when the file began by a rotation
 *       56    1  header length: 19
 *       57    n  length of the fixed part of each event type from 1 on
 *     57+n    1  checksum algorithm of the events that follow
 *     58+n    4  CRC32 of this event, whatever the algorithm; RF_BINLOG_FLAG_IN_USE counts as
 *                clear. Out of date where MySQL sends a log without checksums from its middle:
 *                created is 0 then
 *
 * Source: MariaDB Knowledge Base, "FORMAT_DESCRIPTION_EVENT". */
struct rf_binlog_format {
    bool known;          /* false: none was read yet */
    bool mariadb;        /* the table knows MariaDB's types */
    bool in_use;         /* RF_BINLOG_FLAG_IN_USE was set */
    uint8_t checksum;    /* RF_BINLOG_CHECKSUM_* */
    uint8_t fixed_count; /* event types in the table */
    uint8_t fixed[256];  /* by type; [0] is not used */
    uint32_t created;    /* seconds since 1970 UTC, or 0 */
    char server_version[51];
};

/* event is the whole event, header included. The lengths of the types that this room reads are
 * checked here, once, so that the other functions need no format.
 * Returns RF_OK; RF_FATAL (damage; an unknown checksum algorithm; a server so old that its events
 * have another shape), *format untouched. */
RF_USE_RESULT enum rf_status rf_binlog_format_parse(struct rf_str event,
                                                    struct rf_binlog_format *format,
                                                    struct rf_error *err);

/* Verifies the event's checksum as the format says, and sets *body to what lies between header and
 * checksum. event is the whole event; header was read from it. Not for type 15.
 * Returns RF_OK; RF_FATAL (checksum mismatch; event.size is not header->size; too short). */
RF_USE_RESULT enum rf_status rf_binlog_body(const struct rf_binlog_format *format,
                                            const struct rf_binlog_header *header,
                                            struct rf_str event, struct rf_str *body,
                                            struct rf_error *err);

/* ROTATE (4): the log goes on in another file.
 *
 *   offset size
 *        0    8  position of the first event there
 *        8    n  its name, to the end of the body
 *
 * Source: MariaDB Knowledge Base, "ROTATE_EVENT". */
struct rf_binlog_rotate {
    uint64_t position;
    struct rf_str file;
};
RF_USE_RESULT enum rf_status rf_binlog_rotate_parse(struct rf_str body,
                                                    struct rf_binlog_rotate *rotate,
                                                    struct rf_error *err);

/* QUERY (2): a statement, or BEGIN, COMMIT, ROLLBACK, SAVEPOINT, XA ... of a transaction.
 *
 *   offset size
 *        0    4  thread id
 *        4    4  execution time, seconds
 *        8    1  d: bytes of the database's name
 *        9    2  error code that the statement gave on the server
 *       11    2  s: bytes of the status variables
 *       13    s  status variables: code, value; the codes grow, so the first unknown one ends them
 *     13+s  d+1  default database, NUL
 *   14+s+d    n  the statement, to the end of the body, in the client's character set
 *
 * Status variables that are kept: 0 flags2 (4 bytes), 1 sql_mode (8), 4 charset (client,
 * connection, server collation id, 2 each), 13 and MariaDB's 128 microseconds of the timestamp (3),
 * MariaDB's 129 xid (8). The others are stepped over.
 * Source: MariaDB Knowledge Base, "QUERY_EVENT"; MySQL, "Query_event", Query_event_status_vars. */
struct rf_binlog_query {
    uint32_t thread_id;
    uint32_t execution_seconds;
    uint16_t error_code;
    struct rf_str database;
    struct rf_str statement; /* as logged; rf_binlog_statement gives UTF-8 */
    struct rf_str status;    /* the status variables as they are */
    uint16_t charset;        /* collation id of character_set_client; 0: not said */
    uint32_t micros;         /* of the header's timestamp; 0 when not said */
    bool has_flags2;
    bool has_sql_mode;
    bool has_xid;
    uint32_t flags2;
    uint64_t sql_mode;
    uint64_t xid; /* MariaDB: of a DDL statement that is logged with one */
};
RF_USE_RESULT enum rf_status rf_binlog_query_parse(struct rf_str body,
                                                   struct rf_binlog_query *query,
                                                   struct rf_error *err);

/* The statement as UTF-8: itself where it is that already, else a copy in the arena, in which bytes
 * that are not of its character set are marked (value.h).
 * Returns RF_OK; RF_FATAL (bytes above 0x7f in a character set that is not known). */
RF_USE_RESULT enum rf_status rf_binlog_statement(const struct rf_binlog_query *query,
                                                 struct rf_arena *arena, struct rf_str *statement,
                                                 struct rf_error *err);

/* XID (16): the commit of a transaction. Body: 8 bytes, the number of the XA transaction between
 * log and engine (little-endian on every machine that writes one today).
 * Source: MariaDB Knowledge Base, "XID_EVENT". */
RF_USE_RESULT enum rf_status rf_binlog_xid_parse(struct rf_str body, uint64_t *xid,
                                                 struct rf_error *err);

/* INCIDENT (26): the server says that its log has a hole.
 *
 *   offset size
 *        0    2  kind: 1 is "lost events"
 *        2    1  n: bytes of the message
 *        3    n  message
 *
 * Source: MySQL, "Incident_event". */
struct rf_binlog_incident {
    uint16_t kind;
    struct rf_str message;
};
RF_USE_RESULT enum rf_status rf_binlog_incident_parse(struct rf_str body,
                                                      struct rf_binlog_incident *incident,
                                                      struct rf_error *err);

/* Types whose whole body is one string, so that no function is needed: HEARTBEAT (27), the file's
 * name, with its position in the header; ANNOTATE_ROWS (160), the statement behind the rows events
 * that follow. STOP (3) has an empty body.
 * Source: MariaDB Knowledge Base, "HEARTBEAT_LOG_EVENT", "ANNOTATE_ROWS_EVENT", "STOP_EVENT". */

#endif
