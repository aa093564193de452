#include "source/changes.h"

#include "base/memory.h"
#include "source/index.h"
#include "source/statement.h"

#include <stdlib.h>

enum { KEPT_BYTES_MAX = 16 * 1024 * 1024 };

/* ---- Places -------------------------------------------------------------------------------- */

void rf_log_place_set(struct rf_log_place *place, struct rf_str file, uint64_t offset)
{
    rf_buf_set(&place->file, file);
    place->offset = offset;
}

static uint64_t number_of(const struct rf_log_place *place)
{
    struct rf_str base;
    uint64_t number = 0;
    rf_index_number(rf_buf_str(&place->file), &base, &number);
    return number;
}

int rf_log_place_compare(const struct rf_log_place *a, const struct rf_log_place *b)
{
    uint64_t first = number_of(a), second = number_of(b);
    if (first == second) {
        first = a->offset;
        second = b->offset;
    }
    return first < second ? -1 : first > second;
}

void rf_log_place_deinit(struct rf_log_place *place)
{
    rf_buf_deinit(&place->file);
    place->offset = 0;
}

/* ---- Concerning ---------------------------------------------------------------------------- */

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '$';
}

static bool is_plain(struct rf_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!is_letter(name.data[i])) {
            return false;
        }
    }
    return name.size > 0;
}

static bool has_word(struct rf_str text, struct rf_str word)
{
    for (size_t i = 0; i + word.size <= text.size; i++) {
        struct rf_str part = {text.data + i, word.size};
        bool begins = i == 0 || !is_letter(text.data[i - 1]);
        bool ends = i + word.size == text.size || !is_letter(text.data[i + word.size]);
        if (begins && ends && rf_str_equal_nocase(part, word)) {
            return true;
        }
    }
    return false;
}

/* By its first word, or the one that the whole statement is known by. */
static bool changes_nothing(struct rf_str statement)
{
    static const char *const words[] = {"drop",  "truncate", "analyze", "optimize",
                                        "check", "repair",   "flush"};
    size_t size = 0;
    while (size < statement.size && is_letter(statement.data[size])) {
        size++;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (rf_str_equal_nocase((struct rf_str){statement.data, size}, rf_str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

/* ALTER TABLE without a word that gives a column which is there another type. */
static bool keeps_types(struct rf_str statement)
{
    static const char *const words[] = {"change", "drop", "exchange", "modify", "rename"};
    struct rf_str trimmed = rf_str_trim(statement);
    enum { ALTER_SIZE = 5 };
    struct rf_str first = {trimmed.data, trimmed.size < ALTER_SIZE ? trimmed.size : ALTER_SIZE};
    if (!rf_str_equal_nocase(first, RF_STR("alter"))) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (has_word(statement, rf_str_of(words[i]))) {
            return false;
        }
    }
    return true;
}

bool rf_change_concerns(struct rf_str default_database, struct rf_str statement,
                        struct rf_str database, struct rf_str table, bool types)
{
    if (statement.size == 0) {
        return true;
    }
    if (changes_nothing(statement) || (types && keeps_types(statement))) {
        return false;
    }
    if (!is_plain(database) || !is_plain(table)) {
        return true;
    }
    return has_word(statement, table) &&
           (rf_str_equal_nocase(default_database, database) || has_word(statement, database));
}

/* ---- A stretch of the log ------------------------------------------------------------------ */

static void forget(struct rf_changes *changes)
{
    for (uint32_t i = 0; i < changes->count; i++) {
        rf_log_place_deinit(&changes->items[i].place);
        rf_buf_deinit(&changes->items[i].database);
        rf_buf_deinit(&changes->items[i].statement);
    }
    changes->count = 0;
    changes->bytes = 0;
    changes->too_many = false;
}

void rf_changes_begin(struct rf_changes *changes, struct rf_str file, uint64_t offset)
{
    forget(changes);
    rf_log_place_set(&changes->from, file, offset);
    rf_log_place_set(&changes->to, file, offset);
    changes->format = (struct rf_binlog_format){0};
}

void rf_changes_deinit(struct rf_changes *changes)
{
    forget(changes);
    free(changes->items);
    rf_payload_deinit(&changes->payload);
    rf_inflater_deinit(&changes->inflater);
    rf_log_place_deinit(&changes->from);
    rf_log_place_deinit(&changes->to);
    *changes = (struct rf_changes){0};
}

static void add(struct rf_changes *changes, uint64_t offset, struct rf_str database,
                struct rf_str statement)
{
    changes->bytes += sizeof *changes->items + database.size + statement.size;
    if (changes->bytes > KEPT_BYTES_MAX) {
        changes->too_many = true;
        statement = RF_STR_NONE; /* concerns everything */
    }
    if (changes->too_many && changes->count > 0 &&
        changes->items[changes->count - 1].statement.size == 0) {
        /* The last one that is kept stands for it, too. */
        rf_log_place_set(&changes->items[changes->count - 1].place, rf_buf_str(&changes->to.file),
                         offset);
        return;
    }
    if (changes->count == changes->capacity) {
        changes->capacity = changes->capacity ? changes->capacity * 2 : 16;
        changes->items = rf_realloc(changes->items, changes->capacity * sizeof *changes->items);
    }
    struct rf_change *change = &changes->items[changes->count++];
    *change = (struct rf_change){0};
    rf_log_place_set(&change->place, rf_buf_str(&changes->to.file), offset);
    rf_buf_add_str(&change->database, database);
    rf_buf_add_str(&change->statement, statement);
}

static enum rf_status take_query(struct rf_changes *changes, uint64_t offset, struct rf_str body,
                                 struct rf_error *err)
{
    struct rf_binlog_query query;
    struct rf_statement statement;
    struct rf_arena scratch = {0};
    enum rf_status status = rf_binlog_query_parse(body, &query, err);
    if (status == RF_OK) {
        rf_statement_read(query.statement, &scratch, &statement);
        if (statement.kind == RF_STATEMENT_DDL || statement.kind == RF_STATEMENT_UNKNOWN) {
            add(changes, offset, query.database, query.statement);
        }
    }
    rf_arena_deinit(&scratch);
    return status;
}

static enum rf_status take_payload(struct rf_changes *changes, uint64_t offset, struct rf_str body,
                                   struct rf_error *err)
{
    struct rf_str event = RF_STR_NONE;
    enum rf_status status = rf_payload_open(&changes->payload, body, err);
    while (status == RF_OK) {
        status = rf_payload_next(&changes->payload, &event, err);
        if (status != RF_OK || event.data == NULL) {
            break;
        }
        if (rf_binlog_header_type(event.data) == RF_BINLOG_QUERY) {
            struct rf_str packed = {event.data + RF_BINLOG_HEADER_SIZE,
                                    event.size - RF_BINLOG_HEADER_SIZE};
            status = take_query(changes, offset, packed, err);
        }
    }
    rf_payload_close(&changes->payload);
    return status;
}

static enum rf_status take_body(struct rf_changes *changes, const struct rf_binlog_header *header,
                                uint64_t offset, struct rf_str event, struct rf_error *err)
{
    struct rf_binlog_rotate rotate;
    struct rf_str body;
    enum rf_status status;
    if (header->type != RF_BINLOG_QUERY && header->type != RF_BINLOG_QUERY_COMPRESSED &&
        header->type != RF_BINLOG_TRANSACTION_PAYLOAD && header->type != RF_BINLOG_ROTATE) {
        return RF_OK;
    }
    if (header->type == RF_BINLOG_ROTATE && !changes->format.known) {
        return RF_OK; /* the dump thread's first one names the file that was asked for */
    }
    status = rf_binlog_body(&changes->format, header, event, &body, err);
    if (status != RF_OK) {
        return status;
    }
    if (header->type == RF_BINLOG_QUERY) {
        return take_query(changes, offset, body, err);
    }
    if (header->type == RF_BINLOG_TRANSACTION_PAYLOAD) {
        return take_payload(changes, offset, body, err);
    }
    if (header->type == RF_BINLOG_QUERY_COMPRESSED) {
        status = rf_inflate_event(&changes->inflater, header, body, &event, err);
        body =
            (struct rf_str){event.data + RF_BINLOG_HEADER_SIZE, event.size - RF_BINLOG_HEADER_SIZE};
        return status == RF_OK ? take_query(changes, offset, body, err) : status;
    }
    status = rf_binlog_rotate_parse(body, &rotate, err);
    if (status == RF_OK) {
        rf_log_place_set(&changes->to, rotate.file, rotate.position);
    }
    return status;
}

/* Moves `to` behind the event. Returns where it begins. A server leaves events out that it was not
 * asked for, and gives the low 32 bits of where they end, or, from MariaDB 11.4 on, nothing inside
 * transactions: what is missed there the transaction's end makes good. */
static uint64_t locate(struct rf_changes *changes, const struct rf_binlog_header *header,
                       uint64_t end)
{
    uint64_t before = changes->to.offset, low = header->end_position;
    if (header->flags & RF_BINLOG_FLAG_ARTIFICIAL ||
        (end == 0 && low == 0 && header->type == RF_BINLOG_FORMAT_DESCRIPTION)) {
        return before;
    }
    if (end == 0 && low != 0) {
        end = (before & ~(uint64_t)UINT32_MAX) | low;
        end += end < before ? (uint64_t)1 << 32 : 0;
    } else if (end == 0) {
        end = before + header->size;
    }
    changes->to.offset = end;
    return end - header->size;
}

enum rf_status rf_changes_take(struct rf_changes *changes, struct rf_str event, uint64_t end,
                               struct rf_error *err)
{
    struct rf_binlog_header header;
    enum rf_status status = rf_binlog_header_parse(event, &header, err);
    if (status != RF_OK || header.type == RF_BINLOG_HEARTBEAT ||
        header.type == RF_BINLOG_HEARTBEAT_V2) {
        return status;
    }
    uint64_t offset = locate(changes, &header, end);
    if (header.type == RF_BINLOG_FORMAT_DESCRIPTION) {
        return rf_binlog_format_parse(event, &changes->format, err);
    }
    return take_body(changes, &header, offset, event, err);
}

const struct rf_change *rf_changes_find(const struct rf_changes *changes,
                                        const struct rf_log_place *after, struct rf_str database,
                                        struct rf_str table, bool types)
{
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct rf_change *change = &changes->items[i];
        if (rf_log_place_compare(&change->place, after) >= 0 &&
            rf_change_concerns(rf_buf_str(&change->database), rf_buf_str(&change->statement),
                               database, table, types)) {
            return change;
        }
    }
    return NULL;
}

enum rf_status rf_change_refuse(const struct rf_change *change, struct rf_str database,
                                struct rf_str table, bool types, const char *source,
                                struct rf_error *err)
{
    enum { SHOWN = 120 };
    struct rf_str statement = rf_buf_str(&change->statement);
    statement.size = statement.size < SHOWN ? statement.size : SHOWN;
    return rf_fail(err, RF_CONFIG,
                   "the columns of table %.*s.%.*s have no %s in the log, and those that it has "
                   "%s need not be the same: %.*s at %llu has \"%.*s\"",
                   RF_STR_ARG(database), RF_STR_ARG(table), types ? "types" : "names", source,
                   RF_STR_ARG(rf_buf_str(&change->place.file)),
                   (unsigned long long)change->place.offset, RF_STR_ARG(statement));
}
