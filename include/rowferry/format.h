/* The contract of a format: events to messages.
 *
 * One instance belongs to one sink and keeps what can be kept (escaped names per table version). A
 * format does no I/O. */
#ifndef ROWFERRY_FORMAT_H
#define ROWFERRY_FORMAT_H

#include <rowferry/batch.h>
#include <rowferry/option.h>

enum { RF_MESSAGES_MAX = 4 }; /* messages of one event, at most */

/* Where one message's key and value lie in the buffers below; offsets, because buffers move when
 * they grow. */
struct rf_message {
    size_t key_start, key_size;
    size_t value_start, value_size; /* without the terminator */
    bool tombstone;                 /* there is a key but no value, and no terminator */
};

/* What encode appends to. The sink owns the buffers and sets them before each call; count is set to
 * 0 by the sink. */
struct rf_encoding {
    struct rf_buf *key; /* NULL: the sink has no use for keys, none are made */
    struct rf_buf *value;
    struct rf_str terminator; /* put behind each value, e.g. "\n"; may be empty */
    struct rf_message messages[RF_MESSAGES_MAX];
    uint32_t count;
};

struct rf_format_type {
    const char *name;
    const char *summary;
    size_t state_size;
    const struct rf_option *options;
    /* Returns RF_OK or RF_CONFIG. */
    RF_USE_RESULT enum rf_status (*open)(void *state, struct rf_error *err);
    /* Appends the event's 0..n messages. event belongs to view. Returns RF_OK; RF_REJECT (the event
     * cannot be written in this format, err->event is set; nothing was appended); RF_CONFIG (the
     * same of all events of its kind: another format must be chosen). */
    RF_USE_RESULT enum rf_status (*encode)(void *state, const struct rf_view *view,
                                           const struct rf_event *event, struct rf_encoding *out,
                                           struct rf_error *err);
    /* Appends the 0..n messages that stand behind all of a transaction. Called at the end of each
     * transaction that ends in the view, whether or not events of it are in there. NULL: the format
     * has none. Returns RF_OK. */
    RF_USE_RESULT enum rf_status (*end)(void *state, const struct rf_view *view,
                                        const struct rf_transaction *transaction,
                                        struct rf_encoding *out, struct rf_error *err);
    void (*close)(void *state);
};

/* An open instance, as a sink's context has it. */
struct rf_format {
    const struct rf_format_type *type;
    void *state;
};

#endif
