/* A connection to a MariaDB or MySQL server: logging in, queries, and the stream of its binary log.
 *
 * Used by the sources that read such a server. libmariadb does what it does well: names, TCP, TLS,
 * authentication, queries. The log's stream is read by ourselves from the same socket (or from its
 * TLS session), because the library's reader can neither wait with a deadline nor be asked whether
 * more is there. This knows nothing of what events mean.
 *
 * Nothing here is ever less safe than was asked for: TLS that is wanted and not to be had is an
 * error, LOCAL INFILE requests of the server are refused, and the password is never sent in clear
 * unless TLS is verified.
 *
 * Zeroed is valid and closed. One thread at a time, but for rf_mysql_interrupt. */
#ifndef ROWFERRY_NET_MYSQL_H
#define ROWFERRY_NET_MYSQL_H

#include <rowferry/str.h>
#include <stdatomic.h>

struct st_mysql;
struct st_mysql_res;
struct ssl_st;

enum rf_mysql_tls {
    RF_MYSQL_TLS_AUTO, /* off on loopback and Unix sockets, else on */
    RF_MYSQL_TLS_ON,   /* on, and verified unless verify is off; over a Unix socket refused */
    RF_MYSQL_TLS_OFF,
};

/* Where and how. Everything is borrowed for the call of rf_mysql_connect only. */
struct rf_mysql_address {
    const char *host;   /* NULL: 127.0.0.1; "localhost" is TCP too, not a socket */
    const char *socket; /* path of a Unix socket; wins over host */
    uint16_t port;
    const char *user;
    const char *password;
    enum rf_mysql_tls tls;
    bool tls_skip_verify;
    const char *tls_ca;   /* PEM; NULL: what the system trusts */
    const char *tls_cert; /* PEM, our own; NULL: none */
    const char *tls_key;
    int64_t timeout_ms; /* of the whole way to the end of the log-in */
};

struct rf_mysql {
    struct st_mysql *handle;
    atomic_bool interrupted;
    atomic_int wake;    /* a duplicate of the socket, plus 1; who exchanges it for 0 closes it */
    int64_t give_up_ms; /* when the blocking call under way ends, on the monotonic clock */
    int64_t timeout_ms; /* of one query */
    char *where;        /* "user@host:port", for messages */
    char *account;      /* 'user'@'host' as the server sees us, for GRANT statements; may be NULL */
    bool connecting;
    bool tls;
    bool annotations; /* set by the owner: the next stream has ANNOTATE_ROWS events in it */

    /* The log's stream; owned by mysql_stream.c. */
    int fd;     /* of the open stream, borrowed from handle */
    char *data; /* what was received */
    size_t capacity;
    size_t start;     /* of the packet that is handed out, or will be next */
    size_t end;       /* of what was received */
    size_t handed;    /* bytes from start on that the caller looks at */
    size_t joined;    /* payload of a large event's packets so far, headers taken out */
    bool joining;     /* ... and more of them follow */
    uint8_t sequence; /* number that the next packet must have */
    bool streaming;
    int64_t heard_ms; /* when the server was last heard */
    int64_t silence_ms;
};

/* Connects and logs in. mysql is closed before. Returns RF_OK; RF_RETRY (not reachable,
 * interrupted, timed out; err->connect when no connection came about); RF_CONFIG (refused:
 * err->access for user and password; TLS not as wanted). */
RF_USE_RESULT enum rf_status rf_mysql_connect(struct rf_mysql *mysql,
                                              const struct rf_mysql_address *address,
                                              struct rf_error *err);

/* Closes and gives back everything. Accepts closed ones. An interrupt stays in force. */
void rf_mysql_close(struct rf_mysql *mysql);

/* Makes the call under way, and each later one, return soon with RF_RETRY. Not while, nor after,
 * the memory of mysql goes away. Thread: any. */
void rf_mysql_interrupt(struct rf_mysql *mysql);
bool rf_mysql_interrupted(const struct rf_mysql *mysql);

/* True for a MariaDB server, false for MySQL and its kin. */
bool rf_mysql_is_mariadb(const struct rf_mysql *mysql);
/* "10.11.19-MariaDB-..."; valid until close. */
const char *rf_mysql_version(const struct rf_mysql *mysql);
/* The same as a number, 101119 or 90704. */
uint32_t rf_mysql_version_number(const struct rf_mysql *mysql);

/* A result, whole in memory. Zeroed is empty. */
struct rf_mysql_result {
    struct st_mysql_res *handle;
    char **row;
    unsigned long *sizes;
    uint32_t column_count;
};

/* Runs one statement; timeout_ms 0 is the one of the connection. result may be NULL when no answer
 * is of interest; else the caller gives it to rf_mysql_result_deinit, also after an error.
 * Returns RF_OK; RF_RETRY (connection lost, server going down, interrupted); RF_CONFIG (refused by
 * the server; a missing privilege with the GRANT that gives it). err->code is the server's. */
RF_USE_RESULT enum rf_status rf_mysql_query(struct rf_mysql *mysql, const char *statement,
                                            int64_t timeout_ms, struct rf_mysql_result *result,
                                            struct rf_error *err);
/* Runs a statement that holds rows or secrets: messages say what was done instead ("writing to
 * shop.orders"), nothing of the statement, and nothing that the server repeats of it. For one
 * without an answer. Returns as rf_mysql_query. */
RF_USE_RESULT enum rf_status rf_mysql_execute(struct rf_mysql *mysql, const char *statement,
                                              const char *doing, struct rf_error *err);
/* Goes to the next row; false behind the last one. */
bool rf_mysql_result_next(struct rf_mysql_result *result);
/* A cell of the row, by its column's number; data is NULL for SQL's NULL and for columns that are
 * not there. Valid until the result's deinit. */
struct rf_str rf_mysql_result_cell(const struct rf_mysql_result *result, uint32_t column);
/* Number of the column of that name, letters of either case; UINT32_MAX: none. */
uint32_t rf_mysql_result_column(const struct rf_mysql_result *result, const char *name);
void rf_mysql_result_deinit(struct rf_mysql_result *result);

/* Appends text as an SQL string in quotes. mysql is connected. */
void rf_mysql_quote(struct rf_mysql *mysql, struct rf_buf *out, struct rf_str text);

/* What a replica must be granted, as one statement to copy: "GRANT ... ON *.* TO 'user'@'host'".
 * Appends. */
void rf_mysql_grant(const struct rf_mysql *mysql, struct rf_buf *out);

/* Says who will read the log, which makes us known to whoever asks the server for its replicas:
 * `name` is shown as our host, of at most RF_MYSQL_REPLICA_NAME_MAX bytes. The server needs none of
 * this; what refuses it, a proxy maybe, is asked for the log all the same. Returns RF_OK or
 * RF_RETRY.
 * Source: MySQL Source Code Documentation and MariaDB Knowledge Base, "COM_REGISTER_SLAVE". */
enum { RF_MYSQL_REPLICA_NAME_MAX = 60 };
RF_USE_RESULT enum rf_status rf_mysql_register(struct rf_mysql *mysql, uint32_t server_id,
                                               const char *name, struct rf_error *err);

/* Asks for the log's stream: from `file` at `position`, or, when file is empty, from where
 * @slave_connect_state says. server_id is the one that we claim to have, silence_ms the longest
 * pause that the server may make (it was asked for heartbeats). From here on only
 * rf_mysql_read_event and close may be called. Returns RF_OK or RF_RETRY.
 * Source: MariaDB Knowledge Base, "COM_BINLOG_DUMP". */
RF_USE_RESULT enum rf_status rf_mysql_dump(struct rf_mysql *mysql, struct rf_str file,
                                           uint32_t position, uint32_t server_id,
                                           int64_t silence_ms, struct rf_error *err);

/* The same behind a set of GTIDs of a MySQL server with gtid_mode=ON: set is as rf_gtid_set_encode
 * writes it. Returns as rf_mysql_dump.
 * Source: MySQL Source Code Documentation, "COM_BINLOG_DUMP_GTID". */
RF_USE_RESULT enum rf_status rf_mysql_dump_behind(struct rf_mysql *mysql, struct rf_str set,
                                                  uint32_t server_id, int64_t silence_ms,
                                                  struct rf_error *err);

/* The next event's bytes, valid until the next call. deadline_ms in the past never waits. Returns
 * RF_OK; RF_AGAIN (not there by deadline_ms); RF_RETRY (connection lost, silence, the server ended
 * the stream, interrupted); RF_FATAL (the server refused; err->code is its error, 1236 for nearly
 * everything, and the message has its words); RF_CONFIG (another reader has our server id; a
 * missing privilege). After anything but OK and AGAIN only close is of use. */
RF_USE_RESULT enum rf_status rf_mysql_read_event(struct rf_mysql *mysql, int64_t deadline_ms,
                                                 struct rf_str *event, struct rf_error *err);

/* ---- Between mysql.c and mysql_stream.c ---- */

/* The connection's TLS session; NULL without one. */
struct ssl_st *rf_mysql_session(const struct rf_mysql *mysql);
/* Fills err from a number and words of the server or the library. doing: "reading the log". */
enum rf_status rf_mysql_fail(struct rf_mysql *mysql, struct rf_error *err, const char *doing,
                             unsigned code, const char *words) __attribute__((cold));

#endif
