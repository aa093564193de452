#include "net/mysql.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/tls.h"

#include <arpa/inet.h>
#include <errmsg.h>
#include <errno.h>
#include <fcntl.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where the library keeps the TLS session. The header lacks this name when TLS is on. */
typedef unsigned char uchar;
#define HAVE_TLS 1
#include <ma_pvio.h>

enum {
    QUERY_TIMEOUT_MS = 10 * 1000,
    ER_SPECIFIC_ACCESS_DENIED = 1227,
    ER_SOCKET_LOGIN_DENIED = 1698,
    ER_ACCOUNT_LOCKED = 3118, /* MySQL's */
};

/* ---- Interrupting -------------------------------------------------------------------------- */

/* libmariadb calls io_wait with a socket and nothing of ours. */
static _Thread_local struct rf_mysql *waiting;

/* The duplicate shares the connection but not the number, so that shutting it can never hit a
 * stranger who was given the number of a closed socket. Whoever exchanges it out of `wake` owns it:
 * one of interrupt, connect and close. */
static void wake_set(struct rf_mysql *mysql, int fd)
{
    int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    int old = atomic_exchange(&mysql->wake, copy + 1);
    if (old > 0) {
        close(old - 1);
    }
}

void rf_mysql_interrupt(struct rf_mysql *mysql)
{
    /* The flag first: connect stores the socket, then looks at the flag. */
    atomic_store(&mysql->interrupted, true);
    int fd = atomic_exchange(&mysql->wake, 0) - 1;
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
        close(fd);
    }
}

bool rf_mysql_interrupted(const struct rf_mysql *mysql)
{
    return atomic_load(&mysql->interrupted);
}

/* Stands in for the library's poll: knows our deadline, and gives interrupt the socket as early as
 * there is one. timeout is in milliseconds, -1 for none. */
static int io_wait(my_socket fd, my_bool is_read, int timeout)
{
    struct rf_mysql *mysql = waiting;
    if (mysql->connecting && (!is_read || atomic_load(&mysql->wake) == 0)) {
        wake_set(mysql, fd);
    }
    struct pollfd pollfd = {.fd = fd, .events = is_read ? POLLIN : POLLOUT};
    for (;;) {
        int64_t left_ms = mysql->give_up_ms - rf_clock_ms();
        if (rf_mysql_interrupted(mysql) || left_ms <= 0) {
            errno = ETIMEDOUT;
            return rf_mysql_interrupted(mysql) ? -1 : 0;
        }
        if (timeout >= 0 && timeout < left_ms) {
            left_ms = timeout;
        }
        int ready = poll(&pollfd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (ready > 0 || (ready < 0 && errno != EINTR)) {
            return ready;
        }
        if (ready == 0 && left_ms == timeout) {
            errno = ETIMEDOUT;
            return 0;
        }
    }
}

/* ---- Errors -------------------------------------------------------------------------------- */

void rf_mysql_grant(const struct rf_mysql *mysql, struct rf_buf *out)
{
    bool monitor = mysql->handle != NULL && mysql->handle->server_version != NULL &&
                   rf_mysql_is_mariadb(mysql) && mysql_get_server_version(mysql->handle) >= 100502;
    rf_buf_printf(out, "GRANT REPLICATION SLAVE, %s ON *.* TO %s",
                  monitor ? "BINLOG MONITOR" : "REPLICATION CLIENT",
                  mysql->account ? mysql->account : "'user'@'host'");
}

/* A broken connection during the TLS handshake has the same number as a certificate that is
 * refused. */
static bool tls_broke(const char *words)
{
    static const char *const signs[] = {"eof",         "EOF",       "reset",
                                        "Broken pipe", "timed out", "syscall"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (strstr(words, signs[i]) != NULL) {
            return true;
        }
    }
    return strstr(words, "TLS/SSL error: Success") != NULL;
}

static enum rf_status classify(unsigned code, const char *words)
{
    switch (code) {
    case CR_SSL_CONNECTION_ERROR: return tls_broke(words) ? RF_RETRY : RF_CONFIG;
    case CR_VERSION_ERROR:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
    case CR_SECURE_AUTH: return RF_CONFIG;
    case ER_CON_COUNT_ERROR:
    case ER_OUT_OF_RESOURCES:
    case ER_OUTOFMEMORY:
    case ER_SERVER_SHUTDOWN:
    case ER_NORMAL_SHUTDOWN:
    case ER_HANDSHAKE_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
    case ER_CANT_CREATE_THREAD:
    case ER_ABORTING_CONNECTION:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case ER_NET_PACKETS_OUT_OF_ORDER:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_QUERY_INTERRUPTED:
    case ER_STATEMENT_TIMEOUT:
    case ER_CONNECTION_KILLED: return RF_RETRY;
    case ER_MASTER_FATAL_ERROR_READING_BINLOG: return RF_FATAL;
    default: return code >= CR_MIN_ERROR && code <= CR_MAX_ERROR ? RF_RETRY : RF_CONFIG;
    }
}

static void hint(struct rf_mysql *mysql, struct rf_error *err, unsigned code, const char *words)
{
    struct rf_buf text = {0};
    switch (code) {
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_SOCKET_LOGIN_DENIED:
    case ER_HOST_NOT_PRIVILEGED:
        err->access = true;
        rf_error_hint(err,
                      "check user and password, and that the server lets this user in from here%s",
                      mysql->tls ? "" : "; whoever has REQUIRE SSL needs tls=on");
        break;
    case ER_MUST_CHANGE_PASSWORD:
    case ER_MUST_CHANGE_PASSWORD_LOGIN:
        err->access = true;
        rf_error_hint(err, "as an administrator, on the server: ALTER USER ... IDENTIFIED BY a new "
                           "password; with PASSWORD EXPIRE NEVER it does not happen again");
        break;
    case ER_ACCOUNT_LOCKED:
        err->access = true;
        rf_error_hint(err, "as an administrator, on the server: ALTER USER ... ACCOUNT UNLOCK");
        break;
    case ER_SPECIFIC_ACCESS_DENIED:
        rf_mysql_grant(mysql, &text);
        rf_error_hint(err, "as an administrator: %s", rf_buf_cstr(&text));
        break;
    case ER_HOST_IS_BLOCKED: rf_error_hint(err, "on the server: mariadb-admin flush-hosts"); break;
    case CR_SSL_CONNECTION_ERROR:
        if (err->status == RF_CONFIG && strstr(words, "does not support") != NULL) {
            rf_error_hint(
                err, "switch TLS on in the server, or ask for a connection in the clear: tls=off");
        } else if (err->status == RF_CONFIG) {
            rf_error_hint(err,
                          "the certificate must be one that tls_ca or the system vouches for, and "
                          "name the host as the address does");
        }
        break;
    default:
        if (strstr(words, "restricted_auth") != NULL) {
            rf_error_hint(err, "this way to log in shows the password to whoever sits in between. "
                               "It takes TLS with a verified certificate (tls=on, tls_ca=FILE), or "
                               "a server on this machine");
        }
        break;
    }
    rf_buf_deinit(&text);
}

enum rf_status rf_mysql_fail(struct rf_mysql *mysql, struct rf_error *err, const char *doing,
                             unsigned code, const char *words)
{
    struct rf_error unwanted = {0};
    err = err != NULL ? err : &unwanted;
    if (rf_mysql_interrupted(mysql)) {
        return rf_fail(err, RF_RETRY, "%s: interrupted while %s", mysql->where, doing);
    }
    enum rf_status status = classify(code, words);
    if (code == ER_MUST_CHANGE_PASSWORD) {
        doing = "the password has expired: logging in"; /* said when something is asked first */
    }
    rf_fail(err, status, "%s: %s failed: %s (error %u)", mysql->where, doing, words, code);
    err->code = (int)code;
    if (mysql->connecting) {
        err->connect = status == RF_RETRY;
    }
    hint(mysql, err, code, words);
    return status;
}

static enum rf_status fail(struct rf_mysql *mysql, struct rf_error *err, const char *doing)
{
    struct rf_error unwanted = {0};
    unsigned code = mysql_errno(mysql->handle);
    err = err != NULL ? err : &unwanted;
    if (rf_clock_ms() >= mysql->give_up_ms && code >= CR_MIN_ERROR && code <= CR_MAX_ERROR &&
        !rf_mysql_interrupted(mysql)) {
        rf_fail(err, RF_RETRY, "%s: no answer in time while %s", mysql->where, doing);
        err->code = (int)code;
        err->connect = mysql->connecting;
        return RF_RETRY;
    }
    return rf_mysql_fail(mysql, err, doing, code, mysql_error(mysql->handle));
}

/* ---- Connecting ---------------------------------------------------------------------------- */

static void initialise(void)
{
    /* Not thread-safe, and otherwise done by the first mysql_init. */
    mysql_library_init(0, NULL, NULL);
}

static int refuse_infile(void **state, const char *name, void *argument)
{
    (void)name;
    (void)argument;
    *state = NULL;
    return 1;
}

static int refuse_infile_read(void *state, char *buffer, unsigned size)
{
    (void)state;
    (void)buffer;
    (void)size;
    return -1;
}

static void refuse_infile_end(void *state)
{
    (void)state;
}

static int refuse_infile_error(void *state, char *text, unsigned size)
{
    (void)state;
    snprintf(text, size, "the server asked for a file of this machine; refused");
    return CR_UNKNOWN_ERROR;
}

static bool wants_tls(const struct rf_mysql_address *address, const char *host)
{
    if (address->tls != RF_MYSQL_TLS_AUTO) {
        return address->tls == RF_MYSQL_TLS_ON;
    }
    return address->socket == NULL && !rf_host_is_loopback(host);
}

static void set_flag(MYSQL *handle, enum mysql_option option, bool on)
{
    my_bool flag = on;
    mysql_options(handle, option, &flag);
}

static void set_tls(MYSQL *handle, const struct rf_mysql_address *address)
{
    set_flag(handle, MYSQL_OPT_SSL_ENFORCE, true);
    set_flag(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, !address->tls_skip_verify);
    if (address->tls_ca != NULL) {
        mysql_options(handle, MYSQL_OPT_SSL_CA, address->tls_ca);
    } else if (!address->tls_skip_verify) {
        /* Without a CA of its own the library skips parts of the verification: name the
         * system's. */
        const char *directory = getenv(X509_get_default_cert_dir_env());
        mysql_options(handle, MYSQL_OPT_SSL_CAPATH,
                      directory ? directory : X509_get_default_cert_dir());
    }
    if (address->tls_cert != NULL) {
        mysql_options(handle, MYSQL_OPT_SSL_CERT, address->tls_cert);
    }
    if (address->tls_key != NULL) {
        mysql_options(handle, MYSQL_OPT_SSL_KEY, address->tls_key);
    }
}

/* Which ways to prove who we are a server may ask for: none that gives the password away. The
 * sha2 ones send it under a key that the server names, so only where no one can sit in between. */
static void set_authentication(MYSQL *handle, bool private)
{
    mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH,
                  private
                      ? "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password"
                      : "mysql_native_password,client_ed25519");
}

static void set_options(struct rf_mysql *mysql, const struct rf_mysql_address *address,
                        const char *host)
{
    MYSQL *handle = mysql->handle;
    unsigned seconds = (unsigned)(address->timeout_ms / 1000 + 1), off = 0;
    unsigned protocol = address->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_set_local_infile_handler(handle, refuse_infile, refuse_infile_read, refuse_infile_end,
                                   refuse_infile_error, NULL);
    mysql_optionsv(handle, MARIADB_OPT_IO_WAIT, io_wait);
    mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "rowferry");
    mysql->tls = wants_tls(address, host);
    if (mysql->tls) {
        set_tls(handle, address);
    } else {
        set_flag(handle, MYSQL_OPT_SSL_ENFORCE, false);
        set_flag(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, false);
    }
    set_authentication(handle, address->socket != NULL || rf_host_is_loopback(host) ||
                                   (mysql->tls && !address->tls_skip_verify));
}

struct ssl_st *rf_mysql_session(const struct rf_mysql *mysql)
{
    const MARIADB_TLS *tls = mysql->handle->net.pvio->ctls;
    return tls ? tls->ssl : NULL;
}

/* The library's own checks depend on its version and options; what must hold is asked here
 * again. */
static enum rf_status check_tls(struct rf_mysql *mysql, const struct rf_mysql_address *address,
                                const char *host, struct rf_error *err)
{
    if (!mysql->tls) {
        return RF_OK;
    }
    SSL *session = rf_mysql_session(mysql);
    if (session == NULL) {
        rf_fail(err, RF_CONFIG, "%s: the connection is not encrypted", mysql->where);
        rf_error_hint(err,
                      "switch TLS on in the server, or ask for a connection in the clear: tls=off");
        return RF_CONFIG;
    }
    if (address->tls_skip_verify) {
        return RF_OK;
    }
    X509 *certificate = SSL_get1_peer_certificate(session);
    bool good = certificate != NULL && SSL_get_verify_result(session) == X509_V_OK &&
                (X509_check_host(certificate, host, strlen(host), 0, NULL) == 1 ||
                 X509_check_ip_asc(certificate, host, 0) == 1);
    X509_free(certificate);
    if (!good) {
        rf_fail(err, RF_CONFIG, "%s: the server's certificate could not be verified", mysql->where);
        rf_error_hint(err, "the certificate must be one that tls_ca or the system vouches for, and "
                           "name the host as the address does");
        return RF_CONFIG;
    }
    return RF_OK;
}

/* What the server calls us, for the GRANT statements of later messages. */
static enum rf_status find_account(struct rf_mysql *mysql, struct rf_error *err)
{
    struct rf_mysql_result result = {0};
    enum rf_status status =
        rf_mysql_query(mysql,
                       "SELECT QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', "
                       "LENGTH(CURRENT_USER()) - LENGTH(REPLACE(CURRENT_USER(), '@', '')))), "
                       "QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1))",
                       0, &result, err);
    if (status == RF_OK && rf_mysql_result_next(&result)) {
        struct rf_buf text = {0};
        rf_buf_printf(&text, "%.*s@%.*s", RF_STR_ARG(rf_mysql_result_cell(&result, 0)),
                      RF_STR_ARG(rf_mysql_result_cell(&result, 1)));
        rf_buf_cstr(&text);
        mysql->account = text.data;
    }
    rf_mysql_result_deinit(&result);
    return status;
}

enum rf_status rf_mysql_connect(struct rf_mysql *mysql, const struct rf_mysql_address *address,
                                struct rf_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialise);

    const char *host = address->host ? address->host : "127.0.0.1";
    struct rf_buf where = {0};
    if (address->socket != NULL) {
        rf_buf_printf(&where, "%s@%s", address->user ? address->user : "", address->socket);
    } else {
        rf_buf_printf(&where, "%s@%s:%u", address->user ? address->user : "", host, address->port);
    }
    rf_buf_cstr(&where);
    mysql->where = where.data;
    mysql->fd = -1;
    mysql->timeout_ms = address->timeout_ms > 0 ? address->timeout_ms : QUERY_TIMEOUT_MS;
    mysql->give_up_ms = rf_clock_ms() + mysql->timeout_ms;
    if (address->socket != NULL && address->tls == RF_MYSQL_TLS_ON) {
        return rf_fail(err, RF_CONFIG, "%s: tls=on makes no sense over a Unix socket",
                       mysql->where);
    }
    mysql->handle = mysql_init(NULL);
    rf_assert(mysql->handle != NULL);
    set_options(mysql, address, host);
    if (mysql->tls && (address->tls_cert != NULL || address->tls_key != NULL)) {
        struct rf_tls_options files = {.ca = address->tls_ca,
                                       .cert = address->tls_cert,
                                       .key = address->tls_key,
                                       .skip_verify = address->tls_skip_verify};
        enum rf_status usable = rf_tls_check_files(&files, err);
        if (usable != RF_OK) {
            return usable;
        }
    }

    waiting = mysql;
    mysql->connecting = true;
    bool connected =
        mysql_real_connect(mysql->handle, address->socket ? NULL : host, address->user,
                           address->password, NULL, address->port, address->socket, 0) != NULL;
    if (!connected) {
        enum rf_status status = fail(mysql, err, "connecting");
        mysql->connecting = false;
        return status;
    }
    mysql->connecting = false;
    explicit_bzero(mysql->handle->passwd, strlen(mysql->handle->passwd));
    wake_set(mysql, mysql_get_socket(mysql->handle));
    if (rf_mysql_interrupted(mysql)) {
        return rf_fail(err, RF_RETRY, "%s: interrupted while connecting", mysql->where);
    }
    enum rf_status status = check_tls(mysql, address, host, err);
    return status != RF_OK ? status : find_account(mysql, err);
}

void rf_mysql_close(struct rf_mysql *mysql)
{
    if (mysql->handle != NULL) {
        if (mysql->streaming) {
            /* Nobody listens for our farewell behind the stream's unread events. */
            shutdown(mysql->fd, SHUT_RDWR);
        }
        waiting = mysql;
        mysql->give_up_ms = rf_clock_ms() + 1000;
        mysql_close(mysql->handle);
    }
    wake_set(mysql, -1);
    free(mysql->data);
    free(mysql->where);
    free(mysql->account);
    mysql->handle = NULL;
    mysql->data = NULL;
    mysql->where = mysql->account = NULL;
    mysql->capacity = mysql->start = mysql->end = 0;
    mysql->streaming = false;
    mysql->fd = -1;
}

bool rf_mysql_is_mariadb(const struct rf_mysql *mysql)
{
    return mysql->handle != NULL && mariadb_connection(mysql->handle);
}

const char *rf_mysql_version(const struct rf_mysql *mysql)
{
    return mysql_get_server_info(mysql->handle);
}

uint32_t rf_mysql_version_number(const struct rf_mysql *mysql)
{
    return (uint32_t)mysql_get_server_version(mysql->handle);
}

/* ---- Queries ------------------------------------------------------------------------------- */

/* What the server repeats of a statement, it puts in quotes: "near '...'", "entry '...'". */
static void forget_quotes(struct rf_error *err)
{
    char *words = err != NULL ? strstr(err->message, " failed: ") : NULL;
    char *quote = words != NULL ? strchr(words, '\'') : NULL;
    if (quote != NULL) {
        size_t room = sizeof err->message - (size_t)(quote - err->message);
        snprintf(quote, room, "... (error %d)", err->code);
    }
}

/* doing: what messages say; NULL: that the statement was run, with its beginning. */
static enum rf_status query(struct rf_mysql *mysql, const char *statement, const char *doing,
                            int64_t timeout_ms, struct rf_mysql_result *result,
                            struct rf_error *err)
{
    waiting = mysql;
    mysql->give_up_ms = rf_clock_ms() + (timeout_ms > 0 ? timeout_ms : mysql->timeout_ms);
    struct rf_buf text = {0};
    enum rf_status status = RF_OK;
    MYSQL_RES *rows = NULL;
    if (mysql_real_query(mysql->handle, statement, (unsigned long)strlen(statement)) == 0) {
        rows = mysql_store_result(mysql->handle);
    }
    if (mysql_errno(mysql->handle) != 0) {
        rf_buf_printf(&text, "running \"%.200s\"", statement);
        status = fail(mysql, err, doing != NULL ? doing : rf_buf_cstr(&text));
        if (doing != NULL) {
            forget_quotes(err);
        }
    } else if (result != NULL && rows != NULL) {
        result->handle = rows;
        result->column_count = mysql_num_fields(rows);
        rows = NULL;
    }
    if (rows != NULL) {
        mysql_free_result(rows);
    }
    rf_buf_wipe(&text);
    return status;
}

enum rf_status rf_mysql_query(struct rf_mysql *mysql, const char *statement, int64_t timeout_ms,
                              struct rf_mysql_result *result, struct rf_error *err)
{
    return query(mysql, statement, NULL, timeout_ms, result, err);
}

enum rf_status rf_mysql_execute(struct rf_mysql *mysql, const char *statement, const char *doing,
                                struct rf_error *err)
{
    return query(mysql, statement, doing, 0, NULL, err);
}

/*  offset size
 *       0    4  server id
 *       4    1  length of the host's name, then that; the same of user and password: empty
 *       .    2  port: none
 *       .    8  rank and id of the source: the server knows them */
enum rf_status rf_mysql_register(struct rf_mysql *mysql, uint32_t server_id, const char *name,
                                 struct rf_error *err)
{
    static const char rest[1 + 1 + 2 + 4 + 4] = {0};
    struct rf_buf command = {0};
    size_t size = strlen(name);
    rf_assert(size <= RF_MYSQL_REPLICA_NAME_MAX);
    for (int i = 0; i < 4; i++) {
        rf_buf_add_byte(&command, (char)(server_id >> 8 * i));
    }
    rf_buf_add_byte(&command, (char)size);
    rf_buf_add(&command, name, size);
    rf_buf_add(&command, rest, sizeof rest);
    waiting = mysql;
    mysql->give_up_ms = rf_clock_ms() + mysql->timeout_ms;
    int failed = mysql->handle->methods->db_command(mysql->handle, COM_REGISTER_SLAVE, command.data,
                                                    command.size, 0, NULL);
    rf_buf_deinit(&command);
    unsigned code = failed ? mysql_errno(mysql->handle) : 0;
    bool lost = failed && (code == 0 || (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR));
    return lost ? fail(mysql, err, "registering as a replica") : RF_OK;
}

bool rf_mysql_result_next(struct rf_mysql_result *result)
{
    if (result->handle == NULL) {
        return false;
    }
    result->row = mysql_fetch_row(result->handle);
    result->sizes = result->row ? mysql_fetch_lengths(result->handle) : NULL;
    return result->row != NULL;
}

struct rf_str rf_mysql_result_cell(const struct rf_mysql_result *result, uint32_t column)
{
    if (result->row == NULL || column >= result->column_count || result->row[column] == NULL) {
        return RF_STR_NONE;
    }
    return (struct rf_str){result->row[column], result->sizes[column]};
}

uint32_t rf_mysql_result_column(const struct rf_mysql_result *result, const char *name)
{
    for (uint32_t i = 0; i < result->column_count; i++) {
        const MYSQL_FIELD *field = mysql_fetch_field_direct(result->handle, i);
        if (rf_str_equal_nocase(rf_str_of(field->name), rf_str_of(name))) {
            return i;
        }
    }
    return UINT32_MAX;
}

void rf_mysql_result_deinit(struct rf_mysql_result *result)
{
    if (result->handle != NULL) {
        mysql_free_result(result->handle);
    }
    *result = (struct rf_mysql_result){0};
}

void rf_mysql_quote(struct rf_mysql *mysql, struct rf_buf *out, struct rf_str text)
{
    rf_buf_add_byte(out, '\'');
    char *to = rf_buf_reserve(out, text.size * 2 + 1);
    out->size += mysql_real_escape_string(mysql->handle, to, text.data ? text.data : "",
                                          (unsigned long)text.size);
    rf_buf_add_byte(out, '\'');
}
