#include "checkpoint/store.h"

#include "checkpoint/file.h"

#include <errno.h>
#include <inttypes.h>

enum { BUSY_MS = 5000 }; /* readers hold nothing for long */

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

uint64_t rf_store_sum_pipeline(const struct rf_pipeline_row *row)
{
    uint64_t sum =
        sum_str(sum_str(sum_str(0xCBF29CE484222325ULL, row->name), row->source), row->host);
    sum = sum_number(sum_number(sum, (uint64_t)row->pid), (uint64_t)row->started_us);
    return sum_number(sum_number(sum, row->epoch), row->saves);
}

uint64_t rf_store_sum_sink(const struct rf_checkpoint_sink *sink, int version)
{
    uint64_t sum = sum_str(sum_str(0xCBF29CE484222325ULL, sink->name), sink->address);
    sum = sum_str(sum_str(sum, sink->position), sink->note);
    sum = sum_number(sum_number(sum, (uint64_t)sink->commit_us), (uint64_t)sink->updated_us);
    sum = sum_number(sum_number(sum, sink->events), sink->transactions);
    if (version == 1) {
        return sum;
    }
    return sum_number(sum_number(sum_number(sum, sink->waived), sink->buried), sink->ordered);
}

/* ------------------------------------------------------------------------------------- failures */

enum rf_status rf_store_damaged(const char *path, const char *how, struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "the state file %s is damaged: %s", path, how);
    rf_error_hint(err, "restore it from a backup; or, to give up the positions in it, move it away "
                       "with its -wal and .lock "
                       "files and start anew with --from");
    return RF_FATAL;
}

/* SQLite says "full" of a write alone, and by one of the two numbers alone. After a failed sync
 * nobody knows what is on the disk, whatever the number. */
static bool is_full(int code, int number)
{
    return (code & 0xFF) == SQLITE_FULL ||
           ((code & 0xFF) == SQLITE_IOERR && code != SQLITE_IOERR_FSYNC &&
            code != SQLITE_IOERR_DIR_FSYNC && (number == ENOSPC || number == EDQUOT));
}

/* What an SQLite result means for whoever opens, reads or saves. */
enum rf_status rf_store_failed(sqlite3 *db, const char *path, const char *doing,
                               struct rf_error *err)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    const char *text = db ? sqlite3_errmsg(db) : "out of memory";
    int number = db ? sqlite3_system_errno(db) : 0;
    enum rf_status status;
    switch (is_full(code, number) ? SQLITE_FULL : code & 0xFF) {
    case SQLITE_FULL:
        status = rf_fail(err, RF_RETRY, "no room for the state file %s", path);
        rf_error_hint(err,
                      "free some space on its disk; nothing is lost meanwhile, the positions wait");
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM: status = rf_fail(err, RF_RETRY, "%s %s: %s", doing, path, text); break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return rf_store_damaged(path, text, err);
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

/* ---------------------------------------------------------------------------------- reading */

static struct rf_str column_str(sqlite3_stmt *statement, int at, struct rf_buf *buf)
{
    /* Blob first: it is the same bytes and needs no conversion. */
    const void *data = sqlite3_column_blob(statement, at);
    size_t size = (size_t)sqlite3_column_bytes(statement, at), start = buf->size;
    rf_buf_add(buf, data, size);
    return (struct rf_str){(const char *)(uintptr_t)start, size};
}

/* column_str gave offsets, as the buffer moved while it grew. */
void rf_store_settle(struct rf_str *str, const struct rf_buf *buf)
{
    str->data = str->size > 0 ? buf->data + (uintptr_t)str->data : "";
}

/* Reads the sink of the current row behind what is in buf; its strings are offsets. False: its
 * checksum does not fit. */
bool rf_store_read_sink(sqlite3_stmt *statement, int version, struct rf_buf *buf,
                        struct rf_checkpoint_sink *sink)
{
    *sink = (struct rf_checkpoint_sink){
        .commit_us = sqlite3_column_int64(statement, 4),
        .updated_us = sqlite3_column_int64(statement, 5),
        .events = (uint64_t)sqlite3_column_int64(statement, 6),
        .transactions = (uint64_t)sqlite3_column_int64(statement, 7),
        .waived = (uint64_t)sqlite3_column_int64(statement, 8),
        .buried = (uint64_t)sqlite3_column_int64(statement, 9),
        .ordered = sqlite3_column_int64(statement, 10) != 0,
    };
    sink->name = column_str(statement, 0, buf);
    sink->address = column_str(statement, 1, buf);
    sink->position = column_str(statement, 2, buf);
    sink->note = column_str(statement, 3, buf);
    struct rf_checkpoint_sink whole = *sink;
    rf_store_settle(&whole.name, buf);
    rf_store_settle(&whole.address, buf);
    rf_store_settle(&whole.position, buf);
    rf_store_settle(&whole.note, buf);
    return rf_store_sum_sink(&whole, version) == (uint64_t)sqlite3_column_int64(statement, 11);
}

void rf_store_settle_sink(struct rf_checkpoint_sink *sink, const struct rf_buf *buf)
{
    rf_store_settle(&sink->name, buf);
    rf_store_settle(&sink->address, buf);
    rf_store_settle(&sink->position, buf);
    rf_store_settle(&sink->note, buf);
}

enum rf_status rf_store_read_pipeline(sqlite3 *db, const char *path, struct rf_buf *buf,
                                      struct rf_pipeline_row *row, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(
            db, "SELECT name, source, host, pid, started_us, epoch, saves, checksum FROM pipeline",
            -1, &statement, NULL) != SQLITE_OK) {
        return rf_store_failed(db, path, "could not read", err);
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
        rf_store_settle(&row->name, buf);
        rf_store_settle(&row->source, buf);
        rf_store_settle(&row->host, buf);
        if (rf_store_sum_pipeline(row) != (uint64_t)sqlite3_column_int64(statement, 7)) {
            status = rf_store_damaged(path, "a checksum does not fit", err);
        }
    } else {
        status = code == SQLITE_DONE
                     ? rf_store_damaged(path, "it says nothing about a pipeline", err)
                     : rf_store_failed(db, path, "could not read", err);
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
        status = rf_store_failed(db, path, "could not check", err);
    } else {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);
        if (answer == NULL || strcmp(answer, "ok") != 0) {
            status = rf_store_damaged(path, answer ? answer : "no answer to its check", err);
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
enum rf_status rf_store_open(const char *path, int flags, sqlite3 **out, int *layout,
                             struct rf_error *err)
{
    int64_t application = 0, version = 0;
    enum rf_status status = rf_state_check_header(path, err);
    if (status != RF_OK) {
        return status;
    }
    if (sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        return rf_store_failed(*out, path, "could not open", err);
    }
    sqlite3_extended_result_codes(*out, 1);
    sqlite3_busy_timeout(*out, BUSY_MS);
    if (sqlite3_exec(*out, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", NULL, NULL,
                     NULL) != SQLITE_OK ||
        !read_pragma(*out, "PRAGMA application_id", &application) ||
        !read_pragma(*out, "PRAGMA user_version", &version)) {
        return rf_store_failed(*out, path, "could not read", err);
    }
    if (application != RF_STORE_APPLICATION) {
        return rf_store_damaged(path, "it is a database, but not one of Rowferry", err);
    }
    if (version > RF_STORE_VERSION) {
        rf_fail(err, RF_CONFIG,
                "the state file %s was written by a newer Rowferry (layout %" PRId64
                ", this one knows %d)",
                path, version, RF_STORE_VERSION);
        rf_error_hint(err, "use that version again, or give this pipeline another --name");
        return RF_CONFIG;
    }
    if (version < 1) {
        return rf_store_damaged(path, "its layout has no version", err);
    }
    *layout = (int)version;
    return check_structure(*out, path, err);
}

/* All sinks of a file, each checksum looked at. each may be NULL. */
enum rf_status rf_store_walk_sinks(sqlite3 *db, const char *path, int version, struct rf_buf *buf,
                                   void (*each)(void *argument,
                                                const struct rf_checkpoint_sink *sink),
                                   void *argument, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        db,
        version == 1
            ? "SELECT name, address, position, note, commit_us, updated_us, events, transactions,"
              " 0, 0, 0, checksum FROM sink ORDER BY name"
            : "SELECT name, address, position, note, commit_us, updated_us, events, transactions,"
              " waived, buried, ordered, checksum FROM sink ORDER BY name",
        -1, &statement, NULL);
    while (code == SQLITE_OK && status == RF_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct rf_checkpoint_sink sink;
        code = SQLITE_OK;
        if (!rf_store_read_sink(statement, version, buf, &sink)) {
            status = rf_store_damaged(path, "a checksum does not fit", err);
        } else if (each != NULL) {
            each(argument, &sink);
        }
    }
    if (status == RF_OK && code != SQLITE_DONE) {
        status = rf_store_failed(db, path, "could not read", err);
    }
    sqlite3_finalize(statement);
    return status;
}
