/* The files of a checkpoint: where they lie, who may touch them, how they come to be. Used by
 * checkpoint.c and report.c alone; knows nothing of what stands in them. */
#ifndef ROWFERRY_CHECKPOINT_FILE_H
#define ROWFERRY_CHECKPOINT_FILE_H

#include <rowferry/str.h>

/* The lock of one pipeline, held by an open file: it ends with the process, however that ends. */
struct rf_state_lock {
    int file; /* -1: not held */
    struct rf_buf path;
};

/* Makes the directory (0700, with its parents) and takes the lock beside path. *saves is the
 * number that was noted in it last, 0 when it does not say; advice: the hint for whoever finds it
 * taken. Release it in any case. Returns RF_OK; RF_CONFIG: held by another process, or the
 * directory cannot be written. */
RF_USE_RESULT enum rf_status rf_state_lock_take(struct rf_state_lock *lock, const char *path,
                                                const char *name, const char *advice,
                                                uint64_t *saves, struct rf_error *err);
/* Notes our pid and the number in the lock's file, for people and for rf_state_lock_take. Not
 * synced; failures do not matter: a number that is too low proves nothing. */
void rf_state_lock_note(struct rf_state_lock *lock, uint64_t saves);
void rf_state_lock_release(struct rf_state_lock *lock);
/* Removes the state at path and its lock's file, while the lock is held. Release it as always. */
void rf_state_remove(const struct rf_state_lock *lock, const char *path);
/* The pipeline's name in a path: its last part without ".db". Appends. */
void rf_state_name(const char *path, struct rf_buf *out);
/* True while a process holds the lock beside path. */
bool rf_state_is_locked(const char *path);

/* RF_OK when the file at path begins as an SQLite file does. RF_CONFIG: there is none, or it
 * cannot be read. RF_FATAL: it is something else, or empty. */
RF_USE_RESULT enum rf_status rf_state_check_header(const char *path, struct rf_error *err);

/* An empty file (0600) at `fresh`, on the way to become `path`; what an earlier try, or an
 * earlier file of that name, left behind is removed. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_state_begin(const char *path, const char *fresh,
                                            struct rf_error *err);
/* Syncs it, gives it its real name and syncs the directory. Returns RF_OK; RF_FATAL. */
RF_USE_RESULT enum rf_status rf_state_rename(const char *fresh, const char *path,
                                             struct rf_error *err);

#endif
