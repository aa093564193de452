/* The control socket: where a running pipeline answers what it is doing.
 *
 * Used by the command line. Whoever connects is given one document (document.h) and the end of the
 * stream; nothing is read from him. The socket lies beside the state, NAME.sock, for its owner
 * alone; a thread of its own serves it, so that an answer never waits for a source or a sink. It
 * wakes up once a second to take the samples that rates are made of. */
#ifndef ROWFERRY_CONTROL_CONTROL_H
#define ROWFERRY_CONTROL_CONTROL_H

#include "control/document.h"

struct rf_control;

/* Where the socket of that state file lies: NAME.db becomes NAME.sock. Appends. */
void rf_control_path(const char *state_path, struct rf_buf *out);

/* Makes the socket at path and starts the thread. What lies there is replaced: whoever holds the
 * lock of the state is the only one who may do this, so a socket that is there was left behind.
 * Paths of any length will do. pipeline and options outlive it. Returns RF_OK; RF_CONFIG: the
 * socket cannot be made; *out is NULL then, and the pipeline can run without. */
RF_USE_RESULT enum rf_status rf_control_start(struct rf_control **out, const char *path,
                                              struct rf_pipeline *pipeline,
                                              const struct rf_pipeline_options *options,
                                              struct rf_error *err);
/* Ends the thread and removes the socket. NULL is accepted. */
void rf_control_stop(struct rf_control *control);

/* Asks whoever serves the socket at path; appends his answer. Waits 2 s at most. Returns RF_OK;
 * RF_RETRY: nobody answers there. */
RF_USE_RESULT enum rf_status rf_control_ask(const char *path, struct rf_buf *answer,
                                            struct rf_error *err);

#endif
