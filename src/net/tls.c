#include "net/tls.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

enum { SLICE_MS = 100 /* the longest that an interrupt waits for being seen */ };

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

bool rf_host_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (rf_str_equal_nocase(rf_str_of(host), RF_STR("localhost"))) {
        return true;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool rf_tls_wanted(const struct rf_tls_options *options, const char *host)
{
    return options->mode == RF_TLS_ON ||
           (options->mode == RF_TLS_AUTO && !rf_host_is_loopback(host));
}

/* ------------------------------------------------------------------------------------- the wire */

/* OpenSSL's own socket BIO raises SIGPIPE when the other side is gone. */
static int wire_write(BIO *bio, const char *data, int size)
{
    const struct rf_tls *tls = BIO_get_data(bio);
    ssize_t sent;
    do {
        sent = send(tls->fd, data, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        BIO_set_retry_write(bio);
    }
    return (int)sent;
}

static int wire_read(BIO *bio, char *data, int size)
{
    const struct rf_tls *tls = BIO_get_data(bio);
    ssize_t got;
    do {
        got = recv(tls->fd, data, (size_t)size, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        BIO_set_retry_read(bio);
    } else if (got == 0) {
        errno = 0; /* else an old one would be taken for the reason */
    }
    return (int)got;
}

static long wire_control(BIO *bio, int command, long number, void *argument)
{
    (void)bio;
    (void)number;
    (void)argument;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *wire;

static void create_wire(void)
{
    wire = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    rf_assert(wire != NULL);
    BIO_meth_set_write(wire, wire_write);
    BIO_meth_set_read(wire, wire_read);
    BIO_meth_set_ctrl(wire, wire_control);
}

static void attach(struct rf_tls *tls)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, create_wire);
    BIO *bio = BIO_new(wire);
    rf_assert(bio != NULL);
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->session, bio, bio);
}

/* --------------------------------------------------------------------------------------- errors */

/* The reason of the library's last error, for people; never empty. */
static const char *reason(unsigned long code)
{
    const char *text = ERR_reason_error_string(code);
    return text != NULL ? text : "unknown error";
}

static enum rf_status lost(const struct rf_tls *tls, const char *why, struct rf_error *err)
{
    return rf_fail(err, RF_RETRY, "the TLS connection to %s was lost: %s", tls->peer, why);
}

/* True for an alert about the certificate that we showed, or did not. */
static bool about_our_certificate(unsigned long code)
{
    switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return true;
    default: return false;
    }
}

static enum rf_status refused_ours(const struct rf_tls *tls, unsigned long code,
                                   struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "%s does not accept our certificate: %s", tls->peer, reason(code));
    rf_error_hint(err, "tls_cert and tls_key name a certificate, and its key, that the server "
                       "trusts");
    if (err != NULL) {
        err->access = true;
    }
    return RF_CONFIG;
}

/* What a call that moved nothing means. */
static enum rf_status nothing_moved(const struct rf_tls *tls, int result, short *events,
                                    struct rf_error *err)
{
    int code = errno;
    switch (SSL_get_error(tls->session, result)) {
    case SSL_ERROR_WANT_READ: *events = POLLIN; return RF_AGAIN;
    case SSL_ERROR_WANT_WRITE: *events = POLLOUT; return RF_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return lost(tls, "closed by the server", err);
    case SSL_ERROR_SYSCALL:
        return lost(tls, code != 0 ? strerror(code) : "closed by the server", err);
    default: break;
    }
    unsigned long first = ERR_get_error();
    if (about_our_certificate(first)) {
        return refused_ours(tls, first, err);
    }
    if (ERR_GET_REASON(first) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return lost(tls, "closed by the server", err);
    }
    return lost(tls, reason(first), err);
}

static enum rf_status bad_file(const char *option, const char *path, struct rf_error *err)
{
    return rf_fail(err, RF_CONFIG, "%s: %s cannot be used: %s", option, path,
                   reason(ERR_get_error()));
}

/* ------------------------------------------------------------------------------------ preparing */

/* The library would ask for one on the terminal otherwise, and wait. */
static int no_phrase(char *text, int size, int writing, void *argument)
{
    bool *asked = argument;
    (void)text;
    (void)size;
    (void)writing;
    if (asked != NULL) {
        *asked = true;
    }
    return -1;
}

static enum rf_status load_files(SSL_CTX *context, const struct rf_tls_options *options,
                                 struct rf_error *err)
{
    const char *key = is_set(options->key) ? options->key : options->cert;
    if (is_set(options->ca)) {
        if (SSL_CTX_load_verify_file(context, options->ca) != 1) {
            return bad_file("tls_ca", options->ca, err);
        }
    } else if (!options->skip_verify && SSL_CTX_set_default_verify_paths(context) != 1) {
        return rf_fail(err, RF_CONFIG, "the certificates that this system trusts cannot be read");
    }
    if (is_set(options->key) && !is_set(options->cert)) {
        rf_fail(err, RF_CONFIG, "tls_key is set without tls_cert");
        rf_error_hint(err, "a key is of use with its certificate only");
        return RF_CONFIG;
    }
    if (!is_set(options->cert)) {
        return RF_OK;
    }
    if (SSL_CTX_use_certificate_chain_file(context, options->cert) != 1) {
        return bad_file("tls_cert", options->cert, err);
    }
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context, no_phrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
    int used = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (used != 1 && asked) {
        rf_fail(err, RF_CONFIG, "tls_key: %s is encrypted with a pass phrase", key);
        rf_error_hint(err, "`openssl pkey -in KEY -out NEW` writes it without one; let nobody else "
                           "read that file");
        return RF_CONFIG;
    }
    if (used != 1) {
        return bad_file("tls_key", key, err);
    }
    return RF_OK;
}

enum rf_status rf_tls_check_files(const struct rf_tls_options *options, struct rf_error *err)
{
    if (!is_set(options->ca) && !is_set(options->cert) && !is_set(options->key)) {
        return RF_OK; /* reading all that the system trusts takes 20 ms */
    }
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    rf_assert(context != NULL);
    enum rf_status status = load_files(context, options, err);
    SSL_CTX_free(context);
    return status;
}

/* The name is asked for in the handshake, and must be in the certificate. */
static void expect_host(SSL *session, const char *host, bool verify)
{
    X509_VERIFY_PARAM *wanted = SSL_get0_param(session);
    bool address = is_address(host);
    if (!address) {
        rf_assert(SSL_set_tlsext_host_name(session, host) == 1);
    }
    if (!verify) {
        SSL_set_verify(session, SSL_VERIFY_NONE, NULL);
        return;
    }
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    rf_assert((address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host)
                       : X509_VERIFY_PARAM_set1_host(wanted, host, 0)) == 1);
    SSL_set_verify(session, SSL_VERIFY_PEER, NULL);
}

static enum rf_status prepare(struct rf_tls *tls, const char *host,
                              const struct rf_tls_options *options, struct rf_error *err)
{
    if (strlen(host) > TLSEXT_MAXLEN_host_name) {
        return rf_fail(err, RF_CONFIG, "a host's name has at most %d characters",
                       TLSEXT_MAXLEN_host_name);
    }
    tls->context = SSL_CTX_new(TLS_client_method());
    rf_assert(tls->context != NULL);
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    enum rf_status status = load_files(tls->context, options, err);
    if (status == RF_OK) {
        tls->session = SSL_new(tls->context);
        rf_assert(tls->session != NULL);
        attach(tls);
        expect_host(tls->session, host, !options->skip_verify);
    }
    return status;
}

/* ------------------------------------------------------------------------------------ handshake */

static enum rf_status bad_certificate(const struct rf_tls *tls, const char *host,
                                      struct rf_error *err)
{
    long result = SSL_get_verify_result(tls->session);
    rf_fail(err, RF_CONFIG, "the certificate of %s is not good: %s", tls->peer,
            X509_verify_cert_error_string(result));
    if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        rf_error_hint(err, "it must name %s, as the address does", host);
    } else if (result == X509_V_ERR_CERT_HAS_EXPIRED || result == X509_V_ERR_CERT_NOT_YET_VALID) {
        rf_error_hint(err, "the server needs a new one, or this machine's clock is wrong");
    } else {
        rf_error_hint(err, "it must be signed by one that tls_ca or this system trusts");
    }
    return RF_CONFIG;
}

/* An error of the handshake other than waiting. */
static enum rf_status broken_off(const struct rf_tls *tls, int result, const char *host,
                                 struct rf_error *err)
{
    int code = errno;
    unsigned long first = ERR_peek_error();
    if (SSL_get_error(tls->session, result) == SSL_ERROR_SSL) {
        switch (ERR_GET_REASON(first)) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED: return bad_certificate(tls, host, err);
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
        case SSL_R_HTTP_REQUEST:
            rf_fail(err, RF_CONFIG, "%s does not speak TLS", tls->peer);
            rf_error_hint(err, "give the port that has TLS, or ask for a connection in the clear: "
                               "tls=off");
            return RF_CONFIG;
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        case SSL_R_UNSUPPORTED_PROTOCOL:
            rf_fail(err, RF_CONFIG, "%s speaks only TLS of before 1.2", tls->peer);
            rf_error_hint(err, "switch TLS 1.2 or later on in the server");
            return RF_CONFIG;
        default: break;
        }
        if (about_our_certificate(first)) {
            return refused_ours(tls, first, err);
        }
    }
    bool closed = first == 0 || ERR_GET_REASON(first) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    rf_fail(err, RF_RETRY, "the TLS handshake with %s was broken off: %s", tls->peer,
            !closed     ? reason(first)
            : code != 0 ? strerror(code)
                        : "closed by the server");
    rf_error_hint(err, "if that port has no TLS, ask for a connection in the clear: tls=off");
    return RF_RETRY;
}

static enum rf_status shake_hands(struct rf_tls *tls, const char *host, int64_t deadline_ms,
                                  const atomic_bool *interrupted, struct rf_error *err)
{
    for (;;) {
        if (atomic_load(interrupted)) {
            return rf_fail(err, RF_RETRY, "the connection to %s was interrupted", tls->peer);
        }
        ERR_clear_error();
        errno = 0;
        int result = SSL_connect(tls->session);
        if (result == 1) {
            return RF_OK;
        }
        int wish = SSL_get_error(tls->session, result);
        if (wish != SSL_ERROR_WANT_READ && wish != SSL_ERROR_WANT_WRITE) {
            return broken_off(tls, result, host, err);
        }
        if (rf_clock_ms() >= deadline_ms) {
            rf_fail(err, RF_RETRY, "%s did not answer the TLS handshake", tls->peer);
            rf_error_hint(err, "if that port has no TLS, ask for a connection in the clear: "
                               "tls=off");
            return RF_RETRY;
        }
        struct pollfd wait = {tls->fd, wish == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, 0};
        (void)poll(&wait, 1, SLICE_MS);
    }
}

enum rf_status rf_tls_connect(struct rf_tls *tls, int fd, const char *host, const char *peer,
                              const struct rf_tls_options *options, int64_t deadline_ms,
                              const atomic_bool *interrupted, struct rf_error *err)
{
    tls->fd = fd;
    tls->peer = peer;
    ERR_clear_error();
    enum rf_status status = prepare(tls, host, options, err);
    return status == RF_OK ? shake_hands(tls, host, deadline_ms, interrupted, err) : status;
}

/* ------------------------------------------------------------------------------------- transfer */

enum rf_status rf_tls_send(struct rf_tls *tls, struct rf_str data, size_t *moved, short *events,
                           struct rf_error *err)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(tls->session, data.data, data.size, moved);
    if (result == 1) {
        return RF_OK;
    }
    *moved = 0;
    return nothing_moved(tls, result, events, err);
}

enum rf_status rf_tls_receive(struct rf_tls *tls, void *data, size_t size, size_t *moved,
                              short *events, struct rf_error *err)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_read_ex(tls->session, data, size, moved);
    if (result == 1) {
        return RF_OK;
    }
    *moved = 0;
    return nothing_moved(tls, result, events, err);
}

void rf_tls_close(struct rf_tls *tls)
{
    if (tls->session != NULL && SSL_is_init_finished(tls->session)) {
        ERR_clear_error();
        (void)SSL_shutdown(tls->session);
    }
    SSL_free(tls->session);
    SSL_CTX_free(tls->context);
    *tls = (struct rf_tls){0};
}
