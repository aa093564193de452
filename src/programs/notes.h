/* The pipeline of notes: what changes in MongoDB's pluto.notes, by its change stream, to Redis, to
 * Cassandra where there is a container of it, and to a file that is shown to a person.
 *
 * It is run by `rowferry run`. Its configuration, its positions, its log and that file lie in the
 * home of the MongoDB container, so that they come and go with the collection that they are about.
 * Its name, and so its place in every store, is its own: pluto-notes.
 *
 * The file holds each change once, as the sink `file` promises; only what is behind a recorded
 * position is shown, as what lies beyond it may be written again in another way. How far it was
 * shown stands beside it. So nothing is missed, and nothing is shown twice, whoever was killed; but
 * for a kill between the showing and the note of it.
 *
 * Thread: one. */
#ifndef ROWFERRY_PROGRAMS_NOTES_H
#define ROWFERRY_PROGRAMS_NOTES_H

#include "container/hold.h"

#include <rowferry/str.h>

struct rf_ferry;

/* Zeroed is closed. */
struct rf_notes {
    struct rf_buf config, log; /* paths, terminated */
    /* the rest is private */
    struct rf_hold hold; /* of the containers */
    struct rf_buf directory, state, changes, shown;
    int file;        /* `shown`, plus 1; 0: not open */
    uint64_t offset; /* of what was shown */
};

/* Finds its place, and takes the hold of MongoDB's container, for mongocdc. Returns RF_OK;
 * RF_RETRY: there is no such container; RF_CONFIG: it cannot be written, or another mongocdc runs.
 * Close it in any case. */
RF_USE_RESULT enum rf_status rf_notes_open(struct rf_notes *notes, struct rf_error *err);
void rf_notes_close(struct rf_notes *notes);
/* Its directory, which is made. Appends, terminated. Returns RF_OK; RF_RETRY; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_notes_directory(struct rf_buf *out, struct rf_error *err);

/* Makes what is absent in MongoDB: the database and the collection, with pre-images where the
 * server has them. timeout_ms: of each step of it. *made: it was absent. Returns RF_OK; RF_RETRY;
 * RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_notes_prepare(int64_t timeout_ms, bool *made, struct rf_error *err);

/* Writes the configuration, for the stores that there are now, without those that have a place
 * already and that the ferry leaves out (NULL: it leaves out none). Returns RF_OK; RF_RETRY: there
 * is no container of MongoDB or Redis; RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_notes_configure(const char *directory, const char *config,
                                                struct rf_ferry *ferry, struct rf_error *err);

/* Where it stands. */
struct rf_notes_place {
    bool begun;       /* it has a starting point */
    int64_t pid;      /* of the process that runs it now; 0: none */
    uint64_t durable; /* bytes of the file that may be shown */
};
/* Returns RF_OK; RF_FATAL: its state is damaged. */
RF_USE_RESULT enum rf_status rf_notes_look(const struct rf_notes *notes,
                                           struct rf_notes_place *place, struct rf_error *err);

/* Shows what was not shown yet of so many bytes, on standard output; *count grows by the changes.
 * Returns RF_OK; RF_CONFIG: the file cannot be read, or nobody reads what is shown. */
RF_USE_RESULT enum rf_status rf_notes_show(struct rf_notes *notes, uint64_t durable,
                                           uint64_t *count, struct rf_error *err);

#endif
