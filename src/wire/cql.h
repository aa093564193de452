/* Frames of Cassandra's native protocol, versions 4 and 5: requests to bytes, and the heads of
 * answers and errors out of bytes.
 *
 * Used by net/cql; results are read by cql_result.h, values by cql_value.h. All numbers are
 * big-endian. A frame is
 *
 *   offset  size
 *   0       1     version, 4 or 5; with bit 0x80 in an answer
 *   1       1     flags: 1 compressed, 2 tracing, 4 custom payload, 8 warnings
 *   2       2     stream: pairs answers with requests; negative ones belong to the server
 *   4       1     opcode
 *   5       4     size of the body
 *   9             body
 *
 * and a body is made of
 *
 *   [int] 4 bytes   [short] 2   [long] 8   [byte] 1
 *   [string]        [short] n, n bytes of UTF-8       [long string]  [int] n, n bytes of UTF-8
 *   [bytes]         [int] n, n bytes; n < 0: null     [short bytes]  [short] n, n bytes
 *   [value]         as [bytes], n = -1: null, n = -2: not set
 *   [string list]   [short] n, n times [string]       [string map]   [short] n, n times two of them
 *   [multimap]      [short] n, n times [string] [string list]
 *   [inet]          [byte] n, n bytes, [int] port     [inetaddr]     the same without the port
 *
 * In version 5 frames travel in segments (cql_segment.h) once STARTUP is answered, and only the
 * segments are compressed.
 *
 * Source: Apache Cassandra, doc/native_protocol_v4.spec and native_protocol_v5.spec, sections 2 to
 * 4 and 9; CASSANDRA-17659 for what they get wrong. */
#ifndef ROWFERRY_WIRE_CQL_H
#define ROWFERRY_WIRE_CQL_H

#include "wire/cursor.h"

#include <endian.h>

enum {
    RF_CQL_HEADER = 9,
    RF_CQL_VERSION_MIN = 4,
    RF_CQL_VERSION_MAX = 5,
    RF_CQL_ANSWER = 0x80, /* in the version byte */
    /* bytes of a body that anybody may send, and that an answer may have */
    RF_CQL_BODY_MAX = 256 * 1024 * 1024,
    RF_CQL_STREAMS = 32768,
};

enum rf_cql_opcode {
    RF_CQL_ERROR = 0x00,
    RF_CQL_STARTUP = 0x01,
    RF_CQL_READY = 0x02,
    RF_CQL_AUTHENTICATE = 0x03,
    RF_CQL_OPTIONS = 0x05,
    RF_CQL_SUPPORTED = 0x06,
    RF_CQL_QUERY = 0x07,
    RF_CQL_RESULT = 0x08,
    RF_CQL_PREPARE = 0x09,
    RF_CQL_EXECUTE = 0x0A,
    RF_CQL_REGISTER = 0x0B,
    RF_CQL_EVENT = 0x0C,
    RF_CQL_BATCH = 0x0D,
    RF_CQL_AUTH_CHALLENGE = 0x0E,
    RF_CQL_AUTH_RESPONSE = 0x0F,
    RF_CQL_AUTH_SUCCESS = 0x10,
};

enum rf_cql_frame_flag {
    RF_CQL_FRAME_COMPRESSED = 0x01,
    RF_CQL_FRAME_TRACING = 0x02,
    RF_CQL_FRAME_PAYLOAD = 0x04,
    RF_CQL_FRAME_WARNING = 0x08,
};

enum rf_cql_consistency {
    RF_CQL_ANY = 0x00,
    RF_CQL_ONE = 0x01,
    RF_CQL_TWO = 0x02,
    RF_CQL_THREE = 0x03,
    RF_CQL_QUORUM = 0x04,
    RF_CQL_ALL = 0x05,
    RF_CQL_LOCAL_QUORUM = 0x06,
    RF_CQL_EACH_QUORUM = 0x07,
    RF_CQL_SERIAL = 0x08,
    RF_CQL_LOCAL_SERIAL = 0x09,
    RF_CQL_LOCAL_ONE = 0x0A,
};

/* What an ERROR is about. */
enum rf_cql_code {
    RF_CQL_SERVER_ERROR = 0x0000,
    RF_CQL_PROTOCOL_ERROR = 0x000A,
    RF_CQL_BAD_CREDENTIALS = 0x0100,
    RF_CQL_UNAVAILABLE = 0x1000,
    RF_CQL_OVERLOADED = 0x1001,
    RF_CQL_BOOTSTRAPPING = 0x1002,
    RF_CQL_TRUNCATE_ERROR = 0x1003,
    RF_CQL_WRITE_TIMEOUT = 0x1100,
    RF_CQL_READ_TIMEOUT = 0x1200,
    RF_CQL_READ_FAILURE = 0x1300,
    RF_CQL_FUNCTION_FAILURE = 0x1400,
    RF_CQL_WRITE_FAILURE = 0x1500,
    RF_CQL_CDC_WRITE_FAILURE = 0x1600,
    RF_CQL_CAS_WRITE_UNKNOWN = 0x1700,
    RF_CQL_SYNTAX_ERROR = 0x2000,
    RF_CQL_UNAUTHORIZED = 0x2100,
    RF_CQL_INVALID = 0x2200,
    RF_CQL_CONFIG_ERROR = 0x2300,
    RF_CQL_ALREADY_EXISTS = 0x2400,
    RF_CQL_UNPREPARED = 0x2500,
};

/* ---- reading */

/* The next `size` bytes as a number, size 1 to 8. */
static inline uint64_t rf_cql_number(struct rf_cursor *cursor, size_t size, const char *what)
{
    uint64_t number = 0;
    if (rf_cursor_left(cursor) < size) {
        rf_cursor_fail(cursor, what);
        return 0;
    }
    number = rf_load_sized_be(cursor->at, size);
    cursor->at += size;
    return number;
}
static inline int32_t rf_cql_int(struct rf_cursor *cursor, const char *what)
{
    return (int32_t)(uint32_t)rf_cql_number(cursor, 4, what);
}
static inline uint16_t rf_cql_short(struct rf_cursor *cursor, const char *what)
{
    return (uint16_t)rf_cql_number(cursor, 2, what);
}
/* [string] and [short bytes]; not copied. */
static inline struct rf_str rf_cql_string(struct rf_cursor *cursor, const char *what)
{
    return rf_cursor_str(cursor, rf_cql_short(cursor, what), what);
}
/* [bytes] and [value]; not copied. NULL data: null or not set. */
static inline struct rf_str rf_cql_bytes(struct rf_cursor *cursor, const char *what)
{
    int32_t size = rf_cql_int(cursor, what);
    struct rf_str bytes =
        size < 0 ? RF_STR_NONE : rf_cursor_str(cursor, (uint64_t)(uint32_t)size, what);
    return size == 0 && cursor->missing == NULL ? RF_STR("") : bytes;
}

struct rf_cql_frame {
    uint8_t version; /* without RF_CQL_ANSWER */
    uint8_t flags;
    int16_t stream;
    uint8_t opcode;
    uint32_t size; /* of the body, up to RF_CQL_BODY_MAX */
};
/* Reads the RF_CQL_HEADER bytes in front of an answer. Returns RF_OK; RF_FATAL: this is no answer
 * of the protocol, or of a version that we do not know. */
RF_USE_RESULT enum rf_status rf_cql_frame_parse(const char *header, struct rf_cql_frame *frame,
                                                struct rf_error *err);

/* Takes off the front of a body what the frame's flags announce: trace id, warnings (*warning: the
 * first one's text, empty without one), custom payload. A body that ends within them fails the
 * cursor. */
void rf_cql_skip_extras(const struct rf_cql_frame *frame, struct rf_cursor *body,
                        struct rf_str *warning);

/* An ERROR's body. Strings lie in the body. */
struct rf_cql_error {
    int32_t code; /* enum rf_cql_code, or one that we do not know */
    struct rf_str message;
    /* where the code has them, else 0 */
    uint16_t consistency;
    int32_t received, required; /* answers of replicas; UNAVAILABLE: alive and required */
    int32_t failures;
    bool data_present; /* reading: the replica that had to send the row itself has answered */
    struct rf_str write_type; /* "SIMPLE", "BATCH", "CAS" ... */
    struct rf_str id;         /* RF_CQL_UNPREPARED: the statement's */
    struct rf_str keyspace;   /* RF_CQL_ALREADY_EXISTS, RF_CQL_FUNCTION_FAILURE */
    struct rf_str name;       /* of the table, empty for a keyspace; of the function */
};
RF_USE_RESULT enum rf_status rf_cql_error_parse(struct rf_cursor *body, unsigned version,
                                                struct rf_cql_error *error, struct rf_error *err);
/* "overloaded", "write timeout"; NULL for a code that we do not know. */
const char *rf_cql_code_name(int32_t code);

/* What the server can do, out of SUPPORTED. */
struct rf_cql_supported {
    unsigned
        version; /* the highest that both sides know; RF_CQL_VERSION_MIN when it does not say */
    bool lz4;
    struct rf_str cql_version; /* "3.4.7"; lies in the body */
};
RF_USE_RESULT enum rf_status rf_cql_supported_parse(struct rf_cursor *body,
                                                    struct rf_cql_supported *supported,
                                                    struct rf_error *err);

/* An EVENT's body, or that of a RESULT about a change of the schema. Strings lie in the body. */
enum rf_cql_event_kind {
    RF_CQL_TOPOLOGY_CHANGE = 1,
    RF_CQL_STATUS_CHANGE,
    RF_CQL_SCHEMA_CHANGE,
    RF_CQL_OTHER_EVENT,
};
struct rf_cql_event {
    enum rf_cql_event_kind kind;
    struct rf_str change;  /* NEW_NODE, REMOVED_NODE; UP, DOWN; CREATED, UPDATED, DROPPED */
    struct rf_str address; /* 4 or 16 bytes */
    int32_t port;
    struct rf_str target;   /* SCHEMA_CHANGE: KEYSPACE, TABLE, TYPE, FUNCTION, AGGREGATE */
    struct rf_str keyspace; /* and its names */
    struct rf_str name;
};
RF_USE_RESULT enum rf_status rf_cql_event_parse(struct rf_cursor *body, struct rf_cql_event *event,
                                                struct rf_error *err);
/* What lies behind the words "SCHEMA_CHANGE"; for results. */
void rf_cql_schema_change_read(struct rf_cursor *body, struct rf_cql_event *event);

/* ---- writing; all append */

static inline void rf_cql_add_short(struct rf_buf *out, uint16_t number)
{
    uint16_t bytes = htobe16(number);
    rf_buf_add(out, &bytes, sizeof bytes);
}
static inline void rf_cql_add_int(struct rf_buf *out, int32_t number)
{
    uint32_t bytes = htobe32((uint32_t)number);
    rf_buf_add(out, &bytes, sizeof bytes);
}
static inline void rf_cql_add_long(struct rf_buf *out, int64_t number)
{
    uint64_t bytes = htobe64((uint64_t)number);
    rf_buf_add(out, &bytes, sizeof bytes);
}
/* [string] and [short bytes], up to 65535 bytes. */
void rf_cql_add_string(struct rf_buf *out, struct rf_str string);
/* [long string], [bytes] and [value], up to INT32_MAX bytes. */
static inline void rf_cql_add_bytes(struct rf_buf *out, struct rf_str bytes)
{
    rf_assert(bytes.size <= INT32_MAX);
    rf_cql_add_int(out, (int32_t)bytes.size);
    rf_buf_add(out, bytes.data, bytes.size);
}
static inline void rf_cql_add_null(struct rf_buf *out)
{
    rf_cql_add_int(out, -1);
}
static inline void rf_cql_add_unset(struct rf_buf *out)
{
    rf_cql_add_int(out, -2);
}

/* Begins a frame; returns where, for rf_cql_end, which writes the body's size into it. */
size_t rf_cql_begin(struct rf_buf *out, unsigned version, int16_t stream,
                    enum rf_cql_opcode opcode);
/* The body may not be larger than RF_CQL_BODY_MAX. */
void rf_cql_end(struct rf_buf *out, size_t begin);

/* The bodies of requests. OPTIONS has none. */
void rf_cql_add_startup(struct rf_buf *out, bool lz4);
/* AUTH_RESPONSE, for PLAIN: the user and the password. */
void rf_cql_add_auth_plain(struct rf_buf *out, struct rf_str user, struct rf_str password);
/* REGISTER, for changes of nodes and of their state. */
void rf_cql_add_register(struct rf_buf *out);
void rf_cql_add_prepare(struct rf_buf *out, unsigned version, struct rf_str text);

/* What goes with a statement. Zeroed: ANY, no values, no pages, the server's own time. */
struct rf_cql_parameters {
    uint16_t consistency;
    uint16_t serial_consistency; /* 0: the server's */
    uint16_t value_count;        /* these follow, by the caller, each a [value] */
    bool has_timestamp;
    bool skip_metadata; /* the answer's rows come without their columns */
    int32_t page_size;  /* 0: all rows in one answer */
    struct rf_str paging_state;
    int64_t timestamp; /* microseconds; of what the statement writes */
};
/* Behind the statement, the parameters up to the values, and then from behind them. The caller
 * writes the values between the two. */
void rf_cql_add_parameters(struct rf_buf *out, unsigned version,
                           const struct rf_cql_parameters *parameters);
void rf_cql_add_parameters_end(struct rf_buf *out, const struct rf_cql_parameters *parameters);

/* QUERY with its values, as CQL has them; NULL data: null. */
void rf_cql_add_query(struct rf_buf *out, unsigned version, struct rf_str text,
                      const struct rf_cql_parameters *parameters, const struct rf_str *values);

/* BATCH: the beginning, for `count` statements, which the caller appends, each by
 * rf_cql_add_batch_prepared and its values; then the end. */
enum rf_cql_batch_kind { RF_CQL_LOGGED = 0, RF_CQL_UNLOGGED = 1, RF_CQL_COUNTER = 2 };
void rf_cql_add_batch(struct rf_buf *out, enum rf_cql_batch_kind kind, uint16_t count);
void rf_cql_add_batch_prepared(struct rf_buf *out, struct rf_str id, uint16_t value_count);
void rf_cql_add_batch_text(struct rf_buf *out, struct rf_str text, uint16_t value_count);
void rf_cql_add_batch_end(struct rf_buf *out, unsigned version,
                          const struct rf_cql_parameters *parameters);

#endif
