#include "lib/http_script.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct rf_test_http {
    char directory[64];
    char address[96];
    int listener;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    const struct rf_test_http_rule *rules;
    struct rf_buf requests;
    struct rf_buf shown;
};

static void must(bool fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "http_script: %s: %s\n", what, strerror(errno));
        abort();
    }
}

/* One request, whole: its head ends with an empty line, and says how long its body is. False: the
 * other side has closed. */
static bool receive(int fd, struct rf_buf *out)
{
    rf_buf_reset(out);
    for (;;) {
        const char *text = rf_buf_cstr(out), *end = strstr(text, "\r\n\r\n");
        if (end != NULL) {
            const char *length = strcasestr(text, "\r\nContent-Length:");
            size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
            if (out->size >= (size_t)(end - text) + 4 + body) {
                return true;
            }
        }
        ssize_t got = read(fd, rf_buf_reserve(out, 65536), 65536);
        if (got <= 0) {
            return false;
        }
        out->size += (size_t)got;
    }
}

static const struct rf_test_http_rule *rule_for(struct rf_test_http *http, const char *request)
{
    static const struct rf_test_http_rule none = {.request = "", .code = 501, .body = ""};

    for (const struct rf_test_http_rule *rule = http->rules; rule->request != NULL; rule++) {
        if (strncmp(request, rule->request, strlen(rule->request)) == 0) {
            return rule;
        }
    }
    return &none;
}

static bool send_all(int fd, struct rf_str bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes = (struct rf_str){bytes.data + sent, bytes.size - (size_t)sent};
    }
    return true;
}

/* False: the connection is over. */
static bool answer(struct rf_test_http *http, int fd, struct rf_buf *request)
{
    struct rf_buf out = {0};
    const char *text = rf_buf_cstr(request), *body = strstr(text, "\r\n\r\n") + 4;
    const char *end = strstr(text, " HTTP/");

    pthread_mutex_lock(&http->mutex);
    struct rf_test_http_rule rule = *rule_for(http, text); /* whose owner may go on meanwhile */
    rf_buf_add(&http->requests, text, end != NULL ? (size_t)(end - text) : 0);
    rf_buf_printf(&http->requests, " %s\n", body);
    pthread_mutex_unlock(&http->mutex);
    if (rule.code == 0) {
        return false;
    }
    size_t size = rule.size > 0 ? rule.size : strlen(rule.body);
    rf_buf_printf(&out, "HTTP/1.1 %d Scripted\r\nContent-Length: %zu\r\n%s%s\r\n", rule.code,
                  rule.code == 204 || rule.code == 304 ? 0 : size,
                  rule.header != NULL ? rule.header : "", rule.header != NULL ? "\r\n" : "");
    rf_buf_add(&out, rule.body, rule.cut > 0 ? rule.cut : size);
    bool goes_on = send_all(fd, rf_buf_str(&out)) && rule.cut == 0;
    rf_buf_deinit(&out);
    return goes_on;
}

static void *serve(void *argument)
{
    struct rf_test_http *http = argument;
    struct rf_buf request = {0};
    int fd;

    while ((fd = accept(http->listener, NULL, NULL)) >= 0) {
        while (receive(fd, &request) && answer(http, fd, &request)) {
        }
        close(fd);
    }
    rf_buf_deinit(&request);
    return NULL;
}

struct rf_test_http *rf_test_http_start(const struct rf_test_http_rule *rules)
{
    struct rf_test_http *http = calloc(1, sizeof *http);
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    must(http != NULL, "calloc");
    snprintf(http->directory, sizeof http->directory, "/tmp/rowferry-http-XXXXXX");
    must(mkdtemp(http->directory) != NULL, "mkdtemp");
    must(chmod(http->directory, 0755) == 0, "chmod");
    snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", http->directory);
    snprintf(http->address, sizeof http->address, "unix://%s", at.sun_path);
    http->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(http->listener >= 0, "socket");
    must(bind(http->listener, (struct sockaddr *)&at, sizeof at) == 0, "bind");
    must(listen(http->listener, 8) == 0, "listen");
    http->rules = rules;
    pthread_mutex_init(&http->mutex, NULL);
    must(pthread_create(&http->thread, NULL, serve, http) == 0, "pthread_create");
    return http;
}

const char *rf_test_http_address(const struct rf_test_http *http)
{
    return http->address;
}

void rf_test_http_teach(struct rf_test_http *http, const struct rf_test_http_rule *rules)
{
    pthread_mutex_lock(&http->mutex);
    http->rules = rules;
    pthread_mutex_unlock(&http->mutex);
}

const char *rf_test_http_requests(struct rf_test_http *http)
{
    pthread_mutex_lock(&http->mutex);
    rf_buf_set(&http->shown, rf_buf_str(&http->requests));
    pthread_mutex_unlock(&http->mutex);
    return rf_buf_cstr(&http->shown);
}

void rf_test_http_stop(struct rf_test_http *http)
{
    shutdown(http->listener, SHUT_RDWR); /* what accept waits for */
    pthread_join(http->thread, NULL);
    close(http->listener);
    unlink(http->address + strlen("unix://"));
    rmdir(http->directory);
    pthread_mutex_destroy(&http->mutex);
    rf_buf_deinit(&http->requests);
    rf_buf_deinit(&http->shown);
    free(http);
}
