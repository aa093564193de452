/* A format under test, and what it made of the last event as text.
 *
 * Knows format types only, so that a unit test needs no other room than its own. Aborts where a
 * message breaks the contract: its key or value lies outside of the buffers, its terminator is
 * missing. */
#ifndef ROWFERRY_TEST_MESSAGES_H
#define ROWFERRY_TEST_MESSAGES_H

#include "lib/plugin.h"

#include <rowferry/format.h>

struct rf_test_messages {
    const struct rf_format_type *type;
    void *state;
    struct rf_batch batch; /* where events are to be added */
    bool keyless;          /* the sink has no use for keys */
    struct rf_buf key, value, text;
};

/* With all fallbacks, but for settings, which end with a NULL name; NULL: none. Aborts when it
 * cannot be opened. */
void rf_test_messages_open(struct rf_test_messages *messages, const struct rf_format_type *type,
                           const struct rf_test_setting *settings);
void rf_test_messages_close(struct rf_test_messages *messages);

/* The messages of one event, each on its line: its key, a blank, and its value or TOMBSTONE; of a
 * refused one REJECT or CONFIG. Of rf_test_messages_end those behind the batch's last transaction.
 * Valid until the next call. err may be NULL. */
const char *rf_test_messages_of(struct rf_test_messages *messages, const struct rf_event *event,
                                struct rf_error *err);
const char *rf_test_messages_end(struct rf_test_messages *messages);

/* The batch's last transaction, to be filled in. */
struct rf_transaction *rf_test_messages_transaction(struct rf_test_messages *messages);

#endif
