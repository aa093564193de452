#include "net/http.h"

#include "net/curl_library.h"

#include <errno.h>
#include <stdio.h>

/* One request on its way. */
struct exchange {
    CURL *curl;
    const struct rf_http_request *request;
    struct rf_http_answer *answer;
    bool enough;  /* whoever takes the lines has what it wants */
    bool too_big; /* the answer is larger than we take */
};

enum rf_status rf_http_open(struct rf_http *http, const char *address, struct rf_error *err)
{
    struct rf_str rest = rf_str_of(address), unix_lead = RF_STR("unix://");
    struct rf_str tcp = RF_STR("tcp://"), plain = RF_STR("http://");

    rf_buf_add_str(&http->address, rest);
    rf_buf_cstr(&http->address);
    if (rf_str_starts(rest, unix_lead) && rest.size > unix_lead.size &&
        rest.data[unix_lead.size] == '/') {
        rf_buf_printf(&http->socket, "%s", address + unix_lead.size);
        rf_buf_cstr(&http->socket);
        rf_buf_printf(&http->base, "http://localhost");
    } else if (rf_str_starts(rest, tcp) && rest.size > tcp.size) {
        rf_buf_printf(&http->base, "http://%s", address + tcp.size);
    } else if (rf_str_starts(rest, plain) && rest.size > plain.size) {
        rf_buf_add_str(&http->base, rest);
    } else {
        rf_fail(err, RF_CONFIG, "'%s' is no address of an engine", address);
        rf_error_hint(err, "write unix:///run/docker.sock or tcp://host:2375");
        return RF_CONFIG;
    }
    while (http->base.size > 0 && http->base.data[http->base.size - 1] == '/') {
        http->base.size--;
    }
    enum rf_status status = rf_curl_library_load(err);
    if (status == RF_OK) {
        http->handle = rf_curl.easy_init();
        rf_assert(http->handle != NULL);
    }
    return status;
}

void rf_http_close(struct rf_http *http)
{
    if (http->handle != NULL) {
        rf_curl.easy_cleanup(http->handle);
    }
    rf_buf_deinit(&http->address);
    rf_buf_deinit(&http->base);
    rf_buf_deinit(&http->socket);
    *http = (struct rf_http){0};
}

void rf_http_answer_deinit(struct rf_http_answer *answer)
{
    rf_buf_deinit(&answer->body);
    rf_buf_deinit(&answer->header);
}

/* ---- What comes back ------------------------------------------------------------------------- */

/* Hands on the whole lines that the body has by now, and keeps the rest. */
static void take_lines(struct exchange *exchange)
{
    struct rf_buf *body = &exchange->answer->body;
    size_t done = 0;

    while (!exchange->enough && done < body->size) {
        const char *at = body->data + done;
        const char *end = memchr(at, '\n', body->size - done);
        if (end == NULL) {
            break;
        }
        struct rf_str line = {at, (size_t)(end - at)};
        if (line.size > 0 && line.data[line.size - 1] == '\r') {
            line.size--;
        }
        done += (size_t)(end - at) + 1;
        exchange->enough = !exchange->request->line(exchange->request->argument, line);
    }
    if (done > 0) {
        memmove(body->data, body->data + done, body->size - done);
        body->size -= done;
    }
}

static size_t on_body(char *data, size_t size, size_t count, void *argument)
{
    struct exchange *exchange = argument;
    long code = 0;

    if (exchange->answer->body.size + count > RF_HTTP_ANSWER_MAX) {
        exchange->too_big = true;
        return 0;
    }
    rf_buf_add(&exchange->answer->body, data, size * count);
    rf_curl.easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &code);
    if (exchange->request->line != NULL && code >= 200 && code < 300) {
        take_lines(exchange);
    }
    return exchange->enough ? 0 : count; /* less than was given ends it */
}

static size_t on_header(char *data, size_t size, size_t count, void *argument)
{
    struct exchange *exchange = argument;
    struct rf_http_answer *answer = exchange->answer;
    struct rf_str line = {data, size * count}, name;

    if (answer->want != NULL && rf_str_split(&line, ':', &name) && line.data != NULL &&
        rf_str_equal_nocase(name, rf_str_of(answer->want))) {
        rf_buf_set(&answer->header, rf_str_trim(line));
    }
    return count;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static struct curl_slist *prepare(struct exchange *exchange, const struct rf_http *http,
                                  const char *url)
{
    const struct rf_http_request *request = exchange->request;
    CURL *curl = exchange->curl;
    struct curl_slist *headers = rf_curl.slist_append(NULL, "Expect:");

    rf_curl.easy_reset(curl); /* the connection stays */
    rf_curl.easy_setopt(curl, CURLOPT_URL, url);
    if (http->socket.size > 0) {
        rf_curl.easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, http->socket.data);
    }
    rf_curl.easy_setopt(curl, CURLOPT_PROXY, "");
    rf_curl.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    rf_curl.easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    rf_curl.easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    rf_curl.easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    rf_curl.easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    rf_curl.easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    rf_curl.easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    rf_curl.easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    if (request->line == NULL) {
        rf_curl.easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    } else {
        rf_curl.easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        rf_curl.easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(request->timeout_ms + 999) / 1000);
    }
    if (request->type != NULL || strcmp(request->method, "POST") == 0) {
        char type[96];
        rf_curl.easy_setopt(curl, CURLOPT_POSTFIELDS,
                            request->body.size > 0 ? request->body.data : "");
        rf_curl.easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        snprintf(type, sizeof type, "Content-Type:%s%s", request->type ? " " : "",
                 request->type ? request->type : "");
        headers = rf_curl.slist_append(headers, type);
    }
    rf_curl.easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    return headers;
}

static enum rf_status fail(const struct exchange *exchange, const struct rf_http *http,
                           CURLcode code, struct rf_error *err)
{
    const char *address = http->address.data;
    long number = 0;

    rf_curl.easy_getinfo(exchange->curl, CURLINFO_OS_ERRNO, &number);
    if (exchange->too_big) {
        return rf_fail(err, RF_CONFIG, "%s sends an answer of more than %d MB", address,
                       RF_HTTP_ANSWER_MAX >> 20);
    }
    if (code == CURLE_COULDNT_CONNECT && (number == EACCES || number == EPERM)) {
        rf_fail(err, RF_CONFIG, "no right to use %s: %s", address, strerror((int)number));
        if (err != NULL) {
            err->access = true;
        }
        return RF_CONFIG;
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY) {
        return rf_fail(err, RF_CONFIG, "what answers at %s does not speak HTTP: %s", address,
                       rf_curl.easy_strerror(code));
    }
    rf_fail(err, RF_RETRY, "%s: %s%s%s", address, rf_curl.easy_strerror(code),
            code == CURLE_COULDNT_CONNECT && number != 0 ? ": " : "",
            code == CURLE_COULDNT_CONNECT && number != 0 ? strerror((int)number) : "");
    if (err != NULL) {
        err->connect = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    }
    return RF_RETRY;
}

enum rf_status rf_http_call(struct rf_http *http, const struct rf_http_request *request,
                            struct rf_http_answer *answer, struct rf_error *err)
{
    struct exchange exchange = {.curl = http->handle, .request = request, .answer = answer};
    struct rf_buf url = {0};
    enum rf_status status = RF_OK;

    answer->code = 0;
    rf_buf_reset(&answer->body);
    rf_buf_reset(&answer->header);
    rf_buf_printf(&url, "%.*s%s", RF_STR_ARG(rf_buf_str(&http->base)), request->path);
    struct curl_slist *headers = prepare(&exchange, http, rf_buf_cstr(&url));
    CURLcode code = rf_curl.easy_perform(exchange.curl);
    rf_curl.easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &answer->code);
    if (code != CURLE_OK && !exchange.enough) {
        status = fail(&exchange, http, code, err);
    }
    rf_curl.slist_free_all(headers);
    rf_buf_deinit(&url);
    return status;
}

void rf_http_encode(struct rf_buf *out, struct rf_str text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte != '\0' && strchr(plain, byte) != NULL) {
            rf_buf_add_byte(out, byte);
        } else {
            rf_buf_printf(out, "%%%02X", (unsigned)(unsigned char)byte);
        }
    }
}
