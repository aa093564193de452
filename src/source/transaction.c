#include "source/transaction.h"

#include "base/clock.h"
#include "event/name.h"
#include "source/statement.h"
#include "wire/charset.h"
#include "wire/rows.h"

#include <rowferry/log.h>

enum { MICROSECONDS = 1000000, STATEMENT_SHOWN = 120 };

/* ---- Messages ------------------------------------------------------------------------------ */

enum rf_status rf_assembly_wrap(struct rf_assembly *assembly, struct rf_error *err)
{
    struct rf_buf *text = &assembly->text;
    rf_buf_reset(text);
    rf_buf_printf(text, "%.*s at %llu",
                  assembly->file.size > 0 ? (int)assembly->file.size : (int)(sizeof "log" - 1),
                  assembly->file.size > 0 ? assembly->file.data : "log",
                  (unsigned long long)assembly->offset);
    if (assembly->open || assembly->ready) {
        rf_buf_add_str(text, RF_STR(", GTID "));
        rf_gtid_print(text, assembly->gtid);
    }
    return rf_error_wrap(err, "%s", rf_buf_cstr(text));
}

static enum rf_status mismatch(struct rf_error *err)
{
    rf_error_hint(err,
                  "this is not the log that the position was taken from: the server ran RESET "
                  "MASTER, was restored from a backup, or is another one. Take a new snapshot of "
                  "the tables, then set a new position");
    return RF_FATAL;
}

/* ---- Memory -------------------------------------------------------------------------------- */

static void forget_records(struct rf_assembly *assembly)
{
    rf_records_reset(&assembly->records);
    rf_tables_settle(&assembly->tables);
}

/* A record of the event in hand, with `size` bytes behind it. NULL: too large a transaction. */
static struct rf_record *add_record(struct rf_assembly *assembly, size_t size)
{
    if (assembly->records.bytes + size > RF_TRANSACTION_BYTES_MAX) {
        return NULL;
    }
    struct rf_record *record = rf_records_add(&assembly->records, size);
    record->ordinal = assembly->ordinal;
    record->offset = assembly->offset;
    return record;
}

static enum rf_status too_large(const struct rf_assembly *assembly, struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "the transaction has more than %u MiB of rows (%llu bytes so far)",
            RF_TRANSACTION_BYTES_MAX >> 20, (unsigned long long)assembly->records.bytes);
    rf_error_hint(err,
                  "transactions of this size are not carried yet: write in smaller ones, or leave "
                  "the table out");
    return RF_FATAL;
}

void rf_assembly_deinit(struct rf_assembly *assembly)
{
    const struct rf_pick *pick = assembly->pick, *loose = assembly->loose;
    rf_records_deinit(&assembly->records);
    rf_tables_deinit(&assembly->tables);
    rf_position_deinit(&assembly->position);
    rf_position_deinit(&assembly->expected);
    rf_gtid_list_deinit(&assembly->read);
    rf_arena_deinit(&assembly->scratch);
    rf_buf_deinit(&assembly->file);
    rf_buf_deinit(&assembly->text);
    *assembly = (struct rf_assembly){.pick = pick, .loose = loose};
}

/* ---- Files --------------------------------------------------------------------------------- */

static void drop_unfinished(struct rf_assembly *assembly)
{
    if (assembly->open) {
        rf_buf_reset(&assembly->text);
        rf_gtid_print(&assembly->text, assembly->gtid);
        rf_log(RF_LOG_WARN,
               "%.*s ends inside transaction %s, which the server never finished: left out",
               RF_STR_ARG(rf_buf_str(&assembly->file)), rf_buf_cstr(&assembly->text));
        assembly->open = false;
    }
    forget_records(assembly);
    rf_tables_forget(&assembly->tables);
}

void rf_assembly_turn(struct rf_assembly *assembly, struct rf_str file)
{
    drop_unfinished(assembly);
    rf_buf_set(&assembly->file, file);
    assembly->created = 0;
    assembly->from_top = false;
    assembly->adrift = false;
}

static enum rf_status take_rotate(struct rf_assembly *assembly, struct rf_str body,
                                  struct rf_error *err)
{
    struct rf_binlog_rotate rotate;
    enum rf_status status = rf_binlog_rotate_parse(body, &rotate, err);
    if (status != RF_OK) {
        return status;
    }
    rf_assembly_turn(assembly, rotate.file);
    assembly->next = assembly->offset = rotate.position;
    assembly->from_top = rotate.position == RF_BINLOG_MAGIC_SIZE;
    return RF_OK;
}

static enum rf_status take_format(struct rf_assembly *assembly,
                                  const struct rf_binlog_header *header, struct rf_str event,
                                  struct rf_error *err)
{
    enum rf_status status = rf_binlog_format_parse(event, &assembly->format, err);
    if (status != RF_OK) {
        return status;
    }
    drop_unfinished(assembly);
    assembly->created = header->timestamp;
    if (assembly->server_id == 0) {
        assembly->server_id = header->server_id;
    }
    if (assembly->must_created != 0 && assembly->must_created != header->timestamp) {
        rf_fail(err, RF_FATAL, "the file was begun at %u, not at %u as the position says",
                header->timestamp, assembly->must_created);
        return mismatch(err);
    }
    assembly->must_created = 0;
    return RF_OK;
}

/* What lies before a file. When we read on from the file before it, all of that was seen. */
static enum rf_status take_list(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                                struct rf_str body, struct rf_error *err)
{
    struct rf_gtid_list list = {0};
    bool artificial = (header->flags & RF_BINLOG_FLAG_ARTIFICIAL) != 0;
    enum rf_status status = rf_gtid_list_event_parse(body, &list, err);
    if (status == RF_OK && assembly->adopts_list) {
        rf_gtid_list_copy(&assembly->position.gtids, &list);
        assembly->adopts_list = false;
    } else if (status == RF_OK && assembly->from_top && !artificial) {
        for (uint32_t i = 0; i < list.count && status == RF_OK; i++) {
            if (!rf_gtid_list_has(&assembly->position.gtids, list.items[i])) {
                rf_buf_reset(&assembly->text);
                rf_gtid_print(&assembly->text, list.items[i]);
                status =
                    rf_fail(err, RF_FATAL,
                            "a gap in the log: transaction %s lies before this file, but it was "
                            "never seen",
                            rf_buf_cstr(&assembly->text));
            }
        }
    }
    rf_gtid_list_deinit(&list);
    return status;
}

/* ---- Transactions -------------------------------------------------------------------------- */

static enum rf_status expect_gtid(struct rf_assembly *assembly, struct rf_error *err)
{
    const struct rf_gtid *wanted = &assembly->expected.last;
    if (assembly->gtid.domain == wanted->domain && assembly->gtid.server_id == wanted->server_id &&
        assembly->gtid.sequence == wanted->sequence &&
        assembly->start == assembly->expected.start) {
        return RF_OK;
    }
    rf_buf_reset(&assembly->text);
    rf_gtid_print(&assembly->text, *wanted);
    rf_fail(err, RF_FATAL, "the position says that transaction %s begins at %llu, but it does not",
            rf_buf_cstr(&assembly->text), (unsigned long long)assembly->expected.start);
    return mismatch(err);
}

static enum rf_status check_order(struct rf_assembly *assembly, const struct rf_gtid_list *list,
                                  struct rf_error *err)
{
    const struct rf_gtid *before = rf_gtid_list_find(list, assembly->gtid.domain);
    if (before == NULL || assembly->gtid.sequence > before->sequence) {
        return RF_OK;
    }
    rf_buf_reset(&assembly->text);
    rf_gtid_print(&assembly->text, *before);
    rf_fail(err, RF_FATAL, "out of order GTID: it comes behind %s", rf_buf_cstr(&assembly->text));
    rf_error_hint(err, "two servers write in one domain, or gtid_strict_mode is off: give each "
                       "writing server a gtid_domain_id of its own");
    return RF_FATAL;
}

/* Whether this transaction may come now, and what is done with it. */
static enum rf_status check_gtid(struct rf_assembly *assembly, struct rf_error *err)
{
    const struct rf_gtid_list *before = &assembly->position.gtids;
    enum rf_status status;
    assembly->drops = assembly->mode != RF_ASSEMBLY_TAKE;
    switch (assembly->mode) {
    case RF_ASSEMBLY_VERIFY: return expect_gtid(assembly, err);
    case RF_ASSEMBLY_SKIP:
        status = check_order(assembly, &assembly->read, err);
        rf_gtid_list_update(&assembly->read, assembly->gtid);
        assembly->drops = rf_gtid_list_has(before, assembly->gtid);
        return status != RF_OK || assembly->drops ? status : check_order(assembly, before, err);
    default: return check_order(assembly, before, err);
    }
}

static enum rf_status take_gtid(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                                struct rf_str body, struct rf_error *err)
{
    enum { START_ALTER = 0x02, ROLLBACK_ALTER = 0x08 };
    struct rf_gtid_event event;
    if (assembly->open) {
        return rf_fail(err, RF_FATAL, "another transaction begins before this one has ended");
    }
    enum rf_status status = rf_gtid_event_parse(body, header->server_id, &event, err);
    if (status != RF_OK) {
        return status;
    }
    assembly->gtid = event.gtid;
    assembly->open = true;
    assembly->start = assembly->offset;
    assembly->standalone = (event.flags & RF_GTID_STANDALONE) != 0;
    assembly->drops_ddl = (event.extra_flags & (START_ALTER | ROLLBACK_ALTER)) != 0;
    assembly->ordinal = 0;
    assembly->skipped = 0;
    assembly->has_savepoint = false;
    rf_tables_next_statement(&assembly->tables);
    if (event.flags & (RF_GTID_PREPARED_XA | RF_GTID_COMPLETED_XA)) {
        return rf_fail(err, RF_FATAL, "an XA transaction; these are not carried yet");
    }
    return check_gtid(assembly, err);
}

/* The position moves behind the transaction in hand. */
static void advance(struct rf_assembly *assembly)
{
    struct rf_position *position = &assembly->position;
    rf_gtid_list_update(&position->gtids, assembly->gtid);
    position->last = assembly->gtid;
    position->time = assembly->time;
    position->sum = assembly->sum;
    position->server_id = assembly->server_id;
    position->has_last = !assembly->adrift;
    position->start = assembly->adrift ? 0 : assembly->start;
    position->end = assembly->adrift ? 0 : assembly->end;
    position->created = assembly->adrift ? 0 : assembly->created;
    rf_buf_set(&position->file, assembly->adrift ? RF_STR_NONE : rf_buf_str(&assembly->file));
}

static enum rf_status expect_end(struct rf_assembly *assembly, struct rf_error *err)
{
    const struct rf_position *expected = &assembly->expected;
    if (assembly->end == expected->end && assembly->time == expected->time) {
        if (assembly->sum == expected->sum) {
            assembly->mode = RF_ASSEMBLY_TAKE;
            return RF_OK;
        }
        rf_fail(err, RF_FATAL,
                "the position's last transaction is another one: its end has checksum "
                "%u, the position says %u",
                assembly->sum, expected->sum);
        return mismatch(err);
    }
    rf_fail(err, RF_FATAL,
            "the position's last transaction ends at %llu, committed at %u; the position says %llu "
            "and %u",
            (unsigned long long)assembly->end, assembly->time, (unsigned long long)expected->end,
            expected->time);
    return mismatch(err);
}

/* As logged; it was compared with the event's bytes already. */
static uint32_t checksum_of(const struct rf_assembly *assembly)
{
    uint32_t sum = 0;
    if (assembly->format.checksum == RF_BINLOG_CHECKSUM_CRC32) {
        const char *end = assembly->event.data + assembly->event.size;
        for (int i = 1; i <= RF_BINLOG_CHECKSUM_SIZE; i++) {
            sum = sum << 8 | (unsigned char)end[-i];
        }
    }
    return sum;
}

static enum rf_status end_transaction(struct rf_assembly *assembly,
                                      const struct rf_binlog_header *header, struct rf_error *err)
{
    assembly->open = false;
    assembly->end = assembly->next;
    assembly->time = header->timestamp;
    assembly->sum = checksum_of(assembly);
    if (!assembly->drops) {
        assembly->ready = true;
        return RF_OK;
    }
    forget_records(assembly);
    if (assembly->mode == RF_ASSEMBLY_VERIFY) {
        return expect_end(assembly, err);
    }
    if (assembly->mode == RF_ASSEMBLY_ADVANCE) {
        advance(assembly);
    }
    return RF_OK;
}

static enum rf_status take_rows(struct rf_assembly *assembly, unsigned type, struct rf_str body,
                                struct rf_error *err)
{
    enum { FLAGS_AT = 6, FLAGS_SIZE = 2, DUMMY = 0xffffff };
    if (body.size < FLAGS_AT + FLAGS_SIZE) {
        return rf_fail(err, RF_FATAL, "a rows event of only %zu bytes", body.size);
    }
    uint64_t id = 0;
    for (size_t i = 0; i < FLAGS_AT; i++) {
        id |= (uint64_t)(unsigned char)body.data[i] << (8 * i);
    }
    bool ends = (body.data[FLAGS_AT] & RF_ROWS_STATEMENT_END) != 0;
    const struct rf_table_number *number = rf_tables_find(&assembly->tables, id);
    /* An event without a table and without rows only says that the statement ends. */
    if (number == NULL && !(id == DUMMY && ends)) {
        return rf_fail(err, RF_FATAL, "rows of table number %llu, which no TABLE_MAP introduced",
                       (unsigned long long)id);
    }
    if (number != NULL && number->table != NULL && !assembly->drops && !rf_rows_is(type)) {
        rf_fail(err, RF_FATAL,
                "a compressed event (%s) with rows of %.*s; these are not carried yet",
                rf_binlog_type_name(type), RF_STR_ARG(number->table->full_name));
        rf_error_hint(err, "on the server: SET GLOBAL log_bin_compress=OFF");
        return RF_FATAL;
    }
    if (number != NULL && number->table == NULL) {
        assembly->skipped++;
    } else if (number != NULL && !assembly->drops) {
        struct rf_record *record = add_record(assembly, body.size);
        if (record == NULL) {
            return too_large(assembly, err);
        }
        record->table = number->table;
        record->type = (uint8_t)type;
        memcpy(record + 1, body.data, body.size);
    }
    if (ends) {
        rf_tables_next_statement(&assembly->tables);
    }
    return RF_OK;
}

/* ---- Statements ---------------------------------------------------------------------------- */

/* The beginning of it, on one line. */
static const char *shown(struct rf_assembly *assembly, struct rf_str statement)
{
    struct rf_buf *text = &assembly->text;
    rf_buf_reset(text);
    for (size_t i = 0; i < statement.size && i < STATEMENT_SHOWN; i++) {
        char byte = statement.data[i];
        rf_buf_add_byte(text, (unsigned char)byte < ' ' || byte == 0x7f ? ' ' : byte);
    }
    rf_buf_add_str(text, statement.size > STATEMENT_SHOWN ? RF_STR(" ...") : RF_STR_NONE);
    return rf_buf_cstr(text);
}

/* What a statement concerns, its names as the server compares them. */
struct concern {
    bool truncates;
    bool owner_known, object_known; /* how the server compares this name is known */
    struct rf_str database;         /* the default one */
    struct rf_str owner;            /* the database of the object */
    struct rf_str object;
};
enum verdict { LEAVES, PICKS, UNSURE };

static bool fold(struct rf_assembly *assembly, struct rf_str *name)
{
    if (name->size == 0 || (!assembly->pick->folds && assembly->loose == NULL)) {
        return true;
    }
    char *copy = rf_arena_alloc(&assembly->scratch, name->size);
    bool known = rf_name_fold(copy, *name);
    if (assembly->pick->folds) {
        name->data = copy;
    }
    return known;
}

static struct concern concern_of(struct rf_assembly *assembly, const struct rf_statement *statement,
                                 struct rf_str database)
{
    struct concern concern = {
        .truncates = statement->kind == RF_STATEMENT_TRUNCATE,
        .database = database,
        .owner = statement->database.size > 0 ? statement->database : database,
        .object = statement->object,
    };
    fold(assembly, &concern.database);
    concern.owner_known = fold(assembly, &concern.owner);
    concern.object_known = fold(assembly, &concern.object);
    return concern;
}

static bool picks(struct rf_assembly *assembly, const struct rf_pick *pick,
                  const struct concern *concern)
{
    struct rf_str database = concern->database, owner = concern->owner;
    if (concern->truncates) {
        rf_buf_set(&assembly->text, owner);
        rf_buf_add_byte(&assembly->text, '.');
        rf_buf_add_str(&assembly->text, concern->object);
        return rf_pick_table(pick, rf_buf_str(&assembly->text));
    }
    if (database.size == 0 && owner.size == 0) {
        return !pick->has_positive;
    }
    return (database.size > 0 && rf_pick_database(pick, database)) ||
           (owner.size > 0 && rf_pick_database(pick, owner));
}

/* Whether some table of the object's database may be picked. */
static bool picks_owner(const struct rf_assembly *assembly, const struct concern *concern)
{
    return !concern->owner_known || rf_pick_database(assembly->pick, concern->owner) ||
           (assembly->loose != NULL && rf_pick_database(assembly->loose, concern->owner));
}

/* Other DDL is handed over when in doubt, a TRUNCATE never. */
static enum verdict judge(struct rf_assembly *assembly, const struct concern *concern)
{
    bool picked = picks(assembly, assembly->pick, concern);
    bool differs = assembly->loose != NULL && picks(assembly, assembly->loose, concern) != picked;
    bool known = concern->owner_known && concern->object_known;
    if (!concern->truncates) {
        return picked || differs || !concern->owner_known ? PICKS : LEAVES;
    }
    /* Without folding, what is picked as it was typed is handed over so. */
    bool doubtful = !known && (assembly->pick->folds || !picked);
    if (differs || (doubtful && picks_owner(assembly, concern))) {
        return UNSURE;
    }
    return picked ? PICKS : LEAVES;
}

/* False for bytes that mean another character in some sets that are ASCII otherwise. */
static bool is_plain(struct rf_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        if ((name.data[i] & 0x80) != 0 || memchr("@[\\]^`{|}~", name.data[i], 10) != NULL) {
            return false;
        }
    }
    return true;
}

/* Character sets in which a byte that looks like a quote or the end of a word may be a part of
 * another character: what stands behind a name that is not plain may be misread. */
static bool hides_ascii(const struct rf_binlog_query *query)
{
    static const char *const names[] = {"big5", "cp932",   "sjis",   "gbk",
                                        "swe7", "gb18030", "unknown"};
    const char *name = rf_charset_name(query->charset);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* True when a statement that is not in UTF-8 certainly concerns nothing that is picked. */
static bool concerns_others(struct rf_assembly *assembly, const struct rf_binlog_query *query,
                            const struct rf_statement *statement)
{
    bool plain = is_plain(statement->object);
    bool begins_plain = plain || statement->database.size > 0;
    if (!is_plain(statement->database) ||
        (hides_ascii(query) && (!begins_plain || statement->has_settings))) {
        return false;
    }
    struct concern concern = concern_of(assembly, statement, query->database);
    return concern.truncates && !plain ? !picks_owner(assembly, &concern)
                                       : judge(assembly, &concern) == LEAVES;
}

static enum rf_status not_sure(const struct rf_assembly *assembly, const struct concern *concern,
                               struct rf_error *err)
{
    rf_fail(err, RF_FATAL,
            "TRUNCATE of %.*s.%.*s: whether that is a table to capture depends on how the server "
            "compares names",
            RF_STR_ARG(concern->owner), RF_STR_ARG(concern->object));
    rf_error_hint(err, "%s",
                  assembly->loose != NULL
                      ? "add lower_case_table_names=0, 1 or 2 to the source's address: what the "
                        "server answers to SELECT @@lower_case_table_names"
                      : "the lower case of some of its letters is not known here: leave the "
                        "database out with tables=..., or begin behind this transaction");
    return RF_FATAL;
}

static enum rf_status keep_statement(struct rf_assembly *assembly, const struct concern *concern,
                                     struct rf_str text, struct rf_error *err)
{
    struct rf_str object = concern->object;
    struct rf_str database = object.size > 0 ? concern->owner : concern->database;
    struct rf_record *record = add_record(assembly, database.size + object.size + text.size);
    if (record == NULL) {
        return too_large(assembly, err);
    }
    record->type = concern->truncates ? RF_TRUNCATE : RF_DDL;
    record->database_size = (uint32_t)database.size;
    record->object_size = (uint32_t)object.size;
    char *to = (char *)(record + 1);
    const struct rf_str parts[] = {database, object, text};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].size > 0) {
            memcpy(to, parts[i].data, parts[i].size);
            to += parts[i].size;
        }
    }
    return RF_OK;
}

/* Converted is only what may be picked: others may use any character set. */
static enum rf_status keep_ddl(struct rf_assembly *assembly, const struct rf_binlog_query *query,
                               struct rf_error *err)
{
    struct rf_str text;
    struct rf_statement statement;
    if (assembly->drops || assembly->drops_ddl) {
        return RF_OK;
    }
    enum rf_status status = rf_binlog_statement(query, &assembly->scratch, &text, err);
    bool converted = status == RF_OK;
    rf_statement_read(converted ? text : query->statement, &assembly->scratch, &statement);
    if (!converted && !concerns_others(assembly, query, &statement)) {
        rf_error_hint(err, "for statements to come: SET NAMES utf8mb4 in the sessions that run "
                           "them; to get past this one: leave its database out with tables=..., "
                           "or begin behind it");
        return status;
    }
    struct concern concern = concern_of(assembly, &statement, query->database);
    enum verdict verdict = converted ? judge(assembly, &concern) : LEAVES;
    if (verdict == LEAVES) {
        if (err != NULL) {
            *err = (struct rf_error){0};
        }
        assembly->skipped++;
        return RF_OK;
    }
    return verdict == PICKS ? keep_statement(assembly, &concern, text, err)
                            : not_sure(assembly, &concern, err);
}

/* What was kept before this is not undone by the statement. */
static uint64_t undone_from(const struct rf_assembly *assembly, enum rf_statement_kind kind)
{
    bool to = kind == RF_STATEMENT_ROLLBACK_TO && assembly->has_savepoint;
    return to ? assembly->savepoint_bytes : 0;
}

static enum rf_status take_query(struct rf_assembly *assembly,
                                 const struct rf_binlog_header *header, struct rf_str body,
                                 struct rf_error *err)
{
    struct rf_binlog_query query;
    struct rf_statement statement;
    bool ends = assembly->standalone;
    enum rf_status status = rf_binlog_query_parse(body, &query, err);
    if (status != RF_OK) {
        return status;
    }
    rf_arena_reset(&assembly->scratch, RF_ARENA_CHUNK);
    rf_statement_read(query.statement, &assembly->scratch, &statement);
    switch (statement.kind) {
    case RF_STATEMENT_BEGIN: break;
    case RF_STATEMENT_ACCOUNT: assembly->skipped++; break;
    case RF_STATEMENT_COMMIT: ends = true; break;
    case RF_STATEMENT_SAVEPOINT:
        if (!assembly->has_savepoint) {
            assembly->has_savepoint = true;
            assembly->savepoint_bytes = assembly->records.bytes;
        }
        break;
    case RF_STATEMENT_ROLLBACK:
    case RF_STATEMENT_ROLLBACK_TO:
        /* Logged when tables that cannot roll back were changed too: which rows were undone and
         * which not, the log does not say. */
        if (assembly->records.bytes > undone_from(assembly, statement.kind)) {
            return rf_fail(
                err, RF_FATAL,
                "\"%s\" behind changed rows: rows of engines that cannot roll back stay, the "
                "others were undone; such transactions are not carried yet",
                shown(assembly, query.statement));
        }
        ends |= statement.kind == RF_STATEMENT_ROLLBACK;
        break;
    case RF_STATEMENT_TRUNCATE:
    case RF_STATEMENT_DDL: status = keep_ddl(assembly, &query, err); break;
    case RF_STATEMENT_XA:
        return rf_fail(err, RF_FATAL, "an XA transaction (\"%s\"); these are not carried yet",
                       shown(assembly, query.statement));
    case RF_STATEMENT_CHANGE:
        rf_fail(err, RF_FATAL, "rows were changed by a statement, not logged as rows: \"%s\"",
                shown(assembly, query.statement));
        rf_error_hint(err,
                      "on the server: SET GLOBAL binlog_format='ROW'; sessions that are open keep "
                      "theirs until they connect again");
        return RF_FATAL;
    case RF_STATEMENT_UNKNOWN:
        return rf_fail(err, RF_FATAL, "a statement that is not known: \"%s\"",
                       shown(assembly, query.statement));
    }
    return status == RF_OK && ends ? end_transaction(assembly, header, err) : status;
}

/* ---- Events -------------------------------------------------------------------------------- */

static enum rf_status take_incident(struct rf_str body, struct rf_error *err)
{
    struct rf_binlog_incident incident;
    enum rf_status status = rf_binlog_incident_parse(body, &incident, err);
    if (status == RF_OK) {
        status = rf_fail(err, RF_FATAL, "the server says that its log has a hole: %.*s",
                         RF_STR_ARG(incident.message));
    }
    return status;
}

/* Events that stop, whatever the filter: what they do to which table, they do not say. */
static enum rf_status take_other(unsigned type, struct rf_error *err)
{
    const char *name = rf_binlog_type_name(type);
    switch (type) {
    case RF_BINLOG_XA_PREPARE:
        return rf_fail(err, RF_FATAL, "an XA transaction (%s); these are not carried yet", name);
    case RF_BINLOG_QUERY_COMPRESSED:
        rf_fail(err, RF_FATAL, "a compressed event (%s); these are not carried yet", name);
        rf_error_hint(err, "on the server: SET GLOBAL log_bin_compress=OFF");
        return RF_FATAL;
    case RF_BINLOG_START_ENCRYPTION:
        rf_fail(err, RF_FATAL, "the file is encrypted; these are not carried yet");
        rf_error_hint(err, "read from the server itself, which sends its log in the clear");
        return RF_FATAL;
    case RF_BINLOG_MYSQL_GTID:
    case RF_BINLOG_MYSQL_ANONYMOUS_GTID:
    case RF_BINLOG_MYSQL_PREVIOUS_GTIDS:
    case RF_BINLOG_MYSQL_GTID_TAGGED:
    case RF_BINLOG_TRANSACTION_PAYLOAD:
    case RF_BINLOG_PARTIAL_UPDATE_ROWS:
        return rf_fail(err, RF_FATAL, "%s: a log of MySQL; only MariaDB's are read yet", name);
    case RF_BINLOG_INTVAR:
    case RF_BINLOG_RAND:
    case RF_BINLOG_USER_VAR:
    case RF_BINLOG_LOAD:
    case RF_BINLOG_CREATE_FILE:
    case RF_BINLOG_APPEND_BLOCK:
    case RF_BINLOG_EXEC_LOAD:
    case RF_BINLOG_DELETE_FILE:
    case RF_BINLOG_NEW_LOAD:
    case RF_BINLOG_BEGIN_LOAD_QUERY:
    case RF_BINLOG_EXECUTE_LOAD_QUERY:
        rf_fail(err, RF_FATAL, "rows were changed by a statement, not logged as rows (event %s)",
                name);
        rf_error_hint(err,
                      "on the server: SET GLOBAL binlog_format='ROW'; sessions that are open keep "
                      "theirs until they connect again");
        return RF_FATAL;
    default:
        return rf_fail(err, RF_FATAL, "an event of type %u (%s), which is not known", type, name);
    }
}

/* An event of a transaction. */
static enum rf_status take_inside(struct rf_assembly *assembly,
                                  const struct rf_binlog_header *header, struct rf_str body,
                                  struct rf_error *err)
{
    uint64_t xid;
    if (!assembly->open) {
        rf_fail(err, RF_FATAL, "%s without a GTID in front of it",
                rf_binlog_type_name(header->type));
        rf_error_hint(err,
                      "logs of MariaDB 10.0 and later are read, from a transaction's beginning on");
        return RF_FATAL;
    }
    assembly->ordinal++;
    switch (header->type) {
    case RF_BINLOG_TABLE_MAP: return rf_tables_map(&assembly->tables, assembly->pick, body, err);
    case RF_BINLOG_QUERY: return take_query(assembly, header, body, err);
    case RF_BINLOG_XID: {
        enum rf_status status = rf_binlog_xid_parse(body, &xid, err);
        return status == RF_OK ? end_transaction(assembly, header, err) : status;
    }
    default: return take_rows(assembly, header->type, body, err);
    }
}

/* Where the event lies. Within a transaction MariaDB 11.4 and later give no positions: the sizes
 * are added up then, which is good enough for messages. */
static void locate(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                   uint64_t end)
{
    uint64_t low = header->end_position;
    /* 0 is also the end of an event that reaches to a multiple of 4 GiB. */
    bool wraps = low == 0 && (uint32_t)(assembly->next + header->size) == 0;
    bool said = low != 0 || end != 0 || wraps;
    if (header->flags & RF_BINLOG_FLAG_ARTIFICIAL || (!said && !assembly->open)) {
        return;
    }
    if (end == 0 && low != 0) {
        end = (assembly->next & ~(uint64_t)UINT32_MAX) | low;
        end += end < assembly->next ? (uint64_t)1 << 32 : 0;
    } else if (end == 0) {
        end = assembly->next + header->size;
    }
    assembly->offset = end > header->size ? end - header->size : 0;
    assembly->next = end;
}

static enum rf_status dispatch(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                               struct rf_str body, struct rf_error *err)
{
    switch (header->type) {
    case RF_BINLOG_WRITE_ROWS_V1:
    case RF_BINLOG_UPDATE_ROWS_V1:
    case RF_BINLOG_DELETE_ROWS_V1:
    case RF_BINLOG_WRITE_ROWS_V2:
    case RF_BINLOG_UPDATE_ROWS_V2:
    case RF_BINLOG_DELETE_ROWS_V2:
    case RF_BINLOG_WRITE_ROWS_COMPRESSED_V1:
    case RF_BINLOG_UPDATE_ROWS_COMPRESSED_V1:
    case RF_BINLOG_DELETE_ROWS_COMPRESSED_V1:
    case RF_BINLOG_WRITE_ROWS_COMPRESSED_V2:
    case RF_BINLOG_UPDATE_ROWS_COMPRESSED_V2:
    case RF_BINLOG_DELETE_ROWS_COMPRESSED_V2:
    case RF_BINLOG_TABLE_MAP:
    case RF_BINLOG_QUERY:
    case RF_BINLOG_XID: return take_inside(assembly, header, body, err);
    case RF_BINLOG_GTID: return take_gtid(assembly, header, body, err);
    case RF_BINLOG_GTID_LIST: return take_list(assembly, header, body, err);
    case RF_BINLOG_ROTATE: return take_rotate(assembly, body, err);
    case RF_BINLOG_INCIDENT: return take_incident(body, err);
    case RF_BINLOG_STOP:
    case RF_BINLOG_CHECKPOINT:
    case RF_BINLOG_ANNOTATE_ROWS:
    case RF_BINLOG_HEARTBEAT: return RF_OK;
    default:
        if (header->flags & RF_BINLOG_FLAG_IGNORABLE) {
            assembly->ordinal++;
            return RF_OK;
        }
        return take_other(header->type, err);
    }
}

/* In front of the first format description comes the dump thread's ROTATE, with a checksum or not,
 * according to the server's version and settings. */
static enum rf_status first_body(const struct rf_binlog_header *header, struct rf_str event,
                                 struct rf_str *body, struct rf_error *err)
{
    static const struct rf_binlog_format with = {.known = true,
                                                 .checksum = RF_BINLOG_CHECKSUM_CRC32};
    static const struct rf_binlog_format without = {0};
    if (rf_binlog_body(&with, header, event, body, NULL) == RF_OK) {
        return RF_OK;
    }
    return rf_binlog_body(&without, header, event, body, err);
}

enum rf_status rf_assembly_take(struct rf_assembly *assembly, struct rf_str event, uint64_t end,
                                struct rf_error *err)
{
    struct rf_binlog_header header;
    struct rf_str body;
    rf_assert(!assembly->ready);
    assembly->event = event;
    enum rf_status status = rf_binlog_header_parse(event, &header, err);
    if (status == RF_OK && header.type != RF_BINLOG_HEARTBEAT) {
        locate(assembly, &header, end);
    }
    if (status == RF_OK && header.type == RF_BINLOG_FORMAT_DESCRIPTION) {
        status = take_format(assembly, &header, event, err);
    } else if (status == RF_OK) {
        status = assembly->format.known
                     ? rf_binlog_body(&assembly->format, &header, event, &body, err)
                     : first_body(&header, event, &body, err);
        if (status == RF_OK) {
            status = dispatch(assembly, &header, body, err);
        }
    }
    return __builtin_expect(status == RF_OK, 1) ? RF_OK : rf_assembly_wrap(assembly, err);
}

/* ---- Handing over -------------------------------------------------------------------------- */

static void finish(struct rf_assembly *assembly, struct rf_batch *batch)
{
    advance(assembly);
    batch->skipped += assembly->skipped;
    assembly->moved = true;
    assembly->ready = false;
    assembly->begun = false;
    forget_records(assembly);
}

enum rf_status rf_assembly_drain(struct rf_assembly *assembly, struct rf_batch *batch,
                                 struct rf_error *err)
{
    uint32_t events_before = batch->count, transactions_before = batch->transaction_count;
    bool opened = false;
    rf_assert(assembly->ready);
    if (!assembly->begun && batch->count > 0 &&
        batch->arena.bytes + assembly->records.bytes > batch->bytes_max) {
        return RF_AGAIN;
    }
    while (assembly->records.first != NULL) {
        if (batch->count > 0 && rf_batch_full(batch)) {
            assembly->begun |= opened;
            return RF_AGAIN;
        }
        if (!opened) {
            rf_buf_reset(&assembly->text);
            rf_gtid_print(&assembly->text, assembly->gtid);
            rf_batch_begin(batch, rf_buf_str(&assembly->text),
                           (int64_t)assembly->time * MICROSECONDS, !assembly->begun);
            opened = true;
        }
        enum rf_status status =
            rf_records_hand_over(&assembly->records, batch, &assembly->offset, err);
        if (status != RF_OK) {
            batch->count = events_before;
            batch->transaction_count = transactions_before;
            return rf_assembly_wrap(assembly, err);
        }
    }
    if (opened) {
        rf_batch_commit(batch);
    }
    finish(assembly, batch);
    return RF_OK;
}

/* Writes the position into the batch when it has moved. */
static void mark(struct rf_assembly *assembly, struct rf_batch *batch)
{
    if (assembly->moved) {
        rf_buf_reset(&assembly->text);
        rf_position_print(&assembly->text, &assembly->position);
        rf_batch_set_position(batch, rf_buf_str(&assembly->text),
                              (int64_t)assembly->position.time * MICROSECONDS);
        assembly->moved = false;
    }
}

enum rf_status rf_assembly_fill(struct rf_assembly *assembly, struct rf_batch *batch,
                                int64_t deadline_ms, rf_event_finder *find, void *reader,
                                struct rf_error *err)
{
    enum { CLOCK_EVERY = 256, POSITION_EVERY_MS = 1000 };
    enum rf_status status = assembly->failed.status;
    if (status != RF_OK) {
        if (err != NULL) {
            *err = assembly->failed;
        }
        return status;
    }
    int64_t limit_ms = rf_clock_ms() + POSITION_EVERY_MS;
    limit_ms = limit_ms < deadline_ms ? limit_ms : deadline_ms;
    for (unsigned n = 1; status == RF_OK; n++) {
        bool something = batch->count > 0 || assembly->moved;
        if (assembly->ready) {
            status = rf_assembly_drain(assembly, batch, &assembly->failed);
            continue;
        }
        if ((batch->count > 0 && rf_batch_full(batch)) ||
            (n % CLOCK_EVERY == 0 && rf_clock_ms() >= (something ? limit_ms : deadline_ms))) {
            break;
        }
        struct rf_str event = RF_STR_NONE;
        uint64_t end = 0;
        status = find(reader, something ? 0 : deadline_ms, &event, &end, &assembly->failed);
        if (status == RF_OK && event.data == NULL) {
            rf_assembly_turn(assembly, RF_STR_NONE);
            batch->end = true;
            break;
        }
        if (status == RF_OK) {
            status = rf_assembly_take(assembly, event, end, &assembly->failed);
        }
    }
    bool something = batch->count > 0 || assembly->moved || batch->end;
    mark(assembly, batch);
    if (status != RF_OK && status != RF_AGAIN && !something && err != NULL) {
        *err = assembly->failed;
    }
    return something ? RF_OK : status == RF_OK ? RF_AGAIN : status;
}
