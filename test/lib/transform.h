/* A transform under test: one instance with its options, and events put through it. */
#ifndef ROWFERRY_TEST_TRANSFORM_H
#define ROWFERRY_TEST_TRANSFORM_H

#include <rowferry/transform.h>

/* Zeroed but for type is ready to be opened. */
struct rf_test_transform {
    const struct rf_transform_type *type;
    void *state; /* NULL: closed */
    struct rf_arena arena;
};

/* The items of "a,b,c", split at every comma as the engine does. Lives as long as the arena. */
struct rf_list rf_test_list(struct rf_arena *arena, const char *text);

/* With a fresh instance; option `list` has this text, `salt`, if not NULL, that. After a failure it
 * is closed already. */
RF_USE_RESULT enum rf_status rf_test_transform_open(struct rf_test_transform *transform,
                                                    const char *list, const char *salt,
                                                    struct rf_error *err);
void rf_test_transform_close(struct rf_test_transform *transform);

/* Puts a copy of the event through and prints what a sink would see of it, "create d.t id=1
 * name=NULL", with both images of an update in a row and nothing for absent values; "dropped"; or
 * the error's message. out is emptied first. */
enum rf_status rf_test_transform_apply(struct rf_test_transform *transform,
                                       const struct rf_event *event, struct rf_buf *out);

#endif
