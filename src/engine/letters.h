/* Dead letters: the events that a sink refused, in a file, one line of JSON each.
 *
 * An operator asks for them by naming the file (dead_letters=PATH of a sink). A line has
 *
 *   {"time":"2026-11-22T17:00:00Z","pipeline":"shop","sink":"redis://cache:6379/0",
 *    "reason":"...","position":"...","transaction":"0-1-42","id":"0-1-42:1:0","op":"update",
 *    "database":"shop","table":"orders","event":{...},"raw":"..."}
 *
 * position: where the sink stood on record before it; event: as the format `json` writes it, null
 * when even that cannot; raw: the log event that it came from, in base64, null where the source has
 * none. Where transforms stand between the log and the sink, event is what the sink was given, and
 * raw is null: a column that was to be hidden must not turn up in a file. An event that a transform
 * itself refused has neither.
 *
 * The file is only ever appended to, under a lock, and is on disk before the sink goes on. An event
 * that is refused again after a restart is there again, with the same id. */
#ifndef ROWFERRY_ENGINE_LETTERS_H
#define ROWFERRY_ENGINE_LETTERS_H

#include <rowferry/format.h>

/* What a line is made of. */
struct rf_letter {
    const char *pipeline;
    const char *sink;   /* its address */
    const char *reason; /* one line, never a secret */
    struct rf_str position;
    const struct rf_view *view;
    const struct rf_event *event;        /* of the view */
    const struct rf_format_type *format; /* that of `event`; NULL: leave the images out */
    bool raw;                            /* else it is left out */
};

/* Appends the line, with its newline. */
void rf_letter_write(const struct rf_letter *letter, struct rf_buf *out);

/* Looks whether lines could be appended, without making anything. Returns RF_OK; RF_CONFIG: the
 * path is not a regular file, or neither it nor its directory can be written. */
RF_USE_RESULT enum rf_status rf_letters_check(const char *path, struct rf_error *err);

/* Appends whole lines, making the file (0600) when there is none; they are on disk when it returns.
 * Behind a line that a crash cut short it begins a new one. Returns RF_OK; RF_RETRY: no room,
 * or locked by somebody else, nothing was added; RF_FATAL: an I/O error; RF_CONFIG: as
 * rf_letters_check. */
RF_USE_RESULT enum rf_status rf_letters_append(const char *path, struct rf_str lines,
                                               struct rf_error *err);

#endif
