/* The sinks under the contract tests: how to make a destination for each, and how to look into it.
 *
 * A new sink adds one entry to the table in subjects.c, and every test of test_sinks.c runs over
 * it. A sink may have several, one for each thing that it makes of a row. */
#ifndef ROWFERRY_TEST_SUBJECTS_H
#define ROWFERRY_TEST_SUBJECTS_H

#include "lib/feed.h"
#include "lib/plugin.h"

struct rf_test_subject {
    const char *name; /* "file", "redis as string": the sink's name comes first */

    /* Makes a fresh, empty destination and returns the settings to reach it. */
    const struct rf_test_setting *(*begin)(void);
    /* What the destination holds, as text: appends. The sink may be open or closed; what it has
     * recorded last is there. */
    void (*content)(const struct rf_test_sink *sink, struct rf_buf *out);
    /* The same, as it must be when the whole feed has arrived; told from the feed alone. format is
     * an open one where the sink takes one. */
    void (*expected)(const struct rf_test_feed *feed, struct rf_format *format, struct rf_buf *out);
    void (*end)(void);

    /* What lies before its position must not come again: it would be written a second time. */
    bool once;
    /* it is threads of this process, which therefore must not be forked: the copy of one might wait
     * for ever for what a thread held that is not there */
    bool threads;
    bool nowhere; /* there is no destination: nothing of it can be lost or be written by two */
    /* Everything in the destination is gone, as by a mistake. */
    void (*wipe)(void);
    /* NULL for those below: such a thing does not happen to it. */
    void (*crash)(
        void); /* the destination dies at once, with what is not durable in it. Any thread */
    void (*revive)(void); /* and works again when this returns */
    uint32_t crashes;     /* how often that is tried; 0: as often as with most */
    void (*stall)(void); /* it takes nothing and answers nothing any more, and says nothing of it */
    void (*resume)(void); /* and goes on */
};

/* Ends with one whose name is NULL. */
extern struct rf_test_subject rf_test_subjects[];

/* The sink's name of a subject. */
struct rf_str rf_test_subject_sink(const struct rf_test_subject *subject);

#endif
