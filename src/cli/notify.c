#include "cli/notify.h"

#include "base/clock.h"

#include <errno.h>
#include <rowferry/log.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { STARTING_MS = 100, STATUS_MS = 5000, CALL_MS_MAX = 5 * 60000, OPEN_MS_MAX = 15 * 60000 };

/* ---- What it means --------------------------------------------------------------------------- */

/* Also one that came to its end; but not one that ended because it could not be opened. */
static bool is_open(const struct rf_actor_snapshot *actor)
{
    return actor->phase == RF_PHASE_STREAMING || actor->phase == RF_PHASE_FULL ||
           (actor->phase == RF_PHASE_DONE && actor->opened);
}

bool rf_notify_is_ready(const struct rf_pipeline_snapshot *snapshot)
{
    bool ready = is_open(&snapshot->source);

    for (uint32_t i = 0; i < snapshot->sink_count && ready; i++) {
        ready = is_open(&snapshot->sinks[i]);
    }
    return ready;
}

static bool hangs(const struct rf_actor_snapshot *actor)
{
    return actor->call_ms >= (actor->phase == RF_PHASE_CONNECTING ? OPEN_MS_MAX : CALL_MS_MAX);
}

bool rf_notify_is_alive(const struct rf_pipeline_snapshot *snapshot)
{
    bool alive = !hangs(&snapshot->source);

    for (uint32_t i = 0; i < snapshot->sink_count && alive; i++) {
        alive = !hangs(&snapshot->sinks[i]);
    }
    return alive;
}

/* Nobody is left who could make room. */
static bool stands_still(const struct rf_pipeline_snapshot *snapshot)
{
    bool still = snapshot->source.phase == RF_PHASE_FULL && snapshot->source.call_ms == 0;

    for (uint32_t i = 0; i < snapshot->sink_count && still; i++) {
        const struct rf_actor_snapshot *sink = &snapshot->sinks[i];
        still = sink->phase == RF_PHASE_STREAMING && sink->idle && sink->call_ms == 0;
    }
    return still;
}

bool rf_standstill_is_over_limit(struct rf_standstill *still,
                                 const struct rf_pipeline_snapshot *snapshot, int64_t now_ms)
{
    if (!stands_still(snapshot)) {
        still->since_ms = 0;
    } else if (still->since_ms == 0 || still->events != snapshot->source.events) {
        still->since_ms = now_ms;
        still->events = snapshot->source.events;
    }
    return still->since_ms > 0 && now_ms - still->since_ms >= CALL_MS_MAX;
}

/* ---- The socket ------------------------------------------------------------------------------ */

/* False: not a name that can be reached; vsock, which the manual knows too, is for machines whose
 * manager is outside. */
static bool connect_to(int file, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || size < 2 || size >= sizeof address.sun_path) {
        errno = EAFNOSUPPORT;
        return false;
    }
    memcpy(address.sun_path, name, size);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    /* The length tells where a name of the abstract namespace ends. */
    size_t length = offsetof(struct sockaddr_un, sun_path) + size + (name[0] == '/');
    return connect(file, (const struct sockaddr *)&address, (socklen_t)length) == 0;
}

/* A manager that does not take it now is not waited for: another one follows. */
static void tell(const struct rf_notify *notify, struct rf_str text)
{
    ssize_t sent = send(notify->socket, text.data, text.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
}

/* Microseconds between two signs of life that the manager wants from this process; 0: none. */
static int64_t watchdog_us(void)
{
    const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t us = 0, whose = 0;

    if (text == NULL || !rf_str_to_i64(rf_str_of(text), &us) || us <= 0) {
        return 0;
    }
    if (pid != NULL && (!rf_str_to_i64(rf_str_of(pid), &whose) || whose != getpid())) {
        return 0;
    }
    return us;
}

/* ---- The thread ------------------------------------------------------------------------------ */

/* The manager takes lines; of ours, the first counts. */
static void add_status(struct rf_buf *out, struct rf_str line)
{
    rf_buf_printf(out, "STATUS=");
    for (size_t i = 0; i < line.size && line.data[i] != '\n'; i++) {
        rf_buf_add_byte(out, line.data[i]);
    }
    rf_buf_add_byte(out, '\n');
}

static void tell_news(struct rf_notify *notify, const struct rf_notify_look *look, bool stopping)
{
    struct rf_buf out = {0};
    int64_t now_ms = rf_clock_ms();
    bool fresh = !rf_str_equal(rf_buf_str(&look->line), rf_buf_str(&notify->status));

    if (look->ready && !notify->ready && !stopping) {
        rf_buf_printf(&out, "READY=1\n");
        notify->ready = true;
        notify->told_ms = 0;
    }
    if (stopping && !notify->told_stopping) {
        rf_buf_printf(&out, "STOPPING=1\nSTATUS=stopping\n");
        notify->told_stopping = true;
    } else if (!stopping && fresh &&
               (notify->told_ms == 0 || now_ms - notify->told_ms >= STATUS_MS)) {
        add_status(&out, rf_buf_str(&look->line));
        rf_buf_set(&notify->status, rf_buf_str(&look->line));
        notify->told_ms = now_ms;
    }
    if (notify->watchdog_ms > 0 && look->alive) {
        rf_buf_printf(&out, "WATCHDOG=1\n");
    }
    if (out.size > 0) {
        tell(notify, rf_buf_str(&out));
    }
    rf_buf_deinit(&out);
}

/* Until the next look. *stopping: somebody has said so. False: it is time to end. */
static bool wait_for_turn(struct rf_notify *notify, bool *stopping)
{
    int64_t wait_ms = notify->ready ? STATUS_MS : STARTING_MS;
    int waited = 0;

    if (notify->watchdog_ms > 0 && notify->watchdog_ms < wait_ms) {
        wait_ms = notify->watchdog_ms;
    }
    int64_t until_ms = rf_clock_ms() + wait_ms;
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    pthread_mutex_lock(&notify->lock);
    while (!notify->end && (!notify->stopping || *stopping) && waited == 0) {
        waited = pthread_cond_timedwait(&notify->news, &notify->lock, &until);
    }
    bool go_on = !notify->end;
    *stopping = notify->stopping;
    pthread_mutex_unlock(&notify->lock);
    return go_on;
}

static void *look_again_and_again(void *argument)
{
    struct rf_notify *notify = argument;
    struct rf_notify_look look = {0};
    bool stopping = false;

    do {
        rf_buf_reset(&look.line);
        look.ready = look.alive = false;
        notify->look(notify->argument, &look);
        tell_news(notify, &look, stopping);
    } while (wait_for_turn(notify, &stopping));
    rf_buf_deinit(&look.line);
    return NULL;
}

/* ---- From outside ---------------------------------------------------------------------------- */

void rf_notify_start(struct rf_notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");
    pthread_condattr_t attributes;

    if (name == NULL || name[0] == '\0') {
        return;
    }
    notify->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->socket < 0 || !connect_to(notify->socket, name)) {
        rf_log(RF_LOG_WARN, "the service manager cannot be told how it goes: NOTIFY_SOCKET=%s: %s",
               name, strerror(errno));
        if (notify->socket >= 0) {
            close(notify->socket);
        }
        return;
    }
    /* Half of the time allowed, as the manual advises; not less than a millisecond. */
    int64_t us = watchdog_us();
    notify->watchdog_ms = us > 0 && us < 2000 ? 1 : us / 2000;
    pthread_mutex_init(&notify->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&notify->news, &attributes);
    pthread_condattr_destroy(&attributes);
    rf_assert(pthread_create(&notify->thread, NULL, look_again_and_again, notify) == 0);
    notify->started = true;
}

void rf_notify_stopping(struct rf_notify *notify)
{
    if (notify->started) {
        pthread_mutex_lock(&notify->lock);
        notify->stopping = true;
        pthread_cond_signal(&notify->news);
        pthread_mutex_unlock(&notify->lock);
    }
}

void rf_notify_stop(struct rf_notify *notify)
{
    if (!notify->started) {
        return;
    }
    pthread_mutex_lock(&notify->lock);
    notify->end = true;
    pthread_cond_signal(&notify->news);
    pthread_mutex_unlock(&notify->lock);
    pthread_join(notify->thread, NULL);
    if (!notify->told_stopping) {
        tell(notify, RF_STR("STOPPING=1\n"));
    }
    close(notify->socket);
    rf_buf_deinit(&notify->status);
    pthread_cond_destroy(&notify->news);
    pthread_mutex_destroy(&notify->lock);
    notify->started = false;
}
