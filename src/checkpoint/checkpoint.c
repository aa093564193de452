#include "checkpoint/checkpoint.h"

#include "base/clock.h"
#include "base/memory.h"
#include "checkpoint/file.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x52574659, /* "RWFY" */
    VERSION = 1,
    BUSY_MS = 5000, /* readers hold nothing for long */
};

static const char schema[] =
    "PRAGMA application_id = 1381451353;"
    "PRAGMA user_version = 1;"
    "CREATE TABLE pipeline (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, source TEXT "
    "NOT NULL,"
    "  host TEXT NOT NULL, pid INTEGER NOT NULL, started_us INTEGER NOT NULL, epoch INTEGER NOT "
    "NULL,"
    "  saves INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;"
    "CREATE TABLE sink (name TEXT PRIMARY KEY, address TEXT NOT NULL, position TEXT NOT NULL, note "
    "BLOB NOT NULL,"
    "  commit_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, events INTEGER NOT NULL,"
    "  transactions INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;";
_Static_assert(APPLICATION_ID == 1381451353, "the schema says the same number");

/* The one row of the table pipeline. */
struct pipeline_row {
    struct rf_str name, source, host;
    int64_t pid, started_us;
    uint64_t epoch, saves;
};

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    PUT_PIPELINE,
    UPDATE_SINK,
    INSERT_SINK,
    SELECT_SINK,
    STATEMENTS
};
static const char *const statement_texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PUT_PIPELINE] = "INSERT OR REPLACE INTO pipeline (id, name, source, host, pid, started_us, "
                     "epoch, saves, checksum)"
                     " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
    [UPDATE_SINK] =
        "UPDATE sink SET address = ?2, position = ?3, note = ?4, commit_us = ?5, updated_us = ?6,"
        " events = ?7, transactions = ?8, checksum = ?9 WHERE name = ?1",
    [INSERT_SINK] = "INSERT INTO sink (name, address, position, note, commit_us, updated_us, "
                    "events, transactions,"
                    " checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SELECT_SINK] = "SELECT name, address, position, note, commit_us, updated_us, events, "
                    "transactions, checksum"
                    " FROM sink WHERE name = ?",
};

struct rf_checkpoint {
    pthread_mutex_t lock; /* guards everything below */
    char *path;
    struct rf_state_lock state_lock;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    struct rf_buf text; /* of row */
    struct pipeline_row row;
    bool anchor_due; /* a sink's first row lies in the WAL alone */
};

/* ------------------------------------------------------------------------------------ checksums */

/* FNV-1a: SQLite checks its own structure, this checks what stands in the fields. */
static uint64_t sum_bytes(uint64_t sum, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ bytes[i]) * 0x100000001B3ULL;
    }
    return sum;
}

static uint64_t sum_number(uint64_t sum, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    return sum_bytes(sum, bytes, sizeof bytes);
}

static uint64_t sum_str(uint64_t sum, struct rf_str str)
{
    return sum_bytes(sum_number(sum, str.size), str.data, str.size);
}

static uint64_t sum_pipeline(const struct pipeline_row *row)
{
    uint64_t sum =
        sum_str(sum_str(sum_str(0xCBF29CE484222325ULL, row->name), row->source), row->host);
    sum = sum_number(sum_number(sum, (uint64_t)row->pid), (uint64_t)row->started_us);
    return sum_number(sum_number(sum, row->epoch), row->saves);
}

static uint64_t sum_sink(const struct rf_checkpoint_sink *sink)
{
    uint64_t sum = sum_str(sum_str(0xCBF29CE484222325ULL, sink->name), sink->address);
    sum = sum_str(sum_str(sum, sink->position), sink->note);
    sum = sum_number(sum_number(sum, (uint64_t)sink->commit_us), (uint64_t)sink->updated_us);
    return sum_number(sum_number(sum, sink->events), sink->transactions);
}

/* ------------------------------------------------------------------------------------- failures */

static enum rf_status damaged(const char *path, const char *how, struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "the state file %s is damaged: %s", path, how);
    rf_error_hint(err, "restore it from a backup; or, to give up the positions in it, move it away "
                       "with its -wal and .lock "
                       "files and start anew with --from");
    return RF_FATAL;
}

/* What an SQLite result means for whoever opens, reads or saves. */
static enum rf_status failed(sqlite3 *db, const char *path, const char *doing, struct rf_error *err)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    const char *text = db ? sqlite3_errmsg(db) : "out of memory";
    int number = db ? sqlite3_system_errno(db) : 0;
    enum rf_status status;
    switch (code & 0xFF) {
    case SQLITE_FULL:
        status = rf_fail(err, RF_RETRY, "no room for the state file %s", path);
        rf_error_hint(err,
                      "free some space on its disk; nothing is lost meanwhile, the positions wait");
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM: status = rf_fail(err, RF_RETRY, "%s %s: %s", doing, path, text); break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return damaged(path, text, err);
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: status = rf_fail(err, RF_CONFIG, "%s %s: %s", doing, path, text); break;
    default:
        status = rf_fail(err, RF_FATAL, "%s %s: %s%s%s", doing, path, text, number ? ": " : "",
                         number ? strerror(number) : "");
        break;
    }
    if (err != NULL) {
        err->code = code;
    }
    return status;
}

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

static struct rf_str column_str(sqlite3_stmt *statement, int at, struct rf_buf *buf)
{
    /* Blob first: it is the same bytes and needs no conversion. */
    const void *data = sqlite3_column_blob(statement, at);
    size_t size = (size_t)sqlite3_column_bytes(statement, at), start = buf->size;
    rf_buf_add(buf, data, size);
    return (struct rf_str){(const char *)(uintptr_t)start, size};
}

/* column_str gave offsets, as the buffer moved while it grew. */
static void settle(struct rf_str *str, const struct rf_buf *buf)
{
    str->data = str->size > 0 ? buf->data + (uintptr_t)str->data : "";
}

/* Reads the sink of the current row behind what is in buf; its strings are offsets. False: its
 * checksum does not fit. */
static bool read_sink(sqlite3_stmt *statement, struct rf_buf *buf, struct rf_checkpoint_sink *sink)
{
    *sink = (struct rf_checkpoint_sink){
        .commit_us = sqlite3_column_int64(statement, 4),
        .updated_us = sqlite3_column_int64(statement, 5),
        .events = (uint64_t)sqlite3_column_int64(statement, 6),
        .transactions = (uint64_t)sqlite3_column_int64(statement, 7),
    };
    sink->name = column_str(statement, 0, buf);
    sink->address = column_str(statement, 1, buf);
    sink->position = column_str(statement, 2, buf);
    sink->note = column_str(statement, 3, buf);
    struct rf_checkpoint_sink whole = *sink;
    settle(&whole.name, buf);
    settle(&whole.address, buf);
    settle(&whole.position, buf);
    settle(&whole.note, buf);
    return sum_sink(&whole) == (uint64_t)sqlite3_column_int64(statement, 8);
}

static void settle_sink(struct rf_checkpoint_sink *sink, const struct rf_buf *buf)
{
    settle(&sink->name, buf);
    settle(&sink->address, buf);
    settle(&sink->position, buf);
    settle(&sink->note, buf);
}

static enum rf_status read_pipeline(sqlite3 *db, const char *path, struct rf_buf *buf,
                                    struct pipeline_row *row, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(
            db, "SELECT name, source, host, pid, started_us, epoch, saves, checksum FROM pipeline",
            -1, &statement, NULL) != SQLITE_OK) {
        return failed(db, path, "could not read", err);
    }
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        row->name = column_str(statement, 0, buf);
        row->source = column_str(statement, 1, buf);
        row->host = column_str(statement, 2, buf);
        row->pid = sqlite3_column_int64(statement, 3);
        row->started_us = sqlite3_column_int64(statement, 4);
        row->epoch = (uint64_t)sqlite3_column_int64(statement, 5);
        row->saves = (uint64_t)sqlite3_column_int64(statement, 6);
        settle(&row->name, buf);
        settle(&row->source, buf);
        settle(&row->host, buf);
        if (sum_pipeline(row) != (uint64_t)sqlite3_column_int64(statement, 7)) {
            status = damaged(path, "a checksum does not fit", err);
        }
    } else {
        status = code == SQLITE_DONE ? damaged(path, "it says nothing about a pipeline", err)
                                     : failed(db, path, "could not read", err);
    }
    sqlite3_finalize(statement);
    return status;
}

/* Calls SQLite's own check of the whole file. */
static enum rf_status check_structure(sqlite3 *db, const char *path, struct rf_error *err)
{
    sqlite3_stmt *statement = NULL;
    enum rf_status status = RF_OK;
    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        status = failed(db, path, "could not check", err);
    } else {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);
        if (answer == NULL || strcmp(answer, "ok") != 0) {
            status = damaged(path, answer ? answer : "no answer to its check", err);
        }
    }
    sqlite3_finalize(statement);
    return status;
}

static bool read_pragma(sqlite3 *db, const char *text, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    bool fine = sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    if (fine) {
        *out = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return fine;
}

/* Opens an existing file and finds it to be ours, of a version that we know, and whole. *out is
 * to be closed in any case. */
static enum rf_status open_file(const char *path, int flags, sqlite3 **out, struct rf_error *err)
{
    int64_t application = 0, version = 0;
    enum rf_status status = rf_state_check_header(path, err);
    if (status != RF_OK) {
        return status;
    }
    if (sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        return failed(*out, path, "could not open", err);
    }
    sqlite3_extended_result_codes(*out, 1);
    sqlite3_busy_timeout(*out, BUSY_MS);
    if (sqlite3_exec(*out, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", NULL, NULL,
                     NULL) != SQLITE_OK ||
        !read_pragma(*out, "PRAGMA application_id", &application) ||
        !read_pragma(*out, "PRAGMA user_version", &version)) {
        return failed(*out, path, "could not read", err);
    }
    if (application != APPLICATION_ID) {
        return damaged(path, "it is a database, but not one of Rowferry", err);
    }
    if (version > VERSION) {
        rf_fail(err, RF_CONFIG,
                "the state file %s was written by a newer Rowferry (layout %" PRId64
                ", this one knows %d)",
                path, version, VERSION);
        rf_error_hint(err, "use that version again, or give this pipeline another --name");
        return RF_CONFIG;
    }
    return version < 1 ? damaged(path, "its layout has no version", err)
                       : check_structure(*out, path, err);
}

/* All sinks of a file, each checksum looked at. each may be NULL. */
static enum rf_status walk_sinks(sqlite3 *db, const char *path, struct rf_buf *buf,
                                 void (*each)(void *argument,
                                              const struct rf_checkpoint_sink *sink),
                                 void *argument, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        db,
        "SELECT name, address, position, note, commit_us, updated_us, events, transactions,"
        " checksum FROM sink ORDER BY name",
        -1, &statement, NULL);
    while (code == SQLITE_OK && status == RF_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct rf_checkpoint_sink sink;
        code = SQLITE_OK;
        if (!read_sink(statement, buf, &sink)) {
            status = damaged(path, "a checksum does not fit", err);
        } else if (each != NULL) {
            each(argument, &sink);
        }
    }
    if (status == RF_OK && code != SQLITE_DONE) {
        status = failed(db, path, "could not read", err);
    }
    sqlite3_finalize(statement);
    return status;
}

/* -------------------------------------------------------------------------------------- opening */

/* A complete file under another name, so that the real name never stands for half of one. */
static enum rf_status create_file(const char *path, struct rf_error *err)
{
    struct rf_buf fresh = {0};
    sqlite3 *db = NULL;
    rf_buf_printf(&fresh, "%s.new", path);
    enum rf_status status = rf_state_begin(path, rf_buf_cstr(&fresh), err);
    if (status != RF_OK) {
        goto done;
    }
    struct pipeline_row row = {.name = RF_STR(""), .source = RF_STR(""), .host = RF_STR("")};
    struct rf_buf text = {0};
    rf_buf_printf(&text,
                  "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; BEGIN; %s"
                  "INSERT INTO pipeline VALUES (1, '', '', '', 0, 0, 0, 0, %" PRId64 "); COMMIT;",
                  schema, (int64_t)sum_pipeline(&row));
    if (sqlite3_open_v2(rf_buf_cstr(&fresh), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(db, rf_buf_cstr(&text), NULL, NULL, NULL) != SQLITE_OK) {
        status = failed(db, path, "could not write", err);
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

static void put_row(struct rf_checkpoint *checkpoint)
{
    sqlite3_stmt *statement = checkpoint->statements[PUT_PIPELINE];
    const struct pipeline_row *row = &checkpoint->row;
    bind_str(statement, 1, row->name);
    bind_str(statement, 2, row->source);
    bind_str(statement, 3, row->host);
    sqlite3_bind_int64(statement, 4, row->pid);
    sqlite3_bind_int64(statement, 5, row->started_us);
    sqlite3_bind_int64(statement, 6, (int64_t)row->epoch);
    sqlite3_bind_int64(statement, 7, (int64_t)row->saves);
    sqlite3_bind_int64(statement, 8, (int64_t)sum_pipeline(row));
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
        run(checkpoint->statements[ROLLBACK]);
    }
}

static enum rf_status take_over(struct rf_checkpoint *checkpoint, const char *name,
                                const char *source, struct rf_error *err)
{
    char host[256] = "";
    struct pipeline_row old = checkpoint->row;
    gethostname(host, sizeof host - 1);
    rf_buf_reset(&checkpoint->text);
    size_t name_size = strlen(name) + 1, source_size = strlen(source) + 1;
    rf_buf_add(&checkpoint->text, name, name_size);
    rf_buf_add(&checkpoint->text, source, source_size);
    rf_buf_add(&checkpoint->text, host, strlen(host) + 1);
    checkpoint->row = (struct pipeline_row){
        .name = rf_str_of(checkpoint->text.data),
        .source = rf_str_of(checkpoint->text.data + name_size),
        .host = rf_str_of(checkpoint->text.data + name_size + source_size),
        .pid = getpid(),
        .started_us = rf_clock_wall_us(),
        .epoch = old.epoch + 1,
        .saves = old.saves,
    };
    if (!run(checkpoint->statements[BEGIN]) || !commit(checkpoint)) {
        enum rf_status status = failed(checkpoint->db, checkpoint->path, "could not write", err);
        roll_back(checkpoint);
        return status;
    }
    anchor(checkpoint);
    return RF_OK;
}

static enum rf_status prepare(struct rf_checkpoint *checkpoint, struct rf_error *err)
{
    /* PRAGMA journal_mode answers with the mode that it is in now; a failure to change it is no
     * error to exec. */
    if (sqlite3_exec(checkpoint->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL,
                     NULL, NULL) != SQLITE_OK) {
        return failed(checkpoint->db, checkpoint->path, "could not write", err);
    }
    for (int i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v3(checkpoint->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &checkpoint->statements[i], NULL) != SQLITE_OK) {
            return failed(checkpoint->db, checkpoint->path, "could not use", err);
        }
    }
    return RF_OK;
}

static enum rf_status open_all(struct rf_checkpoint *checkpoint, const char *name,
                               const char *source, struct rf_error *err)
{
    const char *path = checkpoint->path;
    struct rf_buf scratch = {0};
    uint64_t noted = 0;
    enum rf_status status = rf_state_lock_take(&checkpoint->state_lock, path, name, &noted, err);
    if (status != RF_OK) {
        goto done;
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        noted = 0;
        status = create_file(path, err);
    }
    if (status == RF_OK) {
        status = open_file(path, SQLITE_OPEN_READWRITE, &checkpoint->db, err);
    }
    if (status == RF_OK) {
        status = read_pipeline(checkpoint->db, path, &checkpoint->text, &checkpoint->row, err);
    }
    if (status == RF_OK) {
        status = walk_sinks(checkpoint->db, path, &scratch, NULL, NULL, err);
    }
    if (status == RF_OK && noted > checkpoint->row.saves) {
        status = damaged(path,
                         "it is older than what was saved last; was its -wal file removed or a "
                         "backup put in its place?",
                         err);
        rf_error_hint(err,
                      "put the newer one back; or, if the older positions are right, remove %s",
                      rf_buf_cstr(&checkpoint->state_lock.path));
    }
    if (status == RF_OK) {
        status = prepare(checkpoint, err);
    }
    if (status == RF_OK) {
        status = take_over(checkpoint, name, source, err);
    }
done:
    rf_buf_deinit(&scratch);
    return status;
}

enum rf_status rf_checkpoint_open(struct rf_checkpoint **out, const char *path, const char *name,
                                  const char *source, struct rf_error *err)
{
    struct rf_checkpoint *checkpoint = rf_alloc_zero(1, sizeof *checkpoint);
    pthread_mutex_init(&checkpoint->lock, NULL);
    checkpoint->state_lock.file = -1;
    checkpoint->path = rf_str_dup(rf_str_of(path));
    enum rf_status status = open_all(checkpoint, name, source, err);
    if (status == RF_RETRY) {
        /* Nobody tries again here: that is for the operator to do. */
        status = err ? (err->status = RF_CONFIG) : RF_CONFIG;
    }
    if (status != RF_OK) {
        rf_checkpoint_close(checkpoint);
        checkpoint = NULL;
    }
    *out = checkpoint;
    return status;
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
        if (read_sink(statement, buf, sink)) {
            settle_sink(sink, buf);
        } else {
            *sink = (struct rf_checkpoint_sink){0};
            status = damaged(checkpoint->path, "a checksum does not fit", err);
        }
    } else if (code != SQLITE_DONE) {
        failed(checkpoint->db, checkpoint->path, "could not read", err);
        status = err ? (err->status = RF_FATAL) : RF_FATAL;
    }
    sqlite3_reset(statement);
    pthread_mutex_unlock(&checkpoint->lock);
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
    sqlite3_bind_int64(statement, 9, (int64_t)sum_sink(sink));
    return run(statement);
}

enum rf_status rf_checkpoint_save(struct rf_checkpoint *checkpoint,
                                  const struct rf_checkpoint_sink *sink, struct rf_error *err)
{
    struct rf_checkpoint_sink stamped = *sink;
    enum rf_status status = RF_OK;
    bool fresh = false;
    stamped.updated_us = rf_clock_wall_us();
    pthread_mutex_lock(&checkpoint->lock);
    bool fine = run(checkpoint->statements[BEGIN]) && put_sink(checkpoint, UPDATE_SINK, &stamped);
    if (fine && sqlite3_changes(checkpoint->db) == 0) {
        fresh = true;
        fine = put_sink(checkpoint, INSERT_SINK, &stamped);
    }
    if (!fine || !commit(checkpoint)) {
        status = failed(checkpoint->db, checkpoint->path, "could not save the position in", err);
        if (status == RF_CONFIG) {
            /* It could be written when it was opened: the disk has become read-only, or the file
             * is another one. */
            status = err ? (err->status = RF_FATAL) : RF_FATAL;
        }
        roll_back(checkpoint);
    } else if (fresh || checkpoint->anchor_due) {
        anchor(checkpoint);
    }
    pthread_mutex_unlock(&checkpoint->lock);
    return status;
}

/* ----------------------------------------------------------------------------------- for people */

static void report_sink(void *argument, const struct rf_checkpoint_sink *sink)
{
    struct rf_checkpoint_report *report = argument;
    report->sinks = rf_realloc(report->sinks, (report->sink_count + 1) * sizeof *report->sinks);
    report->sinks[report->sink_count++] = *sink;
}

enum rf_status rf_checkpoint_read(const char *path, struct rf_checkpoint_report *out,
                                  struct rf_error *err)
{
    sqlite3 *db = NULL;
    struct pipeline_row row = {0};
    struct rf_buf text = {0};
    *out = (struct rf_checkpoint_report){0};
    enum rf_status status = open_file(path, SQLITE_OPEN_READONLY, &db, err);
    if (status == RF_OK && sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        status = failed(db, path, "could not read", err);
    }
    if (status == RF_OK) {
        status = read_pipeline(db, path, &text, &row, err);
    }
    if (status == RF_OK) {
        struct rf_str *strings[] = {&row.name, &row.source, &row.host};
        for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
            size_t at = out->text.size;
            rf_buf_add_str(&out->text, *strings[i]);
            strings[i]->data = (const char *)(uintptr_t)at;
        }
        status = walk_sinks(db, path, &out->text, report_sink, out, err);
    }
    if (status == RF_OK) {
        settle(&row.name, &out->text);
        settle(&row.source, &out->text);
        settle(&row.host, &out->text);
        for (uint32_t i = 0; i < out->sink_count; i++) {
            settle_sink(&out->sinks[i], &out->text);
        }
        out->name = row.name;
        out->source = row.source;
        out->host = row.host;
        out->epoch = row.epoch;
        out->pid = row.pid;
        out->started_us = row.started_us;
        out->running = rf_state_is_locked(path);
    }
    if (status == RF_RETRY) {
        status = err ? (err->status = RF_CONFIG) : RF_CONFIG;
    }
    rf_buf_deinit(&text);
    sqlite3_close(db);
    return status;
}

void rf_checkpoint_report_deinit(struct rf_checkpoint_report *report)
{
    free(report->sinks);
    rf_buf_deinit(&report->text);
    *report = (struct rf_checkpoint_report){0};
}
