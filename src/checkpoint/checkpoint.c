#include "checkpoint/checkpoint.h"

#include "base/clock.h"
#include "base/memory.h"
#include "checkpoint/file.h"
#include "checkpoint/store.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define SINK_TABLE                                                                       \
    "CREATE TABLE sink ("                                                                \
    "  name TEXT PRIMARY KEY, address TEXT NOT NULL, position TEXT NOT NULL,"            \
    "  note BLOB NOT NULL, commit_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,"     \
    "  events INTEGER NOT NULL, transactions INTEGER NOT NULL, waived INTEGER NOT NULL," \
    "  buried INTEGER NOT NULL, ordered INTEGER NOT NULL, checksum INTEGER NOT NULL)"    \
    "  STRICT, WITHOUT ROWID;"

static const char schema[] =
    "PRAGMA application_id = 1381451353;"
    "PRAGMA user_version = 2;"
    "CREATE TABLE pipeline ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, source TEXT NOT NULL,"
    "  host TEXT NOT NULL, pid INTEGER NOT NULL, started_us INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL, saves INTEGER NOT NULL, checksum INTEGER NOT NULL) "
    "STRICT;" SINK_TABLE;
/* Layout 1 lacked three columns of the sinks. Its rows are put back behind this. */
static const char upgrade_schema[] =
    "BEGIN IMMEDIATE; DROP TABLE sink;" SINK_TABLE "PRAGMA user_version = 2;";
_Static_assert(RF_STORE_APPLICATION == 1381451353 && RF_STORE_VERSION == 2, "as the schema says");

enum statement { BEGIN, COMMIT, PUT_PIPELINE, UPDATE_SINK, INSERT_SINK, SELECT_SINK, STATEMENTS };
static const char *const statement_texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [PUT_PIPELINE] = "INSERT OR REPLACE INTO pipeline"
                     " (id, name, source, host, pid, started_us, epoch, saves, checksum)"
                     " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
    [UPDATE_SINK] =
        "UPDATE sink SET address = ?2, position = ?3, note = ?4, commit_us = ?5, updated_us = ?6,"
        " events = ?7, transactions = ?8, waived = ?9, buried = ?10, ordered = ?11, checksum = ?12"
        " WHERE name = ?1",
    [INSERT_SINK] =
        ("INSERT INTO sink (name, address, position, note, commit_us, updated_us, events,"
         " transactions, waived, buried, ordered, checksum)"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [SELECT_SINK] =
        ("SELECT name, address, position, note, commit_us, updated_us, events, transactions,"
         " waived, buried, ordered, checksum FROM sink WHERE name = ?"),
};

/* A first start counts as one save before any sink has made one. */
enum { SAVES_OF_NOTHING = 1 };

struct rf_checkpoint {
    pthread_mutex_t lock; /* guards everything below */
    char *path;
    struct rf_state_lock state_lock;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    struct rf_buf text; /* of row */
    struct rf_pipeline_row row;
    int layout;      /* version of the file as it was found */
    bool anchor_due; /* a sink's first row lies in the WAL alone */
    bool made;       /* by this process */
    bool saved;      /* by this process: there is something to keep */
};

/* ----------------------------------------------------------------------------------- statements */

static void bind_str(sqlite3_stmt *statement, int at, struct rf_str str)
{
    sqlite3_bind_text64(statement, at, str.data ? str.data : "", str.size, SQLITE_STATIC,
                        SQLITE_UTF8);
}

static void bind_blob(sqlite3_stmt *statement, int at, struct rf_str str)
{
    sqlite3_bind_blob64(statement, at, str.data ? str.data : "", str.size, SQLITE_STATIC);
}

/* Runs a statement that gives no rows. */
static bool run(sqlite3_stmt *statement)
{
    bool fine = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return fine;
}

/* -------------------------------------------------------------------------------------- opening */

/* A complete file under another name, so that the real name never stands for half of one. What a
 * crash leaves under that name is thrown away, so there is nothing to roll back to, and one sync is
 * enough, before it gets its name. It is made ready for a WAL here, where that costs no syncs. */
static enum rf_status create_file(const char *path, struct rf_error *err)
{
    struct rf_buf fresh = {0};
    sqlite3 *db = NULL;
    rf_buf_printf(&fresh, "%s.new", path);
    enum rf_status status = rf_state_begin(path, rf_buf_cstr(&fresh), err);
    if (status != RF_OK) {
        goto done;
    }
    struct rf_pipeline_row row = {.name = RF_STR(""), .source = RF_STR(""), .host = RF_STR("")};
    struct rf_buf text = {0};
    rf_buf_printf(&text,
                  "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN; %s"
                  "INSERT INTO pipeline VALUES (1, '', '', '', 0, 0, 0, 0, %" PRId64 "); COMMIT;"
                  "PRAGMA journal_mode = WAL;",
                  schema, (int64_t)rf_store_sum_pipeline(&row));
    if (sqlite3_open_v2(rf_buf_cstr(&fresh), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(db, rf_buf_cstr(&text), NULL, NULL, NULL) != SQLITE_OK) {
        status = rf_store_failed(db, path, "could not write", err);
    }
    rf_buf_deinit(&text);
    int code = sqlite3_close(db);
    if (status == RF_OK && code != SQLITE_OK) {
        status = rf_fail(err, RF_FATAL, "could not write %s: %s", path, sqlite3_errstr(code));
    }
    if (status == RF_OK) {
        status = rf_state_rename(rf_buf_cstr(&fresh), path, err);
    }
done:
    rf_buf_deinit(&fresh);
    return status;
}

static bool put_sink(struct rf_checkpoint *checkpoint, enum statement which,
                     const struct rf_checkpoint_sink *sink)
{
    sqlite3_stmt *statement = checkpoint->statements[which];
    bind_str(statement, 1, sink->name);
    bind_str(statement, 2, sink->address);
    bind_str(statement, 3, sink->position);
    bind_blob(statement, 4, sink->note);
    sqlite3_bind_int64(statement, 5, sink->commit_us);
    sqlite3_bind_int64(statement, 6, sink->updated_us);
    sqlite3_bind_int64(statement, 7, (int64_t)sink->events);
    sqlite3_bind_int64(statement, 8, (int64_t)sink->transactions);
    sqlite3_bind_int64(statement, 9, (int64_t)sink->waived);
    sqlite3_bind_int64(statement, 10, (int64_t)sink->buried);
    sqlite3_bind_int64(statement, 11, sink->ordered);
    sqlite3_bind_int64(statement, 12, (int64_t)rf_store_sum_sink(sink, RF_STORE_VERSION));
    return run(statement);
}

static void put_row(struct rf_checkpoint *checkpoint)
{
    sqlite3_stmt *statement = checkpoint->statements[PUT_PIPELINE];
    const struct rf_pipeline_row *row = &checkpoint->row;
    bind_str(statement, 1, row->name);
    bind_str(statement, 2, row->source);
    bind_str(statement, 3, row->host);
    sqlite3_bind_int64(statement, 4, row->pid);
    sqlite3_bind_int64(statement, 5, row->started_us);
    sqlite3_bind_int64(statement, 6, (int64_t)row->epoch);
    sqlite3_bind_int64(statement, 7, (int64_t)row->saves);
    sqlite3_bind_int64(statement, 8, (int64_t)rf_store_sum_pipeline(row));
}

/* Brings everything into the main file. Whether it worked is not important now: it is tried
 * again at the next save. */
static void anchor(struct rf_checkpoint *checkpoint)
{
    checkpoint->anchor_due =
        sqlite3_wal_checkpoint_v2(checkpoint->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
        SQLITE_OK;
}

/* Ends a transaction that the row belongs to. */
static bool commit(struct rf_checkpoint *checkpoint)
{
    checkpoint->row.saves++;
    put_row(checkpoint);
    if (run(checkpoint->statements[PUT_PIPELINE]) && run(checkpoint->statements[COMMIT])) {
        rf_state_lock_note(&checkpoint->state_lock, checkpoint->row.saves);
        return true;
    }
    checkpoint->row.saves--;
    return false;
}

/* After a failure, whose error is to be taken before. */
static void roll_back(struct rf_checkpoint *checkpoint)
{
    if (!sqlite3_get_autocommit(checkpoint->db)) {
        sqlite3_exec(checkpoint->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

static enum rf_status take_over(struct rf_checkpoint *checkpoint, const char *name,
                                const char *source, struct rf_error *err)
{
    char host[256] = "";
    struct rf_pipeline_row old = checkpoint->row;
    gethostname(host, sizeof host - 1);
    rf_buf_reset(&checkpoint->text);
    size_t name_size = strlen(name) + 1, source_size = strlen(source) + 1;
    rf_buf_add(&checkpoint->text, name, name_size);
    rf_buf_add(&checkpoint->text, source, source_size);
    rf_buf_add(&checkpoint->text, host, strlen(host) + 1);
    checkpoint->row = (struct rf_pipeline_row){
        .name = rf_str_of(checkpoint->text.data),
        .source = rf_str_of(checkpoint->text.data + name_size),
        .host = rf_str_of(checkpoint->text.data + name_size + source_size),
        .pid = getpid(),
        .started_us = rf_clock_wall_us(),
        .epoch = old.epoch + 1,
        .saves = old.saves,
    };
    if (!run(checkpoint->statements[BEGIN]) || !commit(checkpoint)) {
        enum rf_status status =
            rf_store_failed(checkpoint->db, checkpoint->path, "could not write", err);
        roll_back(checkpoint);
        return status;
    }
    if (checkpoint->made) {
        checkpoint->anchor_due = true; /* with the first save: until then nothing can be lost */
    } else {
        anchor(checkpoint);
    }
    return RF_OK;
}

static enum rf_status prepare(struct rf_checkpoint *checkpoint, struct rf_error *err)
{
    for (int i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v3(checkpoint->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &checkpoint->statements[i], NULL) != SQLITE_OK) {
            return rf_store_failed(checkpoint->db, checkpoint->path, "could not use", err);
        }
    }
    return RF_OK;
}

/* All in one transaction: a process that ends in it leaves the old layout, whole. */
static enum rf_status upgrade(struct rf_checkpoint *checkpoint, struct rf_error *err)
{
    struct rf_checkpoint_report old = {0};
    enum rf_status status = rf_store_walk_sinks(
        checkpoint->db, checkpoint->path, checkpoint->layout, &old.text, rf_report_add, &old, err);
    if (status != RF_OK) {
        goto done;
    }
    if (sqlite3_exec(checkpoint->db, upgrade_schema, NULL, NULL, NULL) != SQLITE_OK) {
        status = rf_store_failed(checkpoint->db, checkpoint->path, "could not upgrade", err);
        goto done;
    }
    status = prepare(checkpoint, err);
    for (uint32_t i = 0; i < old.sink_count && status == RF_OK; i++) {
        rf_store_settle_sink(&old.sinks[i], &old.text);
        if (!put_sink(checkpoint, INSERT_SINK, &old.sinks[i])) {
            status = rf_store_failed(checkpoint->db, checkpoint->path, "could not upgrade", err);
        }
    }
    if (status == RF_OK && !commit(checkpoint)) {
        status = rf_store_failed(checkpoint->db, checkpoint->path, "could not upgrade", err);
    }
done:
    roll_back(checkpoint);
    rf_checkpoint_report_deinit(&old);
    return status;
}

static enum rf_status make_ready(struct rf_checkpoint *checkpoint, struct rf_error *err)
{
    /* PRAGMA journal_mode answers with the mode that it is in now; a failure to change it is no
     * error to exec. */
    if (sqlite3_exec(checkpoint->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL,
                     NULL, NULL) != SQLITE_OK) {
        return rf_store_failed(checkpoint->db, checkpoint->path, "could not write", err);
    }
    return checkpoint->layout < RF_STORE_VERSION ? upgrade(checkpoint, err)
                                                 : prepare(checkpoint, err);
}

/* Checks the whole file. noted: the number of saves that the lock's file tells of. */
static enum rf_status examine(struct rf_checkpoint *checkpoint, uint64_t noted,
                              struct rf_error *err)
{
    const char *path = checkpoint->path;
    struct rf_buf scratch = {0};
    enum rf_status status =
        rf_store_open(path, SQLITE_OPEN_READWRITE, &checkpoint->db, &checkpoint->layout, err);
    if (status == RF_OK) {
        status =
            rf_store_read_pipeline(checkpoint->db, path, &checkpoint->text, &checkpoint->row, err);
    }
    if (status == RF_OK) {
        status = rf_store_walk_sinks(checkpoint->db, path, checkpoint->layout, &scratch, NULL, NULL,
                                     err);
    }
    if (status == RF_OK && noted > checkpoint->row.saves && noted > SAVES_OF_NOTHING) {
        status =
            rf_store_damaged(path,
                             "it is older than what was saved last; was its -wal file removed or a "
                             "backup put in its place?",
                             err);
        rf_error_hint(err,
                      "put the newer one back; or, if the older positions are right, remove %s",
                      rf_buf_cstr(&checkpoint->state_lock.path));
    }
    rf_buf_deinit(&scratch);
    return status;
}

static enum rf_status refuse_lost(const struct rf_checkpoint *checkpoint, struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "the state file %s is gone, and %s says that there was one",
            checkpoint->path, checkpoint->state_lock.path.data);
    rf_error_hint(err,
                  "put it back; or, to give up the positions in it, remove %s and start anew "
                  "with --from",
                  checkpoint->state_lock.path.data);
    return RF_FATAL;
}

/* Takes the lock, and opens the file under it; makes one when there is none and `make` says so. */
static enum rf_status open_locked(struct rf_checkpoint *checkpoint, const char *name, bool make,
                                  struct rf_error *err)
{
    uint64_t noted = 0;
    const char *advice =
        make ? "stop that one, or give this one a name of its own: --name"
             : "stop it first; what is ordered now is carried out at its next start";
    enum rf_status status =
        rf_state_lock_take(&checkpoint->state_lock, checkpoint->path, name, advice, &noted, err);
    if (status == RF_OK && make && access(checkpoint->path, F_OK) != 0 && errno == ENOENT) {
        if (noted > SAVES_OF_NOTHING) {
            return refuse_lost(checkpoint, err);
        }
        noted = 0;
        checkpoint->made = true;
        status = create_file(checkpoint->path, err);
    }
    if (status == RF_OK) {
        status = examine(checkpoint, noted, err);
    }
    return status == RF_OK ? make_ready(checkpoint, err) : status;
}

static struct rf_checkpoint *create(const char *path)
{
    struct rf_checkpoint *checkpoint = rf_alloc_zero(1, sizeof *checkpoint);
    pthread_mutex_init(&checkpoint->lock, NULL);
    checkpoint->state_lock.file = -1;
    checkpoint->path = rf_str_dup(rf_str_of(path));
    return checkpoint;
}

/* Nobody tries again there: that is for the operator to do. */
static enum rf_status for_operator(enum rf_status status, struct rf_error *err)
{
    if (status == RF_RETRY) {
        status = err ? (err->status = RF_CONFIG) : RF_CONFIG;
    }
    return status;
}

enum rf_status rf_checkpoint_open(struct rf_checkpoint **out, const char *path, const char *name,
                                  const char *source, struct rf_error *err)
{
    struct rf_checkpoint *checkpoint = create(path);
    enum rf_status status = open_locked(checkpoint, name, true, err);
    if (status == RF_OK) {
        status = take_over(checkpoint, name, source, err);
    }
    if (status != RF_OK) {
        rf_checkpoint_close(checkpoint);
        checkpoint = NULL;
    }
    *out = checkpoint;
    return for_operator(status, err);
}

void rf_checkpoint_close(struct rf_checkpoint *checkpoint)
{
    if (checkpoint == NULL) {
        return;
    }
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(checkpoint->statements[i]);
    }
    sqlite3_close(checkpoint->db);
    if (checkpoint->made && !checkpoint->saved) {
        /* It says nothing: a first start that came to nothing leaves no trace. */
        rf_state_remove(&checkpoint->state_lock, checkpoint->path);
    }
    rf_state_lock_release(&checkpoint->state_lock);
    rf_buf_deinit(&checkpoint->text);
    pthread_mutex_destroy(&checkpoint->lock);
    free(checkpoint->path);
    free(checkpoint);
}

uint64_t rf_checkpoint_epoch(const struct rf_checkpoint *checkpoint)
{
    return checkpoint->row.epoch;
}

/* -------------------------------------------------------------------------------- load and save */

enum rf_status rf_checkpoint_load(struct rf_checkpoint *checkpoint, struct rf_str name,
                                  struct rf_buf *buf, struct rf_checkpoint_sink *sink,
                                  struct rf_error *err)
{
    enum rf_status status = RF_OK;
    rf_buf_reset(buf);
    *sink = (struct rf_checkpoint_sink){0};
    pthread_mutex_lock(&checkpoint->lock);
    sqlite3_stmt *statement = checkpoint->statements[SELECT_SINK];
    bind_str(statement, 1, name);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        if (rf_store_read_sink(statement, RF_STORE_VERSION, buf, sink)) {
            rf_store_settle_sink(sink, buf);
        } else {
            *sink = (struct rf_checkpoint_sink){0};
            status = rf_store_damaged(checkpoint->path, "a checksum does not fit", err);
        }
    } else if (code != SQLITE_DONE) {
        rf_store_failed(checkpoint->db, checkpoint->path, "could not read", err);
        status = err ? (err->status = RF_FATAL) : RF_FATAL;
    }
    sqlite3_reset(statement);
    pthread_mutex_unlock(&checkpoint->lock);
    return status;
}

/* As it is. */
static enum rf_status save(struct rf_checkpoint *checkpoint, const struct rf_checkpoint_sink *sink,
                           struct rf_error *err)
{
    enum rf_status status = RF_OK;
    bool fresh = false;
    bool fine = run(checkpoint->statements[BEGIN]) && put_sink(checkpoint, UPDATE_SINK, sink);
    if (fine && sqlite3_changes(checkpoint->db) == 0) {
        fresh = true;
        fine = put_sink(checkpoint, INSERT_SINK, sink);
    }
    if (!fine || !commit(checkpoint)) {
        status = rf_store_failed(checkpoint->db, checkpoint->path, "could not save the position in",
                                 err);
        if (status == RF_CONFIG) {
            /* It could be written when it was opened: the disk has become read-only, or the file
             * is another one. */
            status = err ? (err->status = RF_FATAL) : RF_FATAL;
        }
        roll_back(checkpoint);
        return status;
    }
    checkpoint->saved = true;
    if (fresh || sink->ordered || checkpoint->anchor_due) {
        anchor(checkpoint);
    }
    return RF_OK;
}

enum rf_status rf_checkpoint_save(struct rf_checkpoint *checkpoint,
                                  const struct rf_checkpoint_sink *sink, struct rf_error *err)
{
    struct rf_checkpoint_sink stamped = *sink;
    stamped.updated_us = rf_clock_wall_us();
    stamped.ordered = false;
    pthread_mutex_lock(&checkpoint->lock);
    enum rf_status status = save(checkpoint, &stamped, err);
    pthread_mutex_unlock(&checkpoint->lock);
    return status;
}

enum rf_status rf_checkpoint_order(const char *path, struct rf_str sink, struct rf_str position,
                                   struct rf_error *err)
{
    struct rf_checkpoint *checkpoint = create(path);
    struct rf_buf name = {0}, text = {0};
    struct rf_checkpoint_sink ordered;
    enum rf_status status = rf_state_check_header(path, err);
    if (status == RF_OK) {
        rf_state_name(path, &name);
        status = open_locked(checkpoint, rf_buf_cstr(&name), false, err);
    }
    if (status == RF_OK) {
        status = rf_checkpoint_load(checkpoint, sink, &text, &ordered, err);
    }
    if (status == RF_OK) {
        ordered.name = sink;
        ordered.position = position;
        ordered.note = RF_STR_NONE;
        ordered.commit_us = 0;
        ordered.updated_us = rf_clock_wall_us();
        ordered.ordered = true;
        status = save(checkpoint, &ordered, err);
    }
    rf_checkpoint_close(checkpoint);
    rf_buf_deinit(&name);
    rf_buf_deinit(&text);
    return for_operator(status, err);
}
