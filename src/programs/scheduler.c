/* scheduler: the controller. It keeps the pipelines running, from MySQL's log to all other stores
 * and of MongoDB's notes to Redis and Cassandra, writes to MySQL and to MongoDB every few seconds,
 * reads every store back, and shows how far each is behind. */
#include "base/clock.h"
#include "base/exit.h"
#include "base/message.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "programs/child.h"
#include "programs/ferry.h"
#include "programs/readings.h"
#include "programs/screen.h"
#include "programs/stores.h"
#include "programs/verb.h"
#include "schedule/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    TEND_MS = 100,
    LOOK_MS = 50,       /* while something is on its way */
    LOOK_LATE_MS = 500, /* when it has been for a while */
    LATE_MS = 2000,     /* ... which is this long */
    DRAW_MS = 250,
    LAST_WAIT_MS = 20 * 1000, /* for the last run's arrival, and tables that are being made */
};

struct options {
    int64_t every_ms;
    int64_t runs;
};

static const struct rf_option options[] = {
    {"every", RF_OPTION_DURATION, offsetof(struct options, every_ms), "2s", "100ms..1h",
     "time between two runs", false},
    {"runs", RF_OPTION_INT, offsetof(struct options, runs), NULL, "1..1000000000",
     "end after so many runs; without it, at Ctrl-C", false},
    RF_OPTION_END,
};

/* All that the jobs share. */
struct scheduler {
    const struct options *options;
    struct rf_loop loop;
    struct rf_stores stores;
    struct rf_ferry ferry, notes_ferry;
    struct rf_trail trail, notes_trail;
    struct rf_screen screen;
    struct rf_readings readings;
    struct rf_job write, look, tend, tend_notes, draw;
    uint64_t run;      /* its number */
    bool reading;      /* this run is still being read back */
    int64_t run_ms;    /* when this run began */
    int64_t looked_ms; /* when it was read back last */
    bool unwritten;    /* a run's row or note was refused, or not confirmed */
    bool notes_begun;  /* their pipeline has a place */
    bool terminal;
    uint32_t drawn; /* lines of the table that stand on the terminal */
    int code;
};

/* ---- Saying ---------------------------------------------------------------------------------- */

static void print_line(const char *text)
{
    time_t now = time(NULL);
    struct tm local;
    char stamp[32];

    localtime_r(&now, &local);
    strftime(stamp, sizeof stamp, "%H:%M:%S", &local);
    printf("%s %s", stamp, text);
    fflush(stdout);
}

/* To the table's foot on a terminal, as a line elsewhere. */
static void tell(void *argument, const char *text)
{
    struct scheduler *scheduler = argument;
    struct rf_screen *screen = &scheduler->screen;
    time_t now = time(NULL);
    struct tm local;
    char stamp[16];

    if (!scheduler->terminal) {
        struct rf_buf line = {0};
        rf_buf_printf(&line, "%s\n", text);
        print_line(rf_buf_cstr(&line));
        rf_buf_deinit(&line);
        return;
    }
    localtime_r(&now, &local);
    strftime(stamp, sizeof stamp, "%H:%M:%S", &local);
    memmove(screen->news[0], screen->news[1], sizeof screen->news - sizeof screen->news[0]);
    snprintf(screen->news[RF_SCREEN_NEWS - 1], sizeof screen->news[0], "%s %.180s", stamp, text);
}

/* For the pipelines, which are started without it then. */
static bool is_away(void *argument, const char *container)
{
    struct scheduler *scheduler = argument;
    enum rf_store store = rf_store_of(container);

    return store != RF_STORES && scheduler->stores.away[store][0] != '\0';
}

static void fill_screen(struct scheduler *scheduler)
{
    struct rf_screen *screen = &scheduler->screen;

    screen->run = scheduler->run;
    screen->missed = scheduler->write.missed;
    screen->every_ms = scheduler->options->every_ms;
    screen->pid = scheduler->ferry.pid;
    screen->restarts = scheduler->ferry.restarts;
    screen->trail = &scheduler->trail;
    screen->notes_trail = &scheduler->notes_trail;
    screen->now_ms = rf_clock_ms();
    rf_readings_show(&scheduler->readings);
}

/* What this run has come to is said once. */
static void conclude_run(struct scheduler *scheduler)
{
    struct rf_buf line = {0};

    scheduler->reading = false;
    if (!scheduler->terminal) {
        fill_screen(scheduler);
        rf_screen_line(&scheduler->screen, &line);
        print_line(rf_buf_cstr(&line));
        rf_buf_deinit(&line);
    }
}

static bool is_last(const struct scheduler *scheduler)
{
    return scheduler->options->runs > 0 && scheduler->run >= (uint64_t)scheduler->options->runs;
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

/* One that refuses says why; of one that is away that is shown anyway, and whether it took what it
 * was given before it went is not known. */
static void take_note_of(struct scheduler *scheduler, const char *what, enum rf_store store,
                         enum rf_status status, const struct rf_error *err, char *out, size_t size)
{
    out[0] = '\0';
    if (status == RF_OK) {
        return;
    }
    scheduler->unwritten = true;
    if (status == RF_CONFIG) {
        snprintf(out, size, "%s not written: %.150s", what, err->message);
    } else {
        snprintf(out, size, "%s not confirmed: %s was away", what, rf_store_title(store));
    }
}

static enum rf_status write_post(struct scheduler *scheduler, struct rf_error *err)
{
    struct rf_screen *screen = &scheduler->screen;
    struct rf_post post;

    rf_post_make(&post);
    enum rf_status status = rf_stores_post(&scheduler->stores, &post, err);
    if (status == RF_OK) {
        rf_trail_wrote(&scheduler->trail, &post, rf_clock_ms());
    }
    take_note_of(scheduler, "row", RF_STORE_MYSQL, status, err, screen->no_row,
                 sizeof screen->no_row);
    return status;
}

/* Their pipeline has a place: what is written from here on is carried. */
static bool have_notes_begun(struct scheduler *scheduler)
{
    /* The file that is shown, Redis, Cassandra. */
    uint32_t sinks = scheduler->screen.has_cassandra ? 3 : 2;

    scheduler->notes_begun =
        scheduler->notes_begun || rf_ferry_has_begun(&scheduler->notes_ferry, sinks);
    return scheduler->notes_begun;
}

static enum rf_status write_note(struct scheduler *scheduler, struct rf_error *err)
{
    struct rf_screen *screen = &scheduler->screen;
    struct rf_post note;

    bool begun = have_notes_begun(scheduler);
    rf_post_make(&note);
    enum rf_status status = rf_stores_note(&scheduler->stores, &note, err);
    if (status == RF_OK && begun) {
        rf_trail_wrote(&scheduler->notes_trail, &note, rf_clock_ms());
    }
    take_note_of(scheduler, "note", RF_STORE_MONGO, status, err, screen->no_note,
                 sizeof screen->no_note);
    return status;
}

/* A run: a row to MySQL, a note to MongoDB. One of them may fail without the other. */
static enum rf_status write_both(void *argument, struct rf_error *err)
{
    struct scheduler *scheduler = argument;
    struct rf_error note_err = {0};

    if (is_last(scheduler)) {
        return RF_AGAIN; /* it is only waited for what was written */
    }
    if (scheduler->reading) {
        conclude_run(scheduler); /* of the run before */
    }
    rf_readings_source(&scheduler->readings); /* what others wrote is older than what follows */
    enum rf_status status = write_post(scheduler, err);
    enum rf_status noted = write_note(scheduler, status == RF_OK ? err : &note_err);
    scheduler->run = scheduler->write.runs;
    scheduler->reading = true;
    scheduler->run_ms = rf_clock_ms();
    scheduler->looked_ms = 0;
    return status != RF_OK ? status : noted;
}

static enum rf_status look_back(void *argument, struct rf_error *err)
{
    struct scheduler *scheduler = argument;
    int64_t now_ms = rf_clock_ms(), age_ms = now_ms - scheduler->run_ms;

    (void)err;
    if (!scheduler->reading || (age_ms > LATE_MS && now_ms - scheduler->looked_ms < LOOK_LATE_MS)) {
        return RF_AGAIN;
    }
    scheduler->looked_ms = now_ms;
    /* A pipeline of notes that has ended for good is said to have; nothing arrives any more. Before
     * it has begun, nobody knows what it carries. */
    bool with_notes = scheduler->notes_ferry.code == 0;
    bool arrived = rf_readings_take(&scheduler->readings, with_notes);
    if (is_last(scheduler) && with_notes && !have_notes_begun(scheduler)) {
        arrived = false;
    }
    if (is_last(scheduler) && (arrived || age_ms > LAST_WAIT_MS)) {
        conclude_run(scheduler);
        scheduler->code = arrived && !scheduler->unwritten ? RF_EXIT_DONE : RF_EXIT_UNHEALTHY;
        rf_loop_stop(&scheduler->loop);
    } else if (arrived) {
        conclude_run(scheduler);
    }
    return RF_OK;
}

static enum rf_status tend(void *argument, struct rf_error *err)
{
    struct scheduler *scheduler = argument;

    return rf_ferry_tend(&scheduler->ferry, err);
}

/* That of notes may end for good while the other one goes on: then it is said, and the exit code in
 * the end is its own. */
static enum rf_status tend_notes(void *argument, struct rf_error *err)
{
    struct scheduler *scheduler = argument;
    enum rf_status status = rf_ferry_tend(&scheduler->notes_ferry, err);

    if (status != RF_OK) {
        tell(scheduler, err->message);
    }
    return RF_OK;
}

/* Where the table ends that fits on the terminal, which would scroll otherwise. */
static size_t cut_at(struct rf_str table, uint32_t lines)
{
    size_t at = 0;

    for (; at < table.size && lines > 0; at++) {
        lines -= table.data[at] == '\n';
    }
    return at;
}

/* Over the table that stands there. */
static enum rf_status draw(void *argument, struct rf_error *err)
{
    struct scheduler *scheduler = argument;
    struct rf_buf table = {0}, out = {0};
    uint32_t columns = rf_terminal_columns(STDOUT_FILENO) - 1;
    uint32_t room = rf_terminal_rows(STDOUT_FILENO) - 1;

    (void)err;
    fill_screen(scheduler);
    if (scheduler->drawn > 0) {
        rf_buf_printf(&out, "\033[%uA", scheduler->drawn);
    }
    scheduler->drawn = rf_screen_table(&scheduler->screen, columns, &table);
    if (scheduler->drawn > room) {
        table.size = cut_at(rf_buf_str(&table), room);
        scheduler->drawn = room;
    }
    rf_buf_add_str(&out, rf_buf_str(&table));
    rf_buf_printf(&out, "\033[J");
    rf_terminal_put(STDOUT_FILENO, rf_buf_str(&out));
    rf_buf_deinit(&table);
    rf_buf_deinit(&out);
    return RF_OK;
}

static void add_jobs(struct scheduler *scheduler)
{
    scheduler->tend = (struct rf_job){.name = "pipeline",
                                      .every_ms = TEND_MS,
                                      .policy = RF_JOB_STOP,
                                      .run = tend,
                                      .argument = scheduler};
    scheduler->tend_notes = (struct rf_job){
        .name = "notes", .every_ms = TEND_MS, .run = tend_notes, .argument = scheduler};
    scheduler->write = (struct rf_job){.name = "write",
                                       .every_ms = scheduler->options->every_ms,
                                       .run = write_both,
                                       .argument = scheduler};
    scheduler->look = (struct rf_job){
        .name = "look", .every_ms = LOOK_MS, .run = look_back, .argument = scheduler};
    scheduler->draw =
        (struct rf_job){.name = "draw", .every_ms = DRAW_MS, .run = draw, .argument = scheduler};
    rf_loop_add(&scheduler->loop, &scheduler->tend);
    rf_loop_add(&scheduler->loop, &scheduler->tend_notes);
    rf_loop_add(&scheduler->loop, &scheduler->write);
    rf_loop_add(&scheduler->loop, &scheduler->look);
    if (scheduler->terminal) {
        rf_loop_add(&scheduler->loop, &scheduler->draw);
    }
}

/* ---- Signals --------------------------------------------------------------------------------- */

static void on_stop(void *argument)
{
    struct scheduler *scheduler = argument;

    rf_loop_stop(&scheduler->loop);
    rf_stores_interrupt(&scheduler->stores);
}

static void on_nothing(void *argument)
{
    (void)argument;
}

/* ---- Running --------------------------------------------------------------------------------- */

static int run_loop(struct scheduler *scheduler)
{
    struct rf_signals signals = {
        .stop = on_stop, .leave = on_nothing, .resized = on_nothing, .argument = scheduler};
    struct rf_error err = {0};

    rf_signals_block(&signals);
    rf_signals_listen(&signals);
    rf_stores_try(&scheduler->stores, scheduler->screen.has_cassandra);
    add_jobs(scheduler);
    enum rf_status status = rf_loop_run(&scheduler->loop, &err);
    if (scheduler->terminal) {
        draw(scheduler, &err);
    }
    bool over = status != RF_OK;
    if (over) {
        rf_child_show_log(scheduler->ferry.log.data);
        rf_message_failure(&err);
        scheduler->code = scheduler->ferry.code;
    }
    if (scheduler->code == RF_EXIT_DONE && scheduler->notes_ferry.code != 0) {
        scheduler->code = scheduler->notes_ferry.code;
    }
    rf_ferry_close(&scheduler->notes_ferry);
    rf_ferry_close(&scheduler->ferry);
    int caught = rf_signals_caught(&signals);
    rf_signals_deinit(&signals);
    return caught != 0 && !over ? RF_EXIT_SIGNAL + caught : scheduler->code;
}

static int run(const struct rf_call *call)
{
    static struct scheduler scheduler;
    struct rf_wake_clock clock = {0};
    struct rf_error err = {0};

    scheduler.options = call->options;
    scheduler.terminal = isatty(STDOUT_FILENO);
    scheduler.screen.coloured = rf_terminal_takes_colours(STDOUT_FILENO);
    scheduler.screen.trail = &scheduler.trail;
    scheduler.screen.has_cassandra = rf_access_exists("cassandra");
    scheduler.trail.unused[RF_COPY_CASSANDRA] = !scheduler.screen.has_cassandra;
    scheduler.trail.unused[RF_COPY_MAX] = !scheduler.screen.has_cassandra;
    scheduler.screen.notes_trail = &scheduler.notes_trail;
    for (int copy = 0; copy < RF_COPIES; copy++) {
        scheduler.notes_trail.unused[copy] =
            copy != RF_COPY_REDIS && (copy != RF_COPY_CASSANDRA || !scheduler.screen.has_cassandra);
    }
    scheduler.readings.stores = &scheduler.stores;
    scheduler.readings.trail = &scheduler.trail;
    scheduler.readings.notes_trail = &scheduler.notes_trail;
    scheduler.readings.screen = &scheduler.screen;
    scheduler.ferry.line = &rf_ferry_posts;
    scheduler.notes_ferry.line = &rf_ferry_notes;
    scheduler.ferry.say = scheduler.notes_ferry.say = tell;
    scheduler.ferry.away = scheduler.notes_ferry.away = is_away;
    scheduler.ferry.argument = scheduler.notes_ferry.argument = &scheduler;
    enum rf_status status = rf_wake_clock_open(&clock, &err);
    if (status == RF_OK) {
        status = rf_ferry_open(&scheduler.ferry, &err);
    }
    if (status == RF_OK) {
        status = rf_ferry_open(&scheduler.notes_ferry, &err);
    }
    if (status == RF_OK) {
        scheduler.loop.clock = rf_wake_clock_of(&clock);
        scheduler.code = run_loop(&scheduler);
    } else {
        rf_message_failure(&err);
        scheduler.code = status == RF_RETRY ? RF_EXIT_UNREACHABLE : RF_EXIT_CONFIG;
    }
    rf_ferry_close(&scheduler.notes_ferry);
    rf_ferry_close(&scheduler.ferry);
    rf_stores_close(&scheduler.stores);
    rf_wake_clock_close(&clock);
    return scheduler.code;
}

RF_VERB(run, .name = "", .usage = "[--every TIME] [--runs N]", .rank = 1,
        .summary = "write, read back and show, again and again",
        .help =
            "Starts the pipeline from MySQL to MongoDB, Redis and Cassandra (where its container\n"
            "was made), and starts it again when it dies. Every few seconds it writes a row to\n"
            "MySQL and a note to MongoDB, then reads all stores back and shows how far each is\n"
            "behind.\n\n"
            "Exit codes: 0 after --runs, when all was taken and has arrived, else 6; 2, 3 and 4\n"
            "those of the pipeline, when going on makes no sense; 5 when there are no containers;\n"
            "130 and 143 stopped by a signal.\n",
        .options = options, .state_size = sizeof(struct options), .run = run);

/* ---- -clear ---------------------------------------------------------------------------------- */

static int run_clear(const struct rf_call *call)
{
    static struct rf_stores stores;
    struct rf_error err = {0};
    uint64_t posts = 0, notes = 0;

    (void)call;
    enum rf_status status = rf_stores_clear_posts(&stores, &posts, &err);
    if (status == RF_OK) {
        /* Said at once: what follows may fail, and this is done. */
        printf("pluto.posts of MySQL: %llu rows deleted\n", (unsigned long long)posts);
        fflush(stdout);
        status = rf_stores_clear_notes(&stores, &notes, &err);
    }
    if (status == RF_OK) {
        printf("pluto.notes of MongoDB: %llu documents deleted\n"
               "The copies follow by the log, as soon as the scheduler runs.\n",
               (unsigned long long)notes);
    }
    rf_stores_close(&stores);
    if (status != RF_OK) {
        rf_message_failure(&err);
        return status == RF_RETRY ? RF_EXIT_UNREACHABLE : RF_EXIT_CONFIG;
    }
    return RF_EXIT_DONE;
}

RF_VERB(clear, .name = "-clear", .usage = "", .rank = 2,
        .summary = "empty pluto.posts and pluto.notes at their sources",
        .help = "What the pipeline has made of them goes the same way as every change: by the\n"
                "log. Positions stay as they are.\n",
        .run = run_clear);

int main(int argc, char **argv)
{
    static const struct rf_program program = {
        .name = "scheduler",
        .summary = "The controller of the private servers and of the pipeline between them.\n",
    };

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    rf_message_set_program("scheduler");
    return rf_verbs_main(&program, argc - 1, argv + 1);
}
