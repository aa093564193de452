/* The messages of an encoding: where one begins, its end, and taking it back. Used by formats,
 * which write a message's key and value between the two. Thread: the owner's. */
#ifndef ROWFERRY_FORMAT_MESSAGE_H
#define ROWFERRY_FORMAT_MESSAGE_H

#include <rowferry/format.h>

/* Where a message begins in the buffers of an encoding. */
struct rf_mark {
    size_t key, value;
};

static inline struct rf_mark rf_mark_of(const struct rf_encoding *out)
{
    return (struct rf_mark){out->key != NULL ? out->key->size : 0, out->value->size};
}

/* Ends the message that began there; a tombstone has a key only, and no terminator. */
static inline void rf_message_end(struct rf_encoding *out, struct rf_mark mark, bool tombstone)
{
    out->messages[out->count++] = (struct rf_message){
        .key_start = mark.key,
        .key_size = out->key != NULL ? out->key->size - mark.key : 0,
        .value_start = mark.value,
        .value_size = out->value->size - mark.value,
        .tombstone = tombstone,
    };
    if (!tombstone) {
        rf_buf_add_str(out->value, out->terminator);
    }
}

/* Takes back what was written since. */
static inline void rf_message_undo(struct rf_encoding *out, struct rf_mark mark)
{
    out->value->size = mark.value;
    if (out->key != NULL) {
        out->key->size = mark.key;
    }
}

#endif
