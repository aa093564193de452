/* mongocdc: shows what changed in MongoDB's pluto.notes since the last run, and carries it to Redis
 * and Cassandra. */
#include "base/clock.h"
#include "base/exit.h"
#include "base/message.h"
#include "base/process.h"
#include "base/signals.h"
#include "programs/child.h"
#include "programs/ferry.h"
#include "programs/notes.h"
#include "programs/verb.h"

#include <rowferry/event.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

enum {
    LOOK_MS = 100,
    STOP_MAX_MS = 7000,
    PREPARE_MS = 5000,
    OTHER_MAX_MS = 2000, /* for one that another process runs to end */
};

struct options {
    bool follow;
};

static const struct rf_option options[] = {
    {"follow", RF_OPTION_BOOL, offsetof(struct options, follow), "off", NULL,
     "stay, and show what changes from now on, until Ctrl-C", false},
    RF_OPTION_END,
};

/* A run. */
struct cdc {
    struct rf_notes notes;
    bool follow;
    pid_t pid; /* of the pipeline; 0: it does not run, or not by us */
    uint64_t count;
    int code;
};

static void pause_ms(int64_t ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- The pipeline ---------------------------------------------------------------------------- */

/* It ends behind what was written until now. A position would be exact; but servers without
 * postBatchResumeToken never tell that a quiet collection has come to one. */
static void add_end(struct rf_words *words)
{
    struct rf_value now = {.kind = RF_TIMESTAMP, .scale = 6, .i = rf_clock_wall_us()};
    struct rf_buf text = {0};

    rf_value_print(&text, now);
    rf_words_add(words, "--until");
    rf_words_add(words, "%.*s", RF_STR_ARG(rf_buf_str(&text)));
    rf_buf_deinit(&text);
}

static enum rf_status start(struct cdc *cdc, struct rf_error *err)
{
    struct rf_words words = {0};
    struct rf_buf program = {0};
    enum rf_status status =
        rf_notes_configure(cdc->notes.directory.data, cdc->notes.config.data, NULL, err);

    if (status == RF_OK) {
        status = rf_child_program(&program, err);
    }
    if (status == RF_OK) {
        rf_words_add(&words, "%.*s", RF_STR_ARG(rf_buf_str(&program)));
        rf_words_add(&words, "run");
        rf_words_add(&words, "%s", cdc->notes.config.data);
        if (!cdc->follow) {
            add_end(&words);
        }
        status = rf_process_start(&words, cdc->notes.log.data, &cdc->pid, err);
    }
    rf_words_deinit(&words);
    rf_buf_deinit(&program);
    return status;
}

/* What is recorded by now. */
static enum rf_status show(struct cdc *cdc, struct rf_error *err)
{
    struct rf_notes_place place;
    enum rf_status status = rf_notes_look(&cdc->notes, &place, err);

    return status == RF_OK ? rf_notes_show(&cdc->notes, place.durable, &cdc->count, err) : status;
}

static bool is_run_by_others(const struct cdc *cdc)
{
    struct rf_notes_place place;
    struct rf_error ignored = {0};

    return rf_notes_look(&cdc->notes, &place, &ignored) == RF_OK && place.pid != 0;
}

/* The pipeline has ended: what that means. *late: another process was faster to run it. */
static enum rf_status judge(struct cdc *cdc, int state, bool stopped, bool *late,
                            struct rf_error *err)
{
    struct rf_buf why = {0};
    enum rf_status status = RF_OK;

    cdc->pid = 0;
    (void)rf_ferry_judge(state, &cdc->code, &why);
    *late = cdc->code == RF_EXIT_CONFIG && !stopped && is_run_by_others(cdc);
    if (*late) {
        cdc->code = RF_EXIT_DONE;
    } else if (cdc->code != RF_EXIT_DONE && !stopped) {
        rf_child_show_log(cdc->notes.log.data);
        status =
            rf_fail(err, RF_FATAL, "the pipeline pluto-notes %.*s", RF_STR_ARG(rf_buf_str(&why)));
        rf_error_hint(err, "its log is %s", cdc->notes.log.data);
    }
    rf_buf_deinit(&why);
    return status;
}

/* Shows what comes until the pipeline has ended, or a signal came. *late: as judge says. */
static enum rf_status watch(struct cdc *cdc, const struct rf_signals *signals, bool *late,
                            struct rf_error *err)
{
    enum rf_status status = RF_OK;
    int64_t stop_ms = 0;
    int state;

    while (status == RF_OK) {
        int64_t now_ms = rf_clock_ms();
        if (rf_signals_caught(signals) != 0 && stop_ms == 0) {
            stop_ms = now_ms + STOP_MAX_MS;
            kill(cdc->pid, SIGTERM);
        } else if (stop_ms != 0 && now_ms > stop_ms) {
            kill(cdc->pid, SIGKILL);
        }
        bool ended = waitpid(cdc->pid, &state, WNOHANG) == cdc->pid;
        status = show(cdc, err);
        if (ended) {
            return status == RF_OK ? judge(cdc, state, stop_ms != 0, late, err) : status;
        }
        pause_ms(LOOK_MS);
    }
    return status;
}

/* Another process runs it: the scheduler, or what is left of a mongocdc that was killed and ends
 * soon. What it has carried is shown. *gone: it has ended meanwhile. */
static enum rf_status watch_other(struct cdc *cdc, const struct rf_signals *signals, bool *gone,
                                  struct rf_error *err)
{
    const int64_t until_ms = rf_clock_ms() + OTHER_MAX_MS;
    struct rf_notes_place place;
    enum rf_status status;

    do {
        status = rf_notes_look(&cdc->notes, &place, err);
        if (status == RF_OK) {
            status = rf_notes_show(&cdc->notes, place.durable, &cdc->count, err);
        }
        *gone = status == RF_OK && place.pid == 0;
        if (status != RF_OK || *gone || rf_signals_caught(signals) != 0) {
            return status;
        }
        pause_ms(LOOK_MS);
    } while (cdc->follow || rf_clock_ms() < until_ms);
    printf("(the pipeline pluto-notes is run by process %lld, which goes on)\n",
           (long long)place.pid);
    return RF_OK;
}

static void on_nothing(void *argument)
{
    (void)argument;
}

static enum rf_status carry(struct cdc *cdc, bool running, struct rf_error *err)
{
    struct rf_signals signals = {
        .stop = on_nothing, .leave = on_nothing, .resized = on_nothing, .argument = cdc};
    enum rf_status status = RF_OK;

    rf_signals_block(&signals);
    rf_signals_listen(&signals);
    do {
        bool gone = true;
        if (running) {
            status = watch_other(cdc, &signals, &gone, err);
        }
        running = false;
        if (status == RF_OK && gone && rf_signals_caught(&signals) == 0) {
            status = start(cdc, err);
            if (status == RF_OK) {
                status = watch(cdc, &signals, &running, err);
            }
        }
    } while (status == RF_OK && running);
    int caught = rf_signals_caught(&signals);
    if (cdc->pid > 0) {
        kill(cdc->pid, SIGKILL); /* only what it has recorded counts */
        waitpid(cdc->pid, NULL, 0);
    }
    rf_signals_deinit(&signals);
    if (caught != 0) {
        cdc->code = RF_EXIT_SIGNAL + caught;
    }
    return status;
}

/* ---- The commands ---------------------------------------------------------------------------- */

static void conclude(const struct cdc *cdc)
{
    if (cdc->count == 0) {
        printf("pluto.notes: nothing has changed since the last run\n");
    } else {
        printf("pluto.notes: %llu change%s since the last run\n", (unsigned long long)cdc->count,
               cdc->count == 1 ? "" : "s");
    }
    fflush(stdout);
}

static int end(struct cdc *cdc, enum rf_status status, const struct rf_error *err)
{
    rf_notes_close(&cdc->notes);
    if (status == RF_OK) {
        return cdc->code;
    }
    rf_message_failure(err);
    if (cdc->code != RF_EXIT_DONE) {
        return cdc->code;
    }
    return status == RF_RETRY   ? RF_EXIT_UNREACHABLE
           : status == RF_FATAL ? RF_EXIT_LOSS
                                : RF_EXIT_CONFIG;
}

static enum rf_status begin(struct cdc *cdc, bool create, bool *running, struct rf_error *err)
{
    struct rf_notes_place place = {0};
    bool made = false;
    enum rf_status status = rf_notes_open(&cdc->notes, err);

    if (status == RF_OK && create) {
        status = rf_notes_prepare(PREPARE_MS, &made, err);
    }
    if (status == RF_OK) {
        status = rf_notes_look(&cdc->notes, &place, err);
    }
    *running = place.pid != 0;
    if (status != RF_OK || (place.begun && !create)) {
        return status;
    }
    if (!create) {
        status = rf_fail(err, RF_CONFIG, "nothing says from where on pluto.notes is captured");
        rf_error_hint(err, "'mongocdc create' prepares it; what changes after that is captured");
        return status;
    }
    printf("pluto.notes: the collection %s, the starting point %s\n",
           made ? "was made" : "is there", place.begun ? "is there" : "is now");
    fflush(stdout);
    return RF_OK;
}

static int run(const struct rf_call *call, bool create)
{
    const struct options *chosen = call->options;
    struct cdc cdc = {.follow = chosen->follow};
    struct rf_error err = {0};
    bool running = false;
    enum rf_status status = begin(&cdc, create, &running, &err);

    if (status == RF_OK) {
        status = carry(&cdc, running, &err);
    }
    if (status == RF_OK && cdc.code == RF_EXIT_DONE) {
        conclude(&cdc);
    }
    return end(&cdc, status, &err);
}

static int run_plain(const struct rf_call *call)
{
    return run(call, false);
}

static int run_create(const struct rf_call *call)
{
    return run(call, true);
}

RF_VERB(capture, .name = "", .usage = "[--follow]", .rank = 1,
        .summary = "show what changed since the last run, and carry it on",
        .help = "Reads the change stream of pluto.notes in final_mongo_container from where the\n"
                "last run ended, shows each change, writes it to Redis and, where there is a\n"
                "container of it, to Cassandra, and ends when it has caught up.\n\n"
                "Exit codes: 0; 2 and 3 those of the pipeline, 2 also when nothing was prepared\n"
                "yet; 5 when there is no container, or it does not answer; 130 and 143 stopped\n"
                "by a signal.\n",
        .options = options, .state_size = sizeof(struct options), .run = run_plain);

RF_VERB(create, .name = "create", .usage = "[--follow]", .rank = 2,
        .summary = "prepare what is absent, then the same",
        .help = "Makes the collection, with pre-images where the server has them, and notes from\n"
                "where on changes are captured. What is there stays as it is, the starting point\n"
                "above all.\n",
        .options = options, .state_size = sizeof(struct options), .run = run_create);

int main(int argc, char **argv)
{
    static const struct rf_program program = {
        .name = "mongocdc",
        .summary = "Shows what changes in pluto.notes of the private MongoDB server, and carries\n"
                   "it to Redis.\n",
    };

    signal(SIGPIPE, SIG_IGN);
    rf_message_set_program("mongocdc");
    return rf_verbs_main(&program, argc - 1, argv + 1);
}
