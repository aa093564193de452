#include "source/definitions.h"

#include "base/clock.h"
#include "source/text.h"

#include <stdlib.h>

enum {
    FILE_BYTES_MAX = 256 * 1024 * 1024,
    CLOCK_EVERY = 1024, /* events, each of them looked at by its header only */
};

/* ---- Looking ahead ------------------------------------------------------------------------- */

static const char *path_of(const struct rf_definitions *definitions)
{
    return definitions->files->index.files[definitions->ahead_at - 1];
}

/* Opens the next file ahead, and goes to `offset` in it. */
static enum rf_status open_ahead(struct rf_definitions *definitions, uint64_t offset,
                                 struct rf_error *err)
{
    struct rf_log_file *file = &definitions->ahead;
    struct rf_binlog_header header;
    struct rf_str event;
    uint64_t missing;
    definitions->ahead_at++;
    enum rf_status status = rf_log_file_open(file, path_of(definitions), err);
    if (status == RF_OK) {
        status = rf_log_file_seek(file, RF_BINLOG_MAGIC_SIZE, err);
    }
    if (status == RF_OK && offset > RF_BINLOG_MAGIC_SIZE) {
        status = rf_log_file_peek(file, 0, &event, &header, &missing, err);
        if (status == RF_OK && event.data != NULL) {
            status = rf_binlog_format_parse(event, &definitions->changes.format, err);
        }
        if (status == RF_OK) {
            status = rf_log_file_seek(file, offset, err);
        }
    }
    rf_log_place_set(&definitions->changes.to, file->name, offset);
    return status;
}

static enum rf_status begin_ahead(struct rf_definitions *definitions,
                                  const struct rf_log_place *from, struct rf_error *err)
{
    definitions->ahead_at = definitions->files->at;
    rf_changes_begin(&definitions->changes, rf_buf_str(&from->file), from->offset);
    return open_ahead(definitions, from->offset, err);
}

/* Reads on to the end of what is there. Returns RF_OK, RF_AGAIN, RF_RETRY or RF_FATAL. */
static enum rf_status read_ahead(struct rf_definitions *definitions, struct rf_error *err)
{
    struct rf_log_file *file = &definitions->ahead;
    for (unsigned n = 1;; n++) {
        struct rf_binlog_header header;
        struct rf_str event;
        uint64_t missing;
        enum rf_status status = rf_log_file_peek(file, 0, &event, &header, &missing, err);
        if (status == RF_OK && event.data != NULL) {
            uint64_t end = rf_log_file_take(file, event.size);
            status = rf_changes_take(&definitions->changes, event, end, err);
            /* A ROTATE says where the writer went on, which is not where we do. */
            rf_log_place_set(&definitions->changes.to, file->name, end);
        } else if (status == RF_OK && definitions->ahead_at < definitions->files->index.count) {
            status = open_ahead(definitions, RF_BINLOG_MAGIC_SIZE, err);
        } else if (status == RF_OK) {
            return RF_OK;
        }
        if (status != RF_OK) {
            return rf_error_wrap(err, "looking ahead for changes of tables in %s",
                                 file->path ? file->path : "the log");
        }
        if (n % CLOCK_EVERY == 0 && atomic_load(&definitions->files->file.interrupted)) {
            return rf_fail(err, RF_RETRY, "%s: interrupted", file->path);
        }
        if (n % CLOCK_EVERY == 0 && rf_clock_ms() >= definitions->files->deadline_ms) {
            return RF_AGAIN;
        }
    }
}

/* ---- Defining ------------------------------------------------------------------------------ */

static enum rf_status find(const struct rf_definitions *definitions,
                           const struct rf_binlog_table *table,
                           const struct rf_definition **definition, struct rf_error *err)
{
    const struct rf_definition *nameless;
    *definition = rf_schema_find(&definitions->schema, table->database, table->name, &nameless);
    if (*definition != NULL) {
        return RF_OK;
    }
    if (nameless != NULL) {
        rf_fail(err, RF_CONFIG, "%s does not say in which database table %.*s is", nameless->where,
                RF_STR_ARG(table->name));
        rf_error_hint(err, "write USE `%.*s`; above it", RF_STR_ARG(table->database));
        return RF_CONFIG;
    }
    rf_fail(err, RF_CONFIG,
            "the columns of table %.*s.%.*s have no names in the log, and %s does not define it",
            RF_STR_ARG(table->database), RF_STR_ARG(table->name), definitions->path);
    rf_error_hint(err,
                  "make the file with mariadb-dump --no-data --databases %.*s, or leave the "
                  "table out: tables=-%.*s.%.*s",
                  RF_STR_ARG(table->database), RF_STR_ARG(table->database),
                  RF_STR_ARG(table->name));
    return RF_CONFIG;
}

/* rf_definer.define */
static enum rf_status define(void *self, const struct rf_binlog_table *table,
                             enum rf_table_lack lack, bool changed,
                             const struct rf_definition **definition, struct rf_error *err)
{
    struct rf_definitions *definitions = self;
    struct rf_files *files = definitions->files;
    struct rf_log_place here = {0};
    enum rf_status status = find(definitions, table, definition, err);
    const bool types = lack != RF_LACKS_NAMES;
    if (types &&
        (status == RF_CONFIG || (lack == RF_LACKS_ADDRESSES && !(*definition)->addresses))) {
        return RF_OK; /* it says nothing that the log does not */
    }
    rf_log_place_set(&here, files->file.name, files->assembly->start);
    if (status == RF_OK && changed) {
        status =
            rf_fail(err, RF_CONFIG,
                    "table %.*s.%.*s was changed by a statement of the log: %s need not be what "
                    "it is from there on",
                    RF_STR_ARG(table->database), RF_STR_ARG(table->name), (*definition)->where);
    } else if (status == RF_OK && files->file.regular) {
        if (definitions->ahead_at <= files->at) { /* not begun, or left behind: files go away */
            status = begin_ahead(definitions, &here, err);
        }
        if (status == RF_OK) {
            status = read_ahead(definitions, err);
        }
        here.offset = files->assembly->offset; /* the statement may be the transaction's first */
        const struct rf_change *change =
            status == RF_OK
                ? rf_changes_find(&definitions->changes, &here, table->database, table->name, types)
                : NULL;
        if (change != NULL) {
            status = rf_change_refuse(change, table->database, table->name, types,
                                      (*definition)->where, err);
        }
    }
    if (status == RF_AGAIN) {
        rf_log_file_take(&files->file, 0); /* the event is handed out once more */
    }
    if (status == RF_CONFIG && err != NULL && err->hint[0] == '\0') {
        rf_error_hint(err,
                      "give the files from before the statement and those behind it one by one, "
                      "each with definitions of its time; or leave the table out: "
                      "tables=-%.*s.%.*s",
                      RF_STR_ARG(table->database), RF_STR_ARG(table->name));
    }
    rf_log_place_deinit(&here);
    return status;
}

/* ---- The file ------------------------------------------------------------------------------ */

static enum rf_status read_text(const char *path, struct rf_buf *text, struct rf_error *err)
{
    int number = rf_text_read(path, FILE_BYTES_MAX, text);
    if (number != 0) {
        rf_fail(err, RF_CONFIG, "schema: %s could not be read: %s", path, strerror(number));
        return RF_CONFIG;
    }
    if (text->size > FILE_BYTES_MAX) {
        rf_fail(err, RF_CONFIG, "schema: %s has more than %d MiB", path, FILE_BYTES_MAX >> 20);
        rf_error_hint(err, "definitions alone are wanted: mariadb-dump --no-data");
        return RF_CONFIG;
    }
    return RF_OK;
}

enum rf_status rf_definitions_read(struct rf_definitions *definitions, const char *path,
                                   struct rf_files *files, struct rf_error *err)
{
    struct rf_buf text = {0};
    definitions->definer = (struct rf_definer){.self = definitions, .define = define};
    definitions->files = files;
    definitions->path = rf_str_dup(rf_str_of(path));
    enum rf_status status = read_text(path, &text, err);
    if (status == RF_OK) {
        status = rf_schema_parse(&definitions->schema, rf_buf_str(&text), path, RF_STR_NONE, err);
    }
    if (status == RF_OK && definitions->schema.first == NULL) {
        status = rf_fail(err, RF_CONFIG, "schema: %s defines no table", path);
        rf_error_hint(err, "make it with mariadb-dump --no-data --databases ...");
    }
    rf_buf_deinit(&text);
    return status;
}

void rf_definitions_deinit(struct rf_definitions *definitions)
{
    rf_schema_deinit(&definitions->schema);
    rf_changes_deinit(&definitions->changes);
    rf_log_file_close(&definitions->ahead);
    free(definitions->path);
    definitions->path = NULL;
}
