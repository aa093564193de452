#include "control/control.h"

#include "base/clock.h"
#include "base/memory.h"
#include "control/socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SAMPLES = 11, SAMPLE_MS = 1000, WRITE_MS = 1000, ASK_MS = 2000 };
enum { ANSWER_BYTES_MAX = 64 << 20 };

/* The counters of every actor at one moment. */
struct sample {
    int64_t at_ms;
    uint64_t *events; /* the source's, then each sink's */
};

struct rf_control {
    struct rf_pipeline *pipeline;
    const struct rf_pipeline_options *options;
    char *path;
    int socket;
    int done; /* an eventfd */
    pthread_t thread;
    int64_t started_ms;
    /* of the thread */
    struct rf_pipeline_snapshot snapshot;
    struct sample samples[SAMPLES]; /* a ring */
    uint64_t sample_count;          /* ever taken */
    struct rf_buf answer;
};

void rf_control_path(const char *state_path, struct rf_buf *out)
{
    size_t size = strlen(state_path);
    size -= size > 3 && strcmp(state_path + size - 3, ".db") == 0 ? 3 : 0;
    rf_buf_printf(out, "%.*s.sock", (int)size, state_path);
}

/* ---- Rates ----------------------------------------------------------------------------------- */

static uint64_t events_of(const struct rf_pipeline_snapshot *snapshot, uint32_t actor)
{
    return actor == 0 ? snapshot->source.events : snapshot->sinks[actor - 1].events;
}

static void take_sample(struct rf_control *control)
{
    struct sample *sample = &control->samples[control->sample_count % SAMPLES];
    rf_pipeline_snapshot(control->pipeline, &control->snapshot);
    sample->at_ms = rf_clock_ms();
    for (uint32_t i = 0; i <= control->snapshot.sink_count; i++) {
        sample->events[i] = events_of(&control->snapshot, i);
    }
    control->sample_count++;
}

static uint64_t per_second(uint64_t events, int64_t ms)
{
    return ms > 0 ? events * 1000 / (uint64_t)ms : 0;
}

static void add_rates(const struct rf_control *control, uint32_t actor, int64_t now_ms,
                      struct rf_document_actor *out)
{
    uint64_t oldest = control->sample_count < SAMPLES ? 0 : control->sample_count % SAMPLES;
    const struct sample *sample = &control->samples[oldest];
    out->events_per_second_total = per_second(out->events, now_ms - control->started_ms);
    out->events_per_second =
        out->events >= sample->events[actor]
            ? per_second(out->events - sample->events[actor], now_ms - sample->at_ms)
            : 0;
}

/* ---- An answer ------------------------------------------------------------------------------- */

static void write_document(struct rf_control *control)
{
    const struct rf_pipeline_options *options = control->options;
    struct rf_pipeline_snapshot *snapshot = &control->snapshot;
    struct rf_document document = {.name = rf_str_of(options->name), .pid = getpid()};

    rf_pipeline_snapshot(control->pipeline, snapshot);
    int64_t now_ms = rf_clock_ms();
    document.uptime_ms = now_ms - control->started_ms;
    document.stopping = snapshot->stopping;
    rf_document_take(&document.source, &snapshot->source);
    add_rates(control, 0, now_ms, &document.source);
    document.sink_count = snapshot->sink_count;
    document.sinks = rf_alloc_zero(snapshot->sink_count, sizeof *document.sinks);
    for (uint32_t i = 0; i < snapshot->sink_count; i++) {
        document.sinks[i].name = rf_str_of(options->sinks[i].name);
        rf_document_take(&document.sinks[i], &snapshot->sinks[i]);
        add_rates(control, i + 1, now_ms, &document.sinks[i]);
    }
    document.healthy = rf_document_judge(&document);
    rf_buf_reset(&control->answer);
    rf_document_print(&control->answer, &document);
    rf_buf_add_byte(&control->answer, '\n');
    rf_document_deinit(&document);
}

/* Who does not read does not get it. */
static void send_all(int file, struct rf_str text)
{
    int64_t until_ms = rf_clock_ms() + WRITE_MS;
    while (text.size > 0) {
        ssize_t sent = send(file, text.data, text.size, MSG_NOSIGNAL);
        if (sent >= 0) {
            text.data += sent;
            text.size -= (size_t)sent;
            continue;
        }
        int64_t left_ms = until_ms - rf_clock_ms();
        struct pollfd room = {file, POLLOUT, 0};
        if ((errno != EAGAIN && errno != EINTR) || left_ms <= 0 ||
            (poll(&room, 1, (int)left_ms) < 0 && errno != EINTR)) {
            return;
        }
    }
}

/* ---- The thread ------------------------------------------------------------------------------ */

/* False: connections cannot be taken now, so it is of no use to wait for one. */
static bool serve(struct rf_control *control)
{
    int file = accept4(control->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (file < 0) {
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    }
    write_document(control);
    send_all(file, rf_buf_str(&control->answer));
    close(file);
    return true;
}

static void *attend(void *argument)
{
    struct rf_control *control = argument;
    bool can_take = true;
    for (;;) {
        struct pollfd ends[] = {{control->done, POLLIN, 0}, {control->socket, POLLIN, 0}};
        int64_t now_ms = rf_clock_ms();
        int64_t last_ms = control->samples[(control->sample_count - 1) % SAMPLES].at_ms;
        int64_t left_ms = last_ms + SAMPLE_MS - now_ms;
        if (left_ms > 0 && poll(ends, can_take ? 2 : 1, (int)left_ms) < 0 && errno != EINTR) {
            return NULL;
        }
        if ((ends[0].revents & POLLIN) != 0) {
            return NULL;
        }
        if (left_ms <= 0) {
            take_sample(control);
            can_take = true;
        } else if ((ends[1].revents & POLLIN) != 0) {
            can_take = serve(control);
        }
    }
}

/* ---- From outside ---------------------------------------------------------------------------- */

static void destroy(struct rf_control *control)
{
    for (int i = 0; i < SAMPLES; i++) {
        free(control->samples[i].events);
    }
    rf_pipeline_snapshot_deinit(&control->snapshot);
    rf_buf_deinit(&control->answer);
    if (control->done >= 0) {
        close(control->done);
    }
    free(control->path);
    free(control);
}

enum rf_status rf_control_start(struct rf_control **out, const char *path,
                                struct rf_pipeline *pipeline,
                                const struct rf_pipeline_options *options, struct rf_error *err)
{
    struct rf_control *control = rf_alloc_zero(1, sizeof *control);
    *out = NULL;
    control->pipeline = pipeline;
    control->options = options;
    control->path = rf_str_dup(rf_str_of(path));
    control->started_ms = rf_clock_ms();
    control->done = -1;
    for (int i = 0; i < SAMPLES; i++) {
        control->samples[i].events =
            rf_alloc_zero(options->sink_count + 1, sizeof *control->samples[i].events);
    }
    control->socket = rf_socket_listen(path, err);
    if (control->socket < 0) {
        destroy(control);
        return RF_CONFIG;
    }
    take_sample(control);
    control->done = eventfd(0, EFD_CLOEXEC);
    rf_assert(control->done >= 0);
    rf_assert(pthread_create(&control->thread, NULL, attend, control) == 0);
    *out = control;
    return RF_OK;
}

void rf_control_stop(struct rf_control *control)
{
    if (control == NULL) {
        return;
    }
    rf_assert(eventfd_write(control->done, 1) == 0);
    pthread_join(control->thread, NULL);
    unlink(control->path);
    close(control->socket);
    destroy(control);
}

/* False: an error, or too late. */
static bool receive(int file, struct rf_buf *answer)
{
    int64_t until_ms = rf_clock_ms() + ASK_MS;
    while (answer->size <= ANSWER_BYTES_MAX) {
        ssize_t got = recv(file, rf_buf_reserve(answer, 65536), 65536, 0);
        if (got > 0) {
            answer->size += (size_t)got;
            continue;
        }
        if (got == 0) {
            return true;
        }
        int64_t left_ms = until_ms - rf_clock_ms();
        struct pollfd more = {file, POLLIN, 0};
        if ((errno != EAGAIN && errno != EINTR) || left_ms <= 0 ||
            (poll(&more, 1, (int)left_ms) < 0 && errno != EINTR)) {
            return false;
        }
    }
    return false;
}

enum rf_status rf_control_ask(const char *path, struct rf_buf *answer, struct rf_error *err)
{
    int file = rf_control_connect(path);
    if (file < 0) {
        return rf_fail(err, RF_RETRY, "nobody answers at %s: %s", path, strerror(errno));
    }
    bool good = receive(file, answer);
    close(file);
    return good ? RF_OK
                : rf_fail(err, RF_RETRY, "no answer at %s within %d s", path, ASK_MS / 1000);
}
