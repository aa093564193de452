/* Holds on the containers: while somebody has one, none of them is deleted or made afresh.
 *
 * A pipeline keeps its positions in the directory `pipeline` of its source's home, so that they
 * come and go with the log that they are about. Who works with that pipeline has the hold of that
 * home as long as it runs: the scheduler that of MySQL, mongocdc that of MongoDB. A hold is a lock
 * of that directory, which ends with the process; who has it is written there.
 *
 * Used by these programs, which take it, and by what deletes containers, which looks for it.
 * Thread: one per hold. */
#ifndef ROWFERRY_CONTAINER_HOLD_H
#define ROWFERRY_CONTAINER_HOLD_H

#include <rowferry/str.h>

/* Zeroed is not held. */
struct rf_hold {
    struct rf_buf path; /* the directory, for the holder's files; terminated */
    int lock;           /* the directory, locked, plus 1; 0: not held */
};

/* Takes that of a container ("final_mysql_container"), for a program of that name ("scheduler").
 * One that we have already, of a directory that is still there, is fine, and nothing is waited for
 * then; else it waits for a program that works on that container. Returns RF_OK; RF_AGAIN: there is
 * no such container; RF_CONFIG: somebody else has it, or the directory cannot be made. */
RF_USE_RESULT enum rf_status rf_hold_take(struct rf_hold *hold, const char *container,
                                          const char *who, struct rf_error *err);

/* Accepts one that is not held. */
void rf_hold_release(struct rf_hold *hold);

/* Whether somebody has that container's hold; who ("scheduler (pid 4711)") is appended then. */
bool rf_hold_holder(const char *container, struct rf_buf *who);

/* Whether nobody has any. Returns RF_OK; RF_CONFIG: who has one, and what to do. */
RF_USE_RESULT enum rf_status rf_hold_check(struct rf_error *err);

#endif
