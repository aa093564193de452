/* The checkpoint: where a pipeline stands, on disk, one SQLite file per pipeline.
 *
 * Holds the recorded position and note of each sink, the epoch, and who runs the pipeline. The
 * engine writes it, `rowferry status` and `position` read it, also while the pipeline runs. It
 * knows nothing of what a position means.
 *
 * What it promises: after kill -9 or a power cut at any moment, what is loaded is the last save
 * that returned RF_OK, or the one that was under way. A file that is torn, zeroed, garbage, shorter
 * or older than what was saved is refused, never taken for an empty one. The file is made under
 * another name and renamed when it is complete, so an empty file is damage as well.
 *
 * Layout: NAME.db is the database (WAL, synchronous=FULL: one fsync per save), NAME.lock is
 * locked by the process that runs the pipeline and holds its pid and the number of saves; it is
 * written after each save, so it is never ahead of an intact database. Each row of a sink is in
 * the main file, and not only in the WAL, from its first save on: even a lost WAL can only take
 * a position back, and that is noticed by the number of saves. A file of an older layout is brought
 * to this one, in one transaction, by the first process that opens it to write. */
#ifndef ROWFERRY_CHECKPOINT_CHECKPOINT_H
#define ROWFERRY_CHECKPOINT_CHECKPOINT_H

#include <rowferry/str.h>

struct rf_checkpoint;

/* What is known of one sink. Text is borrowed on the way in, and owned by the caller (through
 * buf) on the way out. */
struct rf_checkpoint_sink {
    struct rf_str name;     /* its key in the pipeline */
    struct rf_str address;  /* for people, never a secret */
    struct rf_str position; /* empty: it never had one */
    struct rf_str note;     /* may hold any bytes */
    int64_t commit_us;      /* of the last transaction in position; 0: not known */
    int64_t updated_us;     /* wall clock of the save; filled in by it */
    uint64_t events;        /* since the pipeline's first start */
    uint64_t transactions;  /* likewise */
    uint64_t waived;        /* likewise: log events left out because the operator named them */
    uint64_t buried;        /* likewise: events that went to the dead letters */
    /* position (empty: begin anew) is an operator's order that was not carried out yet; the next
     * save carries it out. Ignored on the way in */
    bool ordered;
};

/* NAME.db in $XDG_STATE_HOME/rowferry, or in ~/.local/state/rowferry. Appends to path; nothing is
 * created.
 * Returns RF_OK; RF_CONFIG when the name is not one (letters, digits, '.', '_', '-'; no '.' in
 * front; 100 bytes at most) or when there is no home directory. */
RF_USE_RESULT enum rf_status rf_checkpoint_path(const char *name, struct rf_buf *path,
                                                struct rf_error *err);

/* The directory alone, for listing what pipelines there are. Appends. Returns RF_OK or
 * RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_checkpoint_directory(struct rf_buf *path, struct rf_error *err);

/* Opens the file, makes it and its directory (0700; the files 0600) when there is none, checks it
 * whole, takes the lock for this process, raises the epoch and notes who runs it. `source` is the
 * source's address, for people.
 * Returns RF_OK; RF_CONFIG: another process runs this pipeline (by pid), the directory cannot be
 * written, or the file was written by a newer version; RF_FATAL: the file is damaged, older
 * than what was saved last, or gone although the lock's file tells of saves. */
RF_USE_RESULT enum rf_status rf_checkpoint_open(struct rf_checkpoint **out, const char *path,
                                                const char *name, const char *source,
                                                struct rf_error *err);
/* NULL is accepted. A file that this open made and nothing was saved to is removed: a first start
 * that came to nothing leaves no trace. */
void rf_checkpoint_close(struct rf_checkpoint *checkpoint);

/* Grows with each open of a file that something was saved to. */
uint64_t rf_checkpoint_epoch(const struct rf_checkpoint *checkpoint);

/* What was saved last for the sink of that name; an unknown one gives zeroed fields. sink's text
 * lies in buf, which is emptied first. Returns RF_OK or RF_FATAL. Thread: any. */
RF_USE_RESULT enum rf_status rf_checkpoint_load(struct rf_checkpoint *checkpoint,
                                                struct rf_str name, struct rf_buf *buf,
                                                struct rf_checkpoint_sink *sink,
                                                struct rf_error *err);

/* Saves all fields in one transaction; on RF_OK they survive everything. Returns RF_OK;
 * RF_RETRY: nothing was changed, as there is no room (or the file was busy): later; RF_FATAL: an
 * I/O error, the file went away. Thread: any. */
RF_USE_RESULT enum rf_status rf_checkpoint_save(struct rf_checkpoint *checkpoint,
                                                const struct rf_checkpoint_sink *sink,
                                                struct rf_error *err);

/* Leaves an order for one sink: from its next start on it stands at position; empty: it stands
 * nowhere, as before its first start. Its note is forgotten. The sink need not be known yet. Takes
 * the lock meanwhile. Returns RF_OK; RF_CONFIG: the pipeline runs (by pid), or there is no file at
 * path; else as rf_checkpoint_open. */
RF_USE_RESULT enum rf_status rf_checkpoint_order(const char *path, struct rf_str sink,
                                                 struct rf_str position, struct rf_error *err);

/* Everything in a file, for people. */
struct rf_checkpoint_report {
    struct rf_buf text; /* owns what the strings below point to */
    struct rf_str name, source, host;
    uint64_t epoch;
    int64_t pid;  /* of the process that runs it, or ran it last */
    bool running; /* the lock is held now */
    int64_t started_us;
    struct rf_checkpoint_sink *sinks;
    uint32_t sink_count;
};

/* Reads a checkpoint without changing it; works beside a running pipeline. Deinit the report in any
 * case.
 * Returns RF_OK; RF_CONFIG: there is none at path, it cannot be read, or is of a newer version;
 * RF_FATAL: it is damaged. */
RF_USE_RESULT enum rf_status rf_checkpoint_read(const char *path, struct rf_checkpoint_report *out,
                                                struct rf_error *err);
/* Accepts a zeroed report. */
void rf_checkpoint_report_deinit(struct rf_checkpoint_report *report);

#endif
