#include "cli/stream.h"

#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "cli/command.h"
#include "cli/live.h"
#include "cli/progress.h"
#include "cli/view.h"
#include "cli/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the threads of the command line share; each has a snapshot of its own. */
struct session {
    const struct rf_stream *stream;
    struct rf_pipeline *pipeline;
    struct rf_signals signals;
    struct rf_live live;
    struct rf_watch watch;
    struct rf_rate rate;                 /* the live line's thread */
    struct rf_pipeline_snapshot current; /* likewise */
    int64_t started_ms;
    int done; /* an eventfd: the pipeline has ended */
    pthread_t watcher;
};

/* ---- The live line --------------------------------------------------------------------------- */

static void write_live_line(void *argument, uint32_t columns, struct rf_buf *out)
{
    struct session *session = argument;
    struct rf_progress progress;

    rf_pipeline_snapshot(session->pipeline, &session->current);
    rf_view_progress(&progress, &session->stream->pipeline, &session->current);
    progress.coloured = columns > 0 && rf_message_coloured();
    progress.rate = rf_rate_add(&session->rate, rf_clock_ms(), progress.events);
    rf_progress_line(&progress, columns, out);
}

/* ---- The end --------------------------------------------------------------------------------- */

static void add_sink_summary(struct rf_buf *out, const struct rf_actor_snapshot *sink)
{
    struct rf_buf scratch = {0};
    struct rf_str recorded = rf_position_short(rf_buf_str(&sink->recorded), &scratch);

    rf_buf_printf(out, "; %s took ", sink->address);
    rf_print_number(out, sink->events);
    if (recorded.size > 0) {
        rf_buf_printf(out, ", recorded up to %.*s", RF_STR_ARG(recorded));
    }
    rf_buf_deinit(&scratch);
}

/* Says nothing of a run that failed before it read anything. */
static void log_summary(struct session *session, bool failed)
{
    struct rf_pipeline_snapshot snapshot = {0};
    struct rf_buf out = {0};
    int64_t passed_ms = rf_clock_ms() - session->started_ms;

    rf_pipeline_snapshot(session->pipeline, &snapshot);
    uint64_t events = snapshot.source.events;
    if (failed && events == 0) {
        goto done;
    }
    rf_print_number(&out, events);
    rf_buf_printf(&out, " event%s in ", events == 1 ? "" : "s");
    rf_print_number(&out, snapshot.source.transactions);
    rf_buf_printf(&out, " transaction%s, %lld.%lld s", snapshot.source.transactions == 1 ? "" : "s",
                  (long long)passed_ms / 1000, (long long)passed_ms % 1000 / 100);
    if (events > 0 && passed_ms > 0) {
        rf_buf_printf(&out, ", ");
        rf_print_number(&out, events * 1000 / (uint64_t)passed_ms);
        rf_buf_printf(&out, "/s");
    }
    if (snapshot.source.skipped > 0) {
        rf_buf_printf(&out, ", ");
        rf_print_number(&out, snapshot.source.skipped);
        rf_buf_printf(&out, " log events of other tables left out");
    }
    if (snapshot.source.marked > 0) {
        rf_buf_printf(&out, ", ");
        rf_print_number(&out, snapshot.source.marked);
        rf_buf_printf(&out, " values with bytes that are not of their character set");
    }
    if (snapshot.source.gone > 0) {
        rf_buf_printf(&out, ", ");
        rf_print_number(&out, snapshot.source.gone);
        rf_buf_printf(&out, " updates whose document was gone when it was looked up");
    }
    for (uint32_t i = 0; i < snapshot.sink_count; i++) {
        add_sink_summary(&out, &snapshot.sinks[i]);
    }
    rf_log(RF_LOG_INFO, "%s", rf_buf_cstr(&out));

done:
    rf_buf_deinit(&out);
    rf_pipeline_snapshot_deinit(&snapshot);
}

/* ---- The run --------------------------------------------------------------------------------- */

static void stop(void *argument)
{
    struct session *session = argument;

    rf_watch_stopping(&session->watch);
    rf_pipeline_stop(session->pipeline);
}

static void leave(void *argument)
{
    struct session *session = argument;

    rf_live_abandon(&session->live);
}

static void resized(void *argument)
{
    struct session *session = argument;

    rf_live_redraw(&session->live);
}

static void hangup(void *argument)
{
    struct session *session = argument;

    rf_log(RF_LOG_INFO, "SIGHUP: sinks that rotate their files begin new ones");
    rf_pipeline_rotate(session->pipeline);
}

/* The terminal that controls us hangs up on us when it is closed. */
static bool has_terminal(void)
{
    int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (terminal >= 0) {
        close(terminal);
    }
    return terminal >= 0;
}

/* On a quiet source no write would tell that the reader has gone. */
static void *watch_reader(void *argument)
{
    struct session *session = argument;
    struct pollfd ends[] = {{STDOUT_FILENO, 0, 0}, {session->done, POLLIN, 0}};

    while (poll(ends, 2, -1) < 0 && errno == EINTR) {
    }
    if ((ends[0].revents & POLLERR) != 0) {
        rf_pipeline_stop(session->pipeline);
    }
    return NULL;
}

static void start_watcher(struct session *session)
{
    if (session->stream->until_reader_goes) {
        session->done = eventfd(0, EFD_CLOEXEC);
        rf_assert(session->done >= 0);
        rf_assert(pthread_create(&session->watcher, NULL, watch_reader, session) == 0);
    }
}

static void stop_watcher(struct session *session)
{
    if (session->stream->until_reader_goes) {
        rf_assert(eventfd_write(session->done, 1) == 0);
        pthread_join(session->watcher, NULL);
        close(session->done);
    }
}

static void start_live(struct session *session)
{
    bool terminal = isatty(STDERR_FILENO) && !rf_log_is_json();

    rf_rate_add(&session->rate, rf_clock_ms(), 0);
    session->live.text = write_live_line;
    session->live.argument = session;
    session->live.terminal = terminal;
    if (!session->stream->quiet && !(terminal && session->stream->shared)) {
        rf_live_start(&session->live);
    }
}

int rf_stream_exit_code(enum rf_status status)
{
    switch (status) {
    case RF_OK: return RF_EXIT_DONE;
    case RF_FATAL: return RF_EXIT_LOSS;
    case RF_REJECT: return RF_EXIT_REJECTED;
    case RF_RETRY: return RF_EXIT_UNREACHABLE;
    default: return RF_EXIT_CONFIG;
    }
}

static int run_session(struct session *session)
{
    struct rf_error err = {0};

    session->started_ms = rf_clock_ms();
    start_live(session);
    session->watch.pipeline = session->pipeline;
    session->watch.options = &session->stream->pipeline;
    rf_watch_start(&session->watch);
    session->signals.stop = stop;
    session->signals.leave = leave;
    session->signals.resized = resized;
    session->signals.hangup = session->stream->rotates && !has_terminal() ? hangup : NULL;
    session->signals.argument = session;
    rf_signals_listen(&session->signals);
    start_watcher(session);
    int code = rf_pipeline_run(session->pipeline, &err);
    rf_watch_stop(&session->watch);
    stop_watcher(session);
    rf_signals_deinit(&session->signals);
    int caught = rf_signals_caught(&session->signals);
    rf_live_stop(&session->live);
    rf_pipeline_snapshot_deinit(&session->current);
    if (!session->stream->quiet) {
        log_summary(session, code != RF_EXIT_DONE);
    }
    if (code != RF_EXIT_DONE) {
        rf_message_failure(&err);
    } else if (caught != 0) {
        code = RF_EXIT_SIGNAL + caught;
    }
    return code;
}

int rf_stream_run(const struct rf_stream *stream)
{
    struct session session = {.stream = stream};
    struct rf_error err = {0};

    rf_signals_block(&session.signals);
    enum rf_status status = rf_pipeline_create(&stream->pipeline, &session.pipeline, &err);
    if (status != RF_OK) {
        rf_message_failure(&err);
        return rf_stream_exit_code(status);
    }
    int code = run_session(&session);
    if (rf_pipeline_abandoned(session.pipeline)) {
        /* A thread of a plugin still hangs in a call and uses what we would free. */
        fflush(NULL);
        _exit(code);
    }
    rf_pipeline_destroy(session.pipeline);
    return code;
}

/* ---- Sources and sinks ----------------------------------------------------------------------- */

const char *rf_stream_default_from(const struct rf_ends *ends)
{
    /* What is new in a log file, nobody can wait for. */
    return ends->source.is_file ? "earliest" : "now";
}

bool rf_stream_prints(const struct rf_ends *ends)
{
    for (uint32_t i = 0; i < ends->sink_count; i++) {
        if (strcmp(ends->sinks[i].display, "file:-") == 0) {
            return true;
        }
    }
    return false;
}

bool rf_stream_output_is_shared(void)
{
    struct stat info;

    return isatty(STDOUT_FILENO) ||
           (fstat(STDOUT_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)));
}
