/* A hold on the containers: while somebody has it, none of them is deleted or made afresh.
 *
 * The scheduler has it as long as it runs, as its pipeline keeps its positions in the directory
 * `pipeline` of MySQL's home, so that they come and go with the log that they are about. The hold
 * is a lock of that directory, which ends with the process; who has it is written there.
 *
 * Used by the scheduler's side, which takes it, and by what deletes containers, which looks for it.
 * Thread: one per hold. */
#ifndef ROWFERRY_CONTAINER_HOLD_H
#define ROWFERRY_CONTAINER_HOLD_H

#include <rowferry/str.h>

/* Zeroed is not held. */
struct rf_hold {
    struct rf_buf path; /* the directory, for the holder's files; terminated */
    int lock;           /* the directory, locked, plus 1; 0: not held */
};

/* Takes it, for a program of that name ("scheduler"). One that we have already, of a directory that
 * is still there, is fine, and nothing is waited for then; else it waits for a program that works
 * on MySQL's container. Returns RF_OK; RF_AGAIN: there is no container of MySQL; RF_CONFIG:
 * somebody else has it, or the directory cannot be made. */
RF_USE_RESULT enum rf_status rf_hold_take(struct rf_hold *hold, const char *who,
                                          struct rf_error *err);

/* Accepts one that is not held. */
void rf_hold_release(struct rf_hold *hold);

/* Whether nobody has it. Returns RF_OK; RF_CONFIG: who has it, and what to do. */
RF_USE_RESULT enum rf_status rf_hold_check(struct rf_error *err);

#endif
