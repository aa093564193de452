#include "cli/progress.h"

#include <time.h>

enum {
    POSITION_COLUMNS = 40,
    NARROW_POSITION_COLUMNS = 24,
    NARROW_COLUMNS = 100,
    NAME_COLUMNS = 20
};

void rf_print_number(struct rf_buf *out, uint64_t number)
{
    struct rf_buf digits = {0};

    rf_buf_add_u64(&digits, number);
    for (size_t i = 0; i < digits.size; i++) {
        if (i > 0 && (digits.size - i) % 3 == 0) {
            rf_buf_add_byte(out, ',');
        }
        rf_buf_add_byte(out, digits.data[i]);
    }
    rf_buf_deinit(&digits);
}

void rf_print_age(struct rf_buf *out, int64_t us)
{
    long long s = us > 0 ? us / 1000000 : 0;

    if (s < 60) {
        rf_buf_printf(out, "%llds", s);
    } else if (s < 3600) {
        rf_buf_printf(out, "%lldm %llds", s / 60, s % 60);
    } else if (s < 86400) {
        rf_buf_printf(out, "%lldh %lldm", s / 3600, s / 60 % 60);
    } else {
        rf_buf_printf(out, "%lldd %lldh", s / 86400, s / 3600 % 24);
    }
}

void rf_print_time(struct rf_buf *out, int64_t us)
{
    time_t seconds = us / 1000000;
    struct tm utc;
    char text[32];

    gmtime_r(&seconds, &utc);
    size_t size = strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc);
    rf_buf_add(out, text, size);
}

uint64_t rf_rate_add(struct rf_rate *rate, int64_t now_ms, uint64_t events)
{
    uint32_t at = rate->count % RF_RATE_SAMPLES;
    uint32_t oldest = rate->count < RF_RATE_SAMPLES ? 0 : (at + 1) % RF_RATE_SAMPLES;

    rate->at_ms[at] = now_ms;
    rate->events[at] = events;
    rate->count++;
    int64_t passed_ms = now_ms - rate->at_ms[oldest];
    if (passed_ms <= 0 || events < rate->events[oldest]) {
        return 0;
    }
    return (events - rate->events[oldest]) * 1000 / (uint64_t)passed_ms;
}

/* The value of "name=" in fields separated by ';'; empty: not there. */
static struct rf_str field_of(struct rf_str fields, struct rf_str name)
{
    struct rf_str field;

    while (rf_str_split(&fields, ';', &field)) {
        if (rf_str_starts(field, name)) {
            return (struct rf_str){field.data + name.size, field.size - name.size};
        }
    }
    return RF_STR_NONE;
}

struct rf_str rf_position_short(struct rf_str position, struct rf_buf *scratch)
{
    struct rf_str fields = position, kind;

    if (!rf_str_split(&fields, ':', &kind) || fields.data == NULL) {
        return position;
    }
    struct rf_str gtids = field_of(fields, RF_STR("gtid="));
    struct rf_str file = field_of(fields, RF_STR("file="));
    struct rf_str end = field_of(fields, RF_STR("end="));
    if (gtids.size > 0) {
        return gtids;
    }
    if (file.size == 0 || end.size == 0) {
        return position;
    }
    rf_buf_reset(scratch);
    rf_buf_printf(scratch, "%.*s:%.*s", RF_STR_ARG(file), RF_STR_ARG(end));
    return rf_buf_str(scratch);
}

/* It may be long; its end is what moves. */
static void add_position(struct rf_buf *out, struct rf_str position, uint32_t columns)
{
    if (position.size == 0) {
        rf_buf_printf(out, "-");
    } else if (position.size <= columns) {
        rf_buf_add_str(out, position);
    } else {
        size_t kept = columns - 2;
        rf_buf_printf(out, "..%.*s", (int)kept, position.data + position.size - kept);
    }
}

/* ---- Columns and colours --------------------------------------------------------------------- */

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

/* Bytes of the colour that begins there; 0: none does. Only ours get into a line. */
static size_t colour_at(const char *at, size_t left)
{
    static const char *const colours[] = {RED, YELLOW, PLAIN};

    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++) {
        size_t size = strlen(colours[i]);
        if (left >= size && memcmp(at, colours[i], size) == 0) {
            return size;
        }
    }
    return 0;
}

/* The length of the beginning of text that takes so many columns, with colours behind it; *seen:
 * how many it does take. A character of UTF-8 is one column, a colour none. */
static size_t fit(struct rf_str text, uint32_t columns, uint32_t *seen)
{
    size_t i = 0;

    for (*seen = 0; i < text.size;) {
        size_t colour = colour_at(text.data + i, text.size - i);
        bool begins = ((unsigned char)text.data[i] & 0xC0) != 0x80;
        if (colour == 0 && begins && *seen == columns) {
            break;
        }
        *seen += colour == 0 && begins;
        i += colour > 0 ? colour : 1;
    }
    return i;
}

uint32_t rf_progress_width(struct rf_str line)
{
    uint32_t columns;

    fit(line, UINT32_MAX, &columns);
    return columns;
}

static uint32_t width(const struct rf_buf *out, size_t start)
{
    return rf_progress_width((struct rf_str){out->data + start, out->size - start});
}

/* Cuts what was appended behind `start` to so many columns; no colour goes on behind it. */
static void cut(struct rf_buf *out, size_t start, uint32_t columns)
{
    struct rf_str text = {out->data + start, out->size - start};
    uint32_t seen;
    size_t kept = fit(text, columns, &seen);

    if (kept < text.size) {
        out->size = start + kept;
        if (memchr(text.data, '\033', kept) != NULL) {
            rf_buf_printf(out, PLAIN);
        }
    }
}

/* NULL: as it is. */
static const char *colour_of(const struct rf_progress_actor *actor)
{
    switch (actor->state) {
    case RF_PROGRESS_RETRYING: return RED;
    case RF_PROGRESS_WAITING:
    case RF_PROGRESS_OWN_FEED: return YELLOW;
    case RF_PROGRESS_OK:
    case RF_PROGRESS_BUSY:
    case RF_PROGRESS_CONNECTING:
    case RF_PROGRESS_DONE: break;
    }
    return actor->buried > 0 ? YELLOW : NULL;
}

/* ---- The line -------------------------------------------------------------------------------- */

/* Its beginning tells one from another. */
static void add_name(struct rf_buf *out, const char *name)
{
    size_t begin = out->size;

    rf_buf_printf(out, "%s", name);
    if (strlen(name) > NAME_COLUMNS) {
        cut(out, begin, NAME_COLUMNS - 2);
        rf_buf_printf(out, "..");
    }
}

static void add_state(struct rf_buf *out, const struct rf_progress_actor *actor, bool coloured)
{
    const char *colour = coloured ? colour_of(actor) : NULL;

    add_name(out, actor->name);
    rf_buf_printf(out, " %s", colour ? colour : "");
    switch (actor->state) {
    case RF_PROGRESS_OK: rf_buf_printf(out, "ok"); break;
    case RF_PROGRESS_BUSY: rf_buf_printf(out, "busy"); break;
    case RF_PROGRESS_CONNECTING: rf_buf_printf(out, "connecting"); break;
    case RF_PROGRESS_WAITING: rf_buf_printf(out, "waiting"); break;
    case RF_PROGRESS_DONE: rf_buf_printf(out, "done"); break;
    case RF_PROGRESS_OWN_FEED:
        rf_buf_printf(out, "own feed");
        if (actor->lag_us >= 0) {
            rf_buf_add_byte(out, ' ');
            rf_print_age(out, actor->lag_us);
        }
        break;
    case RF_PROGRESS_RETRYING:
        if (actor->retry_in_ms <= 0) {
            rf_buf_printf(out, "retrying");
            break;
        }
        rf_buf_printf(out, "retry in ");
        rf_print_age(out, (actor->retry_in_ms + 999) * 1000);
        break;
    }
    if (actor->buried > 0) {
        rf_buf_printf(out, ", ");
        rf_print_number(out, actor->buried);
        rf_buf_printf(out, " buried");
    }
    rf_buf_printf(out, "%s", colour ? PLAIN : "");
}

/* What a line leaves out where it does not fit. */
enum detail { ALL, NO_TOTALS, TROUBLE_ONLY, DETAILS };

static bool is_fine(const struct rf_progress_actor *actor)
{
    return actor->state <= RF_PROGRESS_BUSY && actor->buried == 0;
}

static void add_sinks(struct rf_buf *out, const struct rf_progress *progress, enum detail detail)
{
    uint32_t fine = 0;

    for (uint32_t i = 0; i < progress->sink_count; i++) {
        if (detail == TROUBLE_ONLY && is_fine(&progress->sinks[i])) {
            fine++;
            continue;
        }
        rf_buf_printf(out, "  ");
        add_state(out, &progress->sinks[i], progress->coloured);
    }
    if (fine > 0) {
        rf_buf_printf(out, "  %u ok", fine);
    }
    if (progress->more_sinks > 0) {
        rf_buf_printf(out, "  and %u more", progress->more_sinks);
    }
}

static void add_line(struct rf_buf *out, const struct rf_progress *progress, enum detail detail,
                     uint32_t position_columns)
{
    struct rf_buf scratch = {0};

    if (progress->source.state > RF_PROGRESS_BUSY) {
        add_state(out, &progress->source, progress->coloured);
        rf_buf_printf(out, "  ");
    }
    add_position(out, rf_position_short(progress->position, &scratch), position_columns);
    rf_buf_printf(out, "  ");
    rf_print_number(out, progress->rate);
    rf_buf_printf(out, "/s");
    if (detail == ALL) {
        rf_buf_printf(out, "  ");
        rf_print_number(out, progress->events);
        rf_buf_printf(out, " event%s", progress->events == 1 ? "" : "s");
    }
    if (progress->waived > 0) {
        rf_buf_printf(out, "  ");
        rf_print_number(out, progress->waived);
        rf_buf_printf(out, " skipped");
    }
    rf_buf_printf(out, "  lag ");
    if (progress->lag_us >= 0) {
        rf_print_age(out, progress->lag_us);
    } else {
        rf_buf_add_byte(out, '-');
    }
    add_sinks(out, progress, detail);
    rf_buf_deinit(&scratch);
}

void rf_progress_line(const struct rf_progress *progress, uint32_t columns, struct rf_buf *out)
{
    size_t start = out->size;
    bool narrow = columns > 0 && columns < NARROW_COLUMNS;

    for (int detail = ALL; detail < DETAILS; detail++) {
        out->size = start;
        add_line(out, progress, (enum detail)detail,
                 narrow ? NARROW_POSITION_COLUMNS : POSITION_COLUMNS);
        if (columns == 0 || width(out, start) <= columns) {
            return;
        }
    }
    cut(out, start, columns);
}
