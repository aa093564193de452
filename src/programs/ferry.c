#include "programs/ferry.h"

#include "base/clock.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/process.h"
#include "checkpoint/checkpoint.h"
#include "container/type.h"
#include "programs/access.h"
#include "programs/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTAINER "final_mysql_container"

enum {
    PAUSE_MIN_MS = 250,
    PAUSE_MAX_MS = 10 * 1000,
    WELL_MS = 20 * 1000, /* it ran for so long: what happens then is a new story */
    ORPHAN_MAX_MS = 15 * 1000,
    STOP_MAX_MS = 7 * 1000,
    CARRIED_MS = 500, /* between two looks whether another program still runs it */
    LOG_MAX_BYTES = 1 << 20,
};

/* ---- What is run ----------------------------------------------------------------------------- */

/* Twice: the rows themselves, and one row with the stamp of the last of them. */
static void describe_cassandra(const struct rf_access *cassandra, struct rf_buf *out)
{
    rf_buf_printf(out, "  - url: cassandra://127.0.0.1:%u/stamps\n    name: cassandra\n",
                  cassandra->port);
    rf_access_add_login(out, cassandra, true);
    rf_buf_printf(out, "    table: \"{database}_{table}\"\n");
    rf_buf_printf(out, "  - url: cassandra://127.0.0.1:%u/stamps\n    name: max-time-stamp\n",
                  cassandra->port);
    rf_access_add_login(out, cassandra, true);
    rf_buf_printf(out, "    table: posts\n    values: [\"id=maxTimeStamp\", \"stamp={stamp}\"]\n");
}

static void describe_redis(const struct rf_access *redis, struct rf_buf *out)
{
    rf_buf_printf(out, "  - url: redis://127.0.0.1:%u/0\n    name: redis\n", redis->port);
    rf_access_add_login(out, redis, false);
    rf_buf_printf(out,
                  "    key: \"pluto:posts:{id}\"\n"
                  "  - url: redis://127.0.0.1:%u/0\n    name: last-insert-date\n",
                  redis->port);
    rf_access_add_login(out, redis, false);
    rf_buf_printf(out, "    as: string\n    key: LastInsertDate\n    value: \"{stamp}\"\n");
}

static void describe_mongo(const struct rf_access *mongo, struct rf_buf *out)
{
    rf_buf_printf(out, "  - url: mongodb://127.0.0.1:%u\n    name: mongodb\n", mongo->port);
    rf_access_add_login(out, mongo, true);
}

static void describe(const struct rf_ferry *ferry, const struct rf_access *mysql,
                     struct rf_buf *out)
{
    rf_buf_printf(out,
                  "# Written by the scheduler at each start.\n"
                  "name: pluto\nstate: \"%s\"\n"
                  "# What was written before the first start is carried, too.\n"
                  "from: earliest\n"
                  "source:\n    url: mysql://%s@127.0.0.1:%u\n",
                  ferry->directory.data, mysql->user, mysql->port);
    rf_access_add_login(out, mysql, false);
    rf_buf_printf(out, "    tables: [pluto.posts]\nsinks:\n");
}

/* Those of the stores that answer; *count: how many stores. */
static void describe_sinks(struct rf_ferry *ferry, const struct rf_access *mongo,
                           const struct rf_access *redis, const struct rf_access *cassandra,
                           uint32_t *count, struct rf_buf *out)
{
    *count = 0;
    if (rf_ferry_takes(ferry, "mongo")) {
        describe_mongo(mongo, out);
        ++*count;
    }
    if (rf_ferry_takes(ferry, "redis")) {
        describe_redis(redis, out);
        ++*count;
    }
    if (cassandra->port != 0 && rf_ferry_takes(ferry, "cassandra")) {
        describe_cassandra(cassandra, out);
        ++*count;
    }
}

static enum rf_status configure_posts(struct rf_ferry *ferry, struct rf_error *err)
{
    struct rf_access mysql = {0}, mongo = {0}, redis = {0}, cassandra = {0};
    struct rf_buf text = {0};
    uint32_t count = 0;
    enum rf_status status = rf_access_find(&mysql, "mysql", "rowferry", err);

    if (status == RF_OK) {
        status = rf_access_find(&mongo, "mongo", "rowferry", err);
    }
    if (status == RF_OK) {
        status = rf_access_find(&redis, "redis", "default", err);
    }
    if (status == RF_OK && rf_access_exists("cassandra")) {
        status = rf_access_find(&cassandra, "cassandra", "rowferry", err);
    }
    if (status == RF_OK) {
        describe(ferry, &mysql, &text);
        describe_sinks(ferry, &mongo, &redis, &cassandra, &count, &text);
        status = count > 0 ? RF_OK : rf_fail(err, RF_RETRY, "none of the other stores answers");
    }
    if (status == RF_OK) {
        status =
            rf_file_replace(ferry->config.data, rf_buf_str(&text), 0600, geteuid(), getegid(), err);
    }
    rf_access_deinit(&mysql);
    rf_access_deinit(&mongo);
    rf_access_deinit(&redis);
    rf_access_deinit(&cassandra);
    rf_buf_deinit(&text);
    return status;
}

/* ---- Its place ------------------------------------------------------------------------------- */

/* Made anew where the container was deleted and created since. */
static enum rf_status place_posts(struct rf_ferry *ferry, struct rf_error *err)
{
    struct rf_access mysql = {0};
    enum rf_status status = rf_access_find(&mysql, "mysql", NULL, err);

    if (status == RF_OK) {
        status = rf_hold_take(&ferry->hold, CONTAINER, "scheduler", err);
    }
    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_RETRY, CONTAINER " was deleted just now");
        rf_error_hint(err, "'container create mysql' makes it");
    }
    if (status == RF_OK) {
        rf_buf_set(&ferry->directory, rf_buf_str(&ferry->hold.path));
        rf_buf_cstr(&ferry->directory);
    }
    rf_access_deinit(&mysql);
    return status;
}

const struct rf_ferry_line rf_ferry_posts = {
    .name = "pluto",
    .title = "the pipeline",
    .source = "mysql",
    .place = place_posts,
    .configure = configure_posts,
};

static void set_path(struct rf_buf *out, const struct rf_ferry *ferry, const char *end)
{
    rf_buf_reset(out);
    rf_buf_printf(out, "%s/%s.%s", ferry->directory.data, ferry->line->name, end);
    rf_buf_cstr(out);
}

static enum rf_status make_place(struct rf_ferry *ferry, struct rf_error *err)
{
    enum rf_status status = ferry->line->place(ferry, err);

    if (status == RF_OK) {
        set_path(&ferry->config, ferry, "yaml");
        set_path(&ferry->log, ferry, "log");
    }
    return status;
}

static bool is_away(const struct rf_ferry *ferry, const char *container)
{
    return ferry->away != NULL && ferry->away(ferry->argument, container);
}

bool rf_ferry_takes(struct rf_ferry *ferry, const char *container)
{
    if (ferry == NULL || !is_away(ferry, container)) {
        return true;
    }
    rf_assert(ferry->left_out_count < RF_FERRY_SINKS_MAX);
    ferry->left_out[ferry->left_out_count++] = container;
    return false;
}

static enum rf_status configure(struct rf_ferry *ferry, struct rf_error *err)
{
    ferry->left_out_count = 0;
    return ferry->line->configure(ferry, err);
}

enum rf_status rf_ferry_open(struct rf_ferry *ferry, struct rf_error *err)
{
    struct stat stat;
    enum rf_status status = make_place(ferry, err);

    if (status == RF_OK) {
        status = configure(ferry, err);
    }
    if (status == RF_OK && lstat(ferry->log.data, &stat) == 0 && stat.st_size > LOG_MAX_BYTES) {
        unlink(ferry->log.data);
    }
    return status;
}

/* ---- How it ended ---------------------------------------------------------------------------- */

enum rf_ferry_end rf_ferry_judge(int status, int *code, struct rf_buf *why)
{
    static const struct {
        int code;
        enum rf_ferry_end end;
        const char *why;
    } ends[] = {
        {RF_EXIT_DONE, RF_FERRY_AGAIN, "ended by itself"},
        {RF_EXIT_USAGE, RF_FERRY_OVER, "does not know its own command line"},
        {RF_EXIT_CONFIG, RF_FERRY_OVER, "something has to be changed first"},
        {RF_EXIT_LOSS, RF_FERRY_OVER, "data would be lost"},
        {RF_EXIT_REJECTED, RF_FERRY_OVER, "a store refused an event"},
        {RF_EXIT_UNREACHABLE, RF_FERRY_AGAIN, "a server could not be reached"},
    };

    if (WIFSIGNALED(status)) {
        *code = RF_EXIT_SIGNAL + WTERMSIG(status);
        rf_buf_printf(why, "was killed by signal %d (%s)", WTERMSIG(status),
                      strsignal(WTERMSIG(status)));
        return RF_FERRY_AGAIN;
    }
    *code = WEXITSTATUS(status);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (ends[i].code == *code) {
            rf_buf_printf(why, "ended with %d: %s", *code, ends[i].why);
            return ends[i].end;
        }
    }
    if (*code > RF_EXIT_SIGNAL) {
        rf_buf_printf(why, "was stopped by signal %d (%s)", *code - RF_EXIT_SIGNAL,
                      strsignal(*code - RF_EXIT_SIGNAL));
    } else {
        rf_buf_printf(why, "ended with %d", *code);
    }
    return RF_FERRY_AGAIN;
}

static void say(const struct rf_ferry *ferry, const char *format, ...) RF_PRINTF(2, 3);
static void say(const struct rf_ferry *ferry, const char *format, ...)
{
    struct rf_buf text = {0};
    va_list args;

    va_start(args, format);
    rf_buf_vprintf(&text, format, args);
    va_end(args);
    ferry->say(ferry->argument, rf_buf_cstr(&text));
    rf_buf_deinit(&text);
}

static void plan_start(struct rf_ferry *ferry, int64_t now_ms)
{
    int64_t pause_ms = (int64_t)PAUSE_MIN_MS << (ferry->tries < 8 ? ferry->tries : 8);

    ferry->next_ms = now_ms + (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
    ferry->tries++;
}

/* Another process runs it: one that an earlier scheduler left behind is on its way out, and holds
 * the positions until then; or it is another program's. */
static bool is_run_by_others(const struct rf_ferry *ferry)
{
    struct rf_checkpoint_report report = {0};
    struct rf_error none_yet = {0};
    struct rf_buf path = {0};

    set_path(&path, ferry, "db");
    bool running = rf_checkpoint_read(path.data, &report, &none_yet) == RF_OK && report.running;
    rf_checkpoint_report_deinit(&report);
    rf_buf_deinit(&path);
    return running;
}

/* It has ended. */
static enum rf_status take_end(struct rf_ferry *ferry, int state, int64_t now_ms,
                               struct rf_error *err)
{
    struct rf_buf why = {0};
    int code;
    enum rf_ferry_end end = rf_ferry_judge(state, &code, &why);
    enum rf_status status = RF_OK;

    ferry->pid = 0;
    if (now_ms - ferry->begun_ms >= WELL_MS || ferry->renewed) {
        ferry->tries = 0;
    }
    if (end == RF_FERRY_OVER && code == RF_EXIT_CONFIG && is_run_by_others(ferry)) {
        plan_start(ferry, now_ms); /* who was faster has it */
    } else if (end == RF_FERRY_AGAIN && ferry->renewed) {
        ferry->next_ms = now_ms;
    } else if (end == RF_FERRY_OVER) {
        ferry->code = code;
        status =
            rf_fail(err, RF_FATAL, "%s %.*s", ferry->line->title, RF_STR_ARG(rf_buf_str(&why)));
        rf_error_hint(err, "the lines above say why; 'container -init' makes all stores afresh");
    } else {
        plan_start(ferry, now_ms);
        say(ferry, "%s %.*s; it is started again in %.2f s", ferry->line->title,
            RF_STR_ARG(rf_buf_str(&why)), (double)(ferry->next_ms - now_ms) / 1000);
    }
    ferry->renewed = false;
    rf_buf_deinit(&why);
    return status;
}

/* ---- Tending --------------------------------------------------------------------------------- */

bool rf_ferry_has_begun(const struct rf_ferry *ferry, uint32_t sinks)
{
    struct rf_checkpoint_report report = {0};
    struct rf_error none_yet = {0};
    struct rf_buf path = {0};

    set_path(&path, ferry, "db");
    bool begun =
        rf_checkpoint_read(path.data, &report, &none_yet) == RF_OK && report.sink_count >= sinks;
    for (uint32_t i = 0; i < report.sink_count; i++) {
        begun = begun && report.sinks[i].position.size > 0;
    }
    rf_checkpoint_report_deinit(&report);
    rf_buf_deinit(&path);
    return begun;
}

static enum rf_status start(struct rf_ferry *ferry, struct rf_error *err)
{
    struct rf_words words = {0};
    struct rf_buf program = {0};
    enum rf_status status = make_place(ferry, err);

    if (status == RF_OK && ferry->line->prepare != NULL) {
        status = ferry->line->prepare(err);
    }
    if (status == RF_OK) {
        status = configure(ferry, err);
    }
    if (status == RF_OK) {
        status = rf_child_program(&program, err);
    }
    if (status == RF_OK) {
        rf_words_add(&words, "%.*s", RF_STR_ARG(rf_buf_str(&program)));
        rf_words_add(&words, "run");
        rf_words_add(&words, "%s", ferry->config.data);
        status = rf_process_start(&words, ferry->log.data, &ferry->pid, err);
    }
    rf_words_deinit(&words);
    rf_buf_deinit(&program);
    return status;
}

/* Another program does this work, and goes on with it: there is nothing to do. */
static bool is_carried(struct rf_ferry *ferry, int64_t now_ms)
{
    struct rf_buf who = {0};
    bool carried = ferry->line->carried != NULL && ferry->line->carried(&who);

    if (carried) {
        ferry->next_ms = now_ms + CARRIED_MS;
        ferry->orphan_ms = 0;
        if (!ferry->carried) {
            say(ferry, "%s is run by %.*s; it is taken over when that ends", ferry->line->title,
                RF_STR_ARG(rf_buf_str(&who)));
        }
    }
    ferry->carried = carried;
    rf_buf_deinit(&who);
    return carried;
}

static const char *title_of(const char *container)
{
    const struct rf_container_type *type = rf_container_type_find(container);

    return type != NULL ? type->title : container;
}

static void say_started(struct rf_ferry *ferry)
{
    struct rf_buf without = {0};

    for (uint32_t i = 0; i < ferry->left_out_count; i++) {
        rf_buf_printf(&without, "%s%s", i == 0 ? "; until it answers, without " : " and ",
                      title_of(ferry->left_out[i]));
    }
    say(ferry, "%s was started%s, pid %d%.*s", ferry->line->title, ferry->started ? " again" : "",
        ferry->pid, RF_STR_ARG(rf_buf_str(&without)));
    rf_buf_deinit(&without);
}

static enum rf_status start_or_wait(struct rf_ferry *ferry, int64_t now_ms, struct rf_error *err)
{
    struct rf_error problem = {0};

    if (is_run_by_others(ferry)) {
        if (is_carried(ferry, now_ms)) {
            return RF_OK;
        }
        ferry->orphan_ms = ferry->orphan_ms != 0 ? ferry->orphan_ms : now_ms;
        if (now_ms - ferry->orphan_ms > ORPHAN_MAX_MS) {
            ferry->code = RF_EXIT_CONFIG;
            rf_fail(err, RF_FATAL, "another process runs the pipeline %s and does not end",
                    ferry->line->name);
            rf_error_hint(err, "'rowferry status --state %s' shows it", ferry->directory.data);
            return RF_FATAL;
        }
        return RF_OK;
    }
    ferry->orphan_ms = 0;
    ferry->carried = false;
    if (ferry->line->prepare != NULL && is_away(ferry, ferry->line->source)) {
        return RF_OK; /* it is shown to be, and asked by its owner often enough */
    }
    if (start(ferry, &problem) != RF_OK) {
        ferry->pid = 0;
        plan_start(ferry, now_ms);
        if (strncmp(ferry->problem, problem.message, sizeof ferry->problem - 1) != 0) {
            snprintf(ferry->problem, sizeof ferry->problem, "%.199s", problem.message);
            say(ferry, "%s cannot be started yet: %s", ferry->line->title, problem.message);
        }
        return RF_OK;
    }
    ferry->problem[0] = '\0';
    ferry->begun_ms = now_ms;
    ferry->restarts += ferry->started;
    say_started(ferry);
    ferry->started = true;
    return RF_OK;
}

/* A sink that was left out is taken in as soon as its store answers: by another start. */
static void renew(struct rf_ferry *ferry)
{
    for (uint32_t i = 0; i < ferry->left_out_count && !ferry->renewed; i++) {
        if (!is_away(ferry, ferry->left_out[i])) {
            say(ferry, "%s answers: %s is started again with it", title_of(ferry->left_out[i]),
                ferry->line->title);
            kill(ferry->pid, SIGTERM);
            ferry->renewed = true;
        }
    }
}

enum rf_status rf_ferry_tend(struct rf_ferry *ferry, struct rf_error *err)
{
    int64_t now_ms = rf_clock_ms();
    int state;

    if (ferry->code != 0) {
        return RF_OK; /* for good */
    }
    if (ferry->pid > 0) {
        pid_t ended = waitpid(ferry->pid, &state, WNOHANG);
        if (ended == ferry->pid) {
            return take_end(ferry, state, now_ms, err);
        }
        renew(ferry);
        return RF_OK;
    }
    return now_ms >= ferry->next_ms ? start_or_wait(ferry, now_ms, err) : RF_OK;
}

/* Waits for its end, no longer than that. */
static bool ends_within(pid_t pid, int64_t limit_ms)
{
    int64_t until_ms = rf_clock_ms() + limit_ms;
    struct timespec pause = {0, 10 * 1000 * 1000};
    int state;

    while (waitpid(pid, &state, WNOHANG) != pid) {
        if (rf_clock_ms() >= until_ms) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return true;
}

void rf_ferry_close(struct rf_ferry *ferry)
{
    if (ferry->pid > 0) {
        kill(ferry->pid, SIGTERM);
        if (!ends_within(ferry->pid, STOP_MAX_MS)) {
            kill(ferry->pid, SIGKILL);
            ends_within(ferry->pid, STOP_MAX_MS);
        }
        ferry->pid = 0;
    }
    rf_hold_release(&ferry->hold);
    rf_buf_deinit(&ferry->directory);
    rf_buf_deinit(&ferry->config);
    rf_buf_deinit(&ferry->log);
}
