/* A pipeline as a process beside the scheduler: `rowferry run`. There are two: from MySQL's log to
 * the other stores (below), and of MongoDB's notes to Redis and Cassandra (notes.h).
 *
 * The first one's configuration, positions and log lie in the home of the MySQL container, so that
 * they come and go with the log that they are about. It ends when the scheduler ends, however that
 * happens. When it ends by itself, how it ended says what is done: after a signal, or when a server
 * could not be reached, it is started again, with a pause that grows; after exit codes that say
 * that going on is wrong or useless, the scheduler ends with the same code. While another program
 * than a scheduler runs it, it is left to that one, and taken over when that ends.
 *
 * One thread, which lives as long as the process. */
#ifndef ROWFERRY_PROGRAMS_FERRY_H
#define ROWFERRY_PROGRAMS_FERRY_H

#include "container/hold.h"

#include <rowferry/str.h>
#include <sys/types.h>

struct rf_ferry;

/* What is particular to a pipeline. */
struct rf_ferry_line {
    const char *name;   /* the pipeline's: "pluto" */
    const char *title;  /* for people: "the pipeline" */
    const char *source; /* the container that it is from: "mysql" */
    /* Finds ferry->directory, where its files are. Returns as rf_ferry_open. */
    enum rf_status (*place)(struct rf_ferry *ferry, struct rf_error *err);
    /* Writes ferry->config, for the stores that there are now and that rf_ferry_takes. Asks no
     * server. Returns RF_OK; RF_RETRY; RF_CONFIG. */
    enum rf_status (*configure)(struct rf_ferry *ferry, struct rf_error *err);
    /* Makes at its source what it needs there, before each start. NULL: nothing. Returns RF_OK;
     * RF_RETRY; RF_CONFIG. */
    enum rf_status (*prepare)(struct rf_error *err);
    /* Whether a program that is no scheduler may be running this pipeline now, and which: appended.
     * NULL: none ever does. */
    bool (*carried)(struct rf_buf *who);
};
extern const struct rf_ferry_line rf_ferry_posts, rf_ferry_notes;

enum { RF_FERRY_SINKS_MAX = 3 };

struct rf_ferry {
    const struct rf_ferry_line *line; /* set by the owner */
    /* Told what happens to it, in words for a person; set by the owner. */
    void (*say)(void *argument, const char *text);
    /* Whether that container's store ("redis") is known not to answer; set by the owner. Such a
     * source is waited for; such a sink is left out until it answers, as a pipeline that is started
     * waits for all of its sinks. NULL: none ever is. */
    bool (*away)(void *argument, const char *container);
    void *argument;
    /* for reading */
    pid_t pid;         /* 0: it does not run */
    uint32_t restarts; /* how often it was started again */
    int code;          /* why it will not be started again: the exit code to end with; 0: it will */
    struct rf_buf log; /* path of its log */
    struct rf_buf directory, config; /* paths, terminated */
    /* the rest is private */
    struct rf_hold hold; /* of the containers */
    int64_t begun_ms;    /* when it was started last */
    int64_t next_ms;     /* when it may be started */
    int64_t orphan_ms;   /* since when one of an earlier scheduler holds the place; 0: none does */
    uint32_t tries;      /* starts since it last went well */
    bool started;
    const char *left_out[RF_FERRY_SINKS_MAX]; /* containers of its sinks that were away */
    uint32_t left_out_count;
    bool renewed;      /* it was stopped by ourselves, as one of those answers */
    bool carried;      /* another program runs it; that was said */
    char problem[200]; /* said last, why it cannot be started */
};

/* Takes its place: there is one scheduler for it. The owner's fields are set, the others zeroed.
 * Returns RF_OK; RF_RETRY: there is no container of its source yet, or none of the sinks;
 * RF_CONFIG: another scheduler runs, a file cannot be written. */
RF_USE_RESULT enum rf_status rf_ferry_open(struct rf_ferry *ferry, struct rf_error *err);

/* For configure: whether sinks of that container are to be in it; if not, that is remembered.
 * ferry NULL: they are. */
bool rf_ferry_takes(struct rf_ferry *ferry, const char *container);

/* To be called several times a second: looks whether it still runs, starts it where that is due.
 * Returns RF_OK; RF_FATAL: it has ended for good, code says with what, and err why; from then on
 * nothing is done any more. */
RF_USE_RESULT enum rf_status rf_ferry_tend(struct rf_ferry *ferry, struct rf_error *err);

/* Whether each of its sinks, of which there are so many, has a place by now: what is written from
 * here on is carried. */
bool rf_ferry_has_begun(const struct rf_ferry *ferry, uint32_t sinks);

/* Stops it in order, or after some seconds by force, and gives everything back. Accepts one that
 * was not opened. */
void rf_ferry_close(struct rf_ferry *ferry);

/* What an end means, from waitpid's status. Pure. */
enum rf_ferry_end {
    RF_FERRY_AGAIN, /* start it again */
    RF_FERRY_OVER,  /* end with its code */
};
/* why: appended, "was killed by signal 9", "ended with 3: data would be lost". code: its exit
 * code. */
enum rf_ferry_end rf_ferry_judge(int status, int *code, struct rf_buf *why);

#endif
