/* Progress as text: where the pipeline stands, how fast it is and how each sink does.
 *
 *     0-1-300000  12,345/s  1,234,567 events  lag 2s  redis ok  file retry in 3s
 *     0-1-300000  12,345/s  1,234,567 events  7 skipped  lag 3m 1s  file own feed 3m 1s
 *     0-1-300000  12,345/s  1,234,567 events  lag 0s  redis ok, 2 buried
 *
 * On a terminal that takes colours trouble has one: red what is lost, yellow what others wait for.
 *
 * Pure: numbers in, text out. Used by the live line, by the progress lines of the log and by the
 * summary. */
#ifndef ROWFERRY_CLI_PROGRESS_H
#define ROWFERRY_CLI_PROGRESS_H

#include <rowferry/str.h>

enum { RF_PROGRESS_SINKS_MAX = 16, RF_RATE_SAMPLES = 16 };

/* How one source or sink does. */
enum rf_progress_state {
    RF_PROGRESS_OK,         /* open, and nothing is left to do */
    RF_PROGRESS_BUSY,       /* open and at work */
    RF_PROGRESS_CONNECTING, /* being opened */
    RF_PROGRESS_RETRYING,   /* lost, opened again in a while */
    RF_PROGRESS_WAITING,    /* open or not, others must move first */
    RF_PROGRESS_OWN_FEED,   /* open, far behind the others, on its own reading of the log */
    RF_PROGRESS_DONE,
};

struct rf_progress_actor {
    char name[64]; /* short: "redis", "file#2" */
    enum rf_progress_state state;
    int64_t retry_in_ms; /* RF_PROGRESS_RETRYING */
    int64_t lag_us;      /* RF_PROGRESS_OWN_FEED: -1: not known */
    uint64_t buried;     /* events that went to its dead letters */
};

struct rf_progress {
    struct rf_str position; /* of the last transaction read; borrowed */
    uint64_t events;        /* read since the start */
    uint64_t rate;          /* events per second, lately */
    uint64_t waived;        /* log events left out as the operator said */
    int64_t lag_us;         /* -1: not known */
    struct rf_progress_actor source;
    struct rf_progress_actor sinks[RF_PROGRESS_SINKS_MAX];
    uint32_t sink_count;
    uint32_t more_sinks; /* how many there are beside those */
    bool coloured;
};

/* One line without a newline, at most `columns` wide (0: any width). Where it does not fit, the
 * number of events goes first, then the names of sinks that are well ("2 ok"); the rest is cut from
 * the right. Appends to out. */
void rf_progress_line(const struct rf_progress *progress, uint32_t columns, struct rf_buf *out);
/* How many columns of a terminal such a line takes. */
uint32_t rf_progress_width(struct rf_str line);

/* What a person wants to see of a position: of "kind:gtid=0-1-7;file=bin.000003;end=1234;..." the
 * GTIDs, without any the place "bin.000003:1234"; of other text all. Borrows from position or lies
 * in scratch. */
struct rf_str rf_position_short(struct rf_str position, struct rf_buf *scratch);

/* "1,234,567". */
void rf_print_number(struct rf_buf *out, uint64_t number);
/* "0s", "59s", "3m 20s", "5h 1m", "12d 3h". */
void rf_print_age(struct rf_buf *out, int64_t us);
/* "2024-02-29 12:00:00" in UTC. */
void rf_print_time(struct rf_buf *out, int64_t us);

/* Events per second over the last few samples. Zeroed is empty. */
struct rf_rate {
    int64_t at_ms[RF_RATE_SAMPLES];
    uint64_t events[RF_RATE_SAMPLES];
    uint32_t count;
};
/* Adds a sample and returns the rate over the window. */
uint64_t rf_rate_add(struct rf_rate *rate, int64_t now_ms, uint64_t events);

#endif
