/* rowferry position show|set|reset NAME ... */
#include "base/message.h"
#include "cli/command.h"
#include "cli/places.h"
#include "cli/stream.h"
#include "engine/registry.h"

#include <stdlib.h>

struct position_options {
    const char *state;
};

static const struct rf_option options[] = {
    {"state", RF_OPTION_TEXT, offsetof(struct position_options, state), NULL, NULL,
     "the directory of the state (default: $XDG_STATE_HOME/rowferry)", false},
    RF_OPTION_END,
};

/* What all of them work on. */
struct place {
    const char *name; /* of the pipeline */
    struct rf_buf path;
    struct rf_checkpoint_report report;
};

/* ---- show ------------------------------------------------------------------------------------ */

static enum rf_status show(const struct place *place, struct rf_buf *out)
{
    for (uint32_t i = 0; i < place->report.sink_count; i++) {
        const struct rf_checkpoint_sink *sink = &place->report.sinks[i];
        rf_buf_printf(out, "%.*s\t%.*s%s\n", RF_STR_ARG(sink->name), RF_STR_ARG(sink->position),
                      sink->ordered ? "\tordered" : "");
    }
    return RF_OK;
}

/* ---- Which sink ------------------------------------------------------------------------------ */

static enum rf_status refuse_sink(const struct place *place, const char *word, const char *why,
                                  struct rf_error *err)
{
    struct rf_buf names = {0};

    rf_fail(err, RF_CONFIG, "%s sink '%s' in the state of %s", why, word, place->name);
    for (uint32_t i = 0; i < place->report.sink_count; i++) {
        rf_buf_printf(&names, "%s%.*s", i > 0 ? ", " : "", RF_STR_ARG(place->report.sinks[i].name));
    }
    if (place->report.sink_count > 0) {
        rf_error_hint(err, "its sinks are: %s", rf_buf_cstr(&names));
    } else {
        rf_error_hint(err,
                      "no sink has a position yet: where it begins, 'rowferry run --from' says");
    }
    rf_buf_deinit(&names);
    return RF_CONFIG;
}

/* By its name; or, where only one sink is of that kind, by what stands before the colon. */
static enum rf_status find_sink(const struct place *place, const char *word,
                                const struct rf_checkpoint_sink **out, struct rf_error *err)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < place->report.sink_count; i++) {
        const struct rf_checkpoint_sink *sink = &place->report.sinks[i];
        struct rf_str rest = sink->name, scheme;
        if (rf_str_equal(sink->name, rf_str_of(word))) {
            *out = sink;
            return RF_OK;
        }
        if (rf_str_split(&rest, ':', &scheme) && rest.data != NULL &&
            rf_str_equal(scheme, rf_str_of(word))) {
            *out = sink;
            found++;
        }
    }
    if (found == 1) {
        return RF_OK;
    }
    return refuse_sink(place, word, found == 0 ? "there is no" : "there is more than one", err);
}

/* ---- Which position -------------------------------------------------------------------------- */

static enum rf_status find_source(const struct place *place, const struct rf_source_type **type,
                                  struct rf_error *err)
{
    struct rf_str rest = place->report.source, scheme;

    rf_str_split(&rest, ':', &scheme);
    char *name = rf_str_dup(scheme);
    enum rf_status status = rf_registry_find_source(name, type, err);
    free(name);
    return status;
}

/* A position has to be comparable with those of the other sinks, so it must contain itself. */
static enum rf_status check_position(const struct place *place, const char *sink,
                                     const struct rf_source_type *type, struct rf_str position,
                                     struct rf_error *err)
{
    if (type->contains(position, position)) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG, "'%.*s' is no position of %s that can be compared with others",
            RF_STR_ARG(position), type->name);
    rf_error_hint(err,
                  "it takes GTIDs such as 0-1-300000, or a whole position as 'rowferry position "
                  "show %s' prints it;\nfor any other place: 'rowferry position reset %s %s', then "
                  "start once with --from",
                  place->name, place->name, sink);
    return RF_CONFIG;
}

/* ---- set and reset --------------------------------------------------------------------------- */

/* type: NULL without a position. */
static void say_order(const struct rf_source_type *type, const struct rf_checkpoint_sink *sink,
                      struct rf_str position, struct rf_buf *out)
{
    struct rf_str was = sink->position.size > 0 ? sink->position : RF_STR("nowhere");

    rf_buf_printf(out, "%.*s\n  was:  %.*s%s\n", RF_STR_ARG(sink->name), RF_STR_ARG(was),
                  sink->ordered ? " (ordered, and not carried out yet)" : "");
    if (position.size > 0) {
        rf_buf_printf(out, "  next: %.*s\n", RF_STR_ARG(position));
    } else {
        rf_buf_printf(out, "  next: nowhere; it begins where --from says (without: now)\n");
    }
    if (position.size > 0 && sink->position.size > 0 && !type->contains(sink->position, position)) {
        rf_message_warn("%.*s has not been there: what lies between %.*s and %.*s never reaches it",
                        RF_STR_ARG(sink->name), RF_STR_ARG(sink->position), RF_STR_ARG(position));
    }
}

static enum rf_status order(const struct place *place, const struct rf_checkpoint_sink *sink,
                            struct rf_str position, struct rf_buf *out, struct rf_error *err)
{
    const struct rf_source_type *type = NULL;
    enum rf_status status = RF_OK;

    if (position.size > 0) {
        char *name = rf_str_dup(sink->name);
        status = find_source(place, &type, err);
        if (status == RF_OK) {
            status = check_position(place, name, type, position, err);
        }
        free(name);
    }
    if (status == RF_OK) {
        status = rf_checkpoint_order(place->path.data, sink->name, position, err);
    }
    if (status == RF_OK) {
        say_order(type, sink, position, out);
    }
    return status;
}

static enum rf_status set(const struct place *place, const char *const *words, struct rf_buf *out,
                          struct rf_error *err)
{
    const struct rf_checkpoint_sink *sink = NULL;
    enum rf_status status = find_sink(place, words[2], &sink, err);

    return status == RF_OK ? order(place, sink, rf_str_trim(rf_str_of(words[3])), out, err)
                           : status;
}

/* word: NULL for all of them. */
static enum rf_status reset(const struct place *place, const char *word, struct rf_buf *out,
                            struct rf_error *err)
{
    const struct rf_checkpoint_sink *sink = NULL;
    enum rf_status status = RF_OK;

    if (word != NULL) {
        status = find_sink(place, word, &sink, err);
        return status == RF_OK ? order(place, sink, RF_STR_NONE, out, err) : status;
    }
    for (uint32_t i = 0; i < place->report.sink_count && status == RF_OK; i++) {
        status = order(place, &place->report.sinks[i], RF_STR_NONE, out, err);
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------- */

static enum rf_status act(struct place *place, const char *state, const char *const *words,
                          uint32_t word_count, struct rf_buf *out, struct rf_error *err)
{
    place->name = words[1];
    enum rf_status status = rf_place_of(state, words[1], &place->path, err);
    if (status == RF_OK) {
        status = rf_place_read(rf_buf_cstr(&place->path), words[1], &place->report, err);
    }
    if (status != RF_OK) {
        return status;
    }
    if (strcmp(words[0], "show") == 0) {
        return show(place, out);
    }
    status = strcmp(words[0], "set") == 0
                 ? set(place, words, out, err)
                 : reset(place, word_count == 3 ? words[2] : NULL, out, err);
    if (status == RF_OK) {
        rf_buf_printf(out, "%s\n",
                      place->report.sink_count > 0 ? "The destination is told at the next start."
                                                   : "There is no position to forget.");
    }
    return status;
}

static bool is_usage(const char *const *words, uint32_t count)
{
    return (strcmp(words[0], "show") == 0 && count == 2) ||
           (strcmp(words[0], "set") == 0 && count == 4 && words[3][0] != '\0') ||
           (strcmp(words[0], "reset") == 0 && (count == 2 || count == 3));
}

static int run(void *state, const char *const *words, uint32_t word_count)
{
    const struct position_options *chosen = state;
    struct place place = {0};
    struct rf_buf out = {0};
    struct rf_error err = {0};

    if (!is_usage(words, word_count)) {
        rf_message_error("usage: rowferry position show NAME | set NAME SINK POSITION | "
                         "reset NAME [SINK]");
        rf_message_hint("'rowferry status' lists the pipelines");
        return RF_EXIT_USAGE;
    }
    enum rf_status status = act(&place, chosen->state, words, word_count, &out, &err);
    /* What was done before a failure was done. */
    int printed = out.size > 0 ? rf_command_print(&out) : RF_EXIT_DONE;
    if (status != RF_OK) {
        rf_message_failure(&err);
    }
    rf_checkpoint_report_deinit(&place.report);
    rf_buf_deinit(&place.path);
    rf_buf_deinit(&out);
    return status != RF_OK ? rf_stream_exit_code(status) : printed;
}

static void complete(struct rf_buf *out)
{
    rf_buf_printf(out, "show\nset\nreset\n");
}

const struct rf_command rf_command_position = {
    .name = "position",
    .usage = "show|set|reset [OPTION...] NAME [SINK [POSITION]]",
    .summary = "print, set back or forget the recorded positions of a pipeline",
    .help =
        "show NAME: one line per sink: its name, a tab, its whole position, which --from takes,\n"
        "and behind another tab 'ordered' while it is an order that was not carried out yet.\n\n"
        "set NAME SINK POSITION: from its next start on the sink goes on behind POSITION: GTIDs\n"
        "such as 0-1-300000, or a whole position. Set back, it gets events again; set ahead, it\n"
        "never gets what lies between.\n\n"
        "reset NAME [SINK]: the sink, or all of them, begin at the next start as if they were "
        "new,\n"
        "where --from says.\n\n"
        "SINK is its name as show prints it, or 'redis' when only one is of that kind. Both "
        "refuse\n"
        "while the pipeline runs. The order stays in the state until the next start has carried "
        "it\n"
        "out: a destination that keeps its position itself is told, and a file goes on at its "
        "end.\n",
    .state_size = sizeof(struct position_options),
    .options = options,
    .words_min = 1,
    .words_max = 4,
    .complete = complete,
    .run = run,
};
