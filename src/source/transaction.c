#include "source/transaction.h"

#include "base/load.h"
#include "source/ddl.h"
#include "source/statement.h"
#include "wire/charset.h"
#include "wire/rows.h"

enum { STATEMENT_SHOWN = 120, MICROSECONDS = 1000000 };

/* ---- Messages ------------------------------------------------------------------------------ */

enum rf_status rf_assembly_wrap(struct rf_assembly *assembly, struct rf_error *err)
{
    struct rf_buf *text = &assembly->text;
    rf_buf_reset(text);
    rf_buf_printf(text, "%.*s at %llu",
                  assembly->file.size > 0 ? (int)assembly->file.size : (int)(sizeof "log" - 1),
                  assembly->file.size > 0 ? assembly->file.data : "log",
                  (unsigned long long)assembly->offset);
    if ((assembly->open || assembly->ready) && assembly->txid.kind != RF_TXID_PLACE) {
        rf_buf_add_str(text, RF_STR(", GTID "));
        rf_txid_print(text, &assembly->txid, RF_STR_NONE);
    }
    return rf_error_wrap(err, "%s", rf_buf_cstr(text));
}

enum rf_status rf_assembly_stop(struct rf_assembly *assembly, struct rf_error *err)
{
    if (err == NULL || (err->status != RF_FATAL && err->status != RF_CONFIG)) {
        return err != NULL ? err->status : RF_FATAL;
    }
    struct rf_buf *text = &assembly->text;
    struct rf_str hint = rf_str_of(err->hint);
    rf_buf_reset(text);
    if (hint.size > 0) {
        hint.size -= hint.data[hint.size - 1] == '.';
        rf_buf_add_str(text, hint);
        rf_buf_add_str(text, RF_STR("; or "));
    }
    rf_buf_add_str(text, RF_STR("leave this whole transaction out: skip="));
    rf_txid_print(text, &assembly->txid, rf_buf_str(&assembly->file));
    rf_buf_add_str(text, RF_STR(" in the source's options"));
    rf_error_hint(err, "%s", rf_buf_cstr(text));
    return err->status;
}

/* ---- Memory -------------------------------------------------------------------------------- */

void rf_assembly_forget(struct rf_assembly *assembly)
{
    rf_records_reset(&assembly->records);
    rf_inflater_trim(&assembly->inflater);
    rf_tables_settle(&assembly->tables);
}

/* Of the event in hand: the parts, and the event itself behind them. */
static enum rf_status keep(struct rf_assembly *assembly, struct rf_record *record,
                           struct rf_str *parts, uint32_t count, struct rf_error *err)
{
    record->ordinal = assembly->ordinal;
    record->offset = assembly->offset;
    record->event_size = (uint32_t)assembly->event.size;
    parts[count] = assembly->event;
    return rf_records_add(&assembly->records, record, parts, count + 1, err);
}

void rf_assembly_deinit(struct rf_assembly *assembly)
{
    struct rf_assembly given = {
        .pick = assembly->pick,
        .loose = assembly->loose,
        .skips = assembly->skips,
        .has_uuid = assembly->has_uuid,
        .uuid = assembly->uuid,
        .keeps_sql = assembly->keeps_sql,
    };
    rf_records_deinit(&assembly->records);
    rf_held_deinit(&assembly->held);
    rf_buf_deinit(&assembly->resolved.file);
    rf_buf_deinit(&assembly->xa_name);
    rf_savepoints_deinit(&assembly->savepoints);
    rf_tables_deinit(&assembly->tables);
    rf_position_deinit(&assembly->position);
    rf_position_deinit(&assembly->expected);
    rf_gtids_deinit(&assembly->read);
    rf_payload_deinit(&assembly->payload);
    rf_inflater_deinit(&assembly->inflater);
    rf_arena_deinit(&assembly->scratch);
    rf_buf_deinit(&assembly->file);
    rf_buf_deinit(&assembly->text);
    rf_buf_deinit(&assembly->sql);
    given.records = assembly->records; /* its limit and its directory */
    *assembly = given;
}

/* ---- Transactions -------------------------------------------------------------------------- */

static void end_statement(struct rf_assembly *assembly)
{
    rf_tables_next_statement(&assembly->tables);
    rf_buf_reset(&assembly->sql);
    assembly->same_sql = false;
}

/* The statement behind the rows that follow. Its character set is not logged with it, so it is kept
 * only when it is UTF-8, as nearly all are. */
static void take_sql(struct rf_assembly *assembly, struct rf_str sql)
{
    rf_buf_reset(&assembly->sql);
    assembly->same_sql = false;
    if (assembly->keeps_sql && assembly->open && !assembly->drops && !assembly->named &&
        rf_charset_is_utf8(sql.data, sql.size)) {
        rf_buf_set(&assembly->sql, sql);
    }
}

enum rf_status rf_assembly_start(struct rf_assembly *assembly,
                                 const struct rf_binlog_header *header, bool mysql,
                                 struct rf_error *err)
{
    if (mysql == assembly->format.mariadb) {
        return rf_fail(err, RF_FATAL, "a transaction of %s in a log of %s",
                       mysql ? "MySQL" : "MariaDB", assembly->format.server_version);
    }
    if (assembly->open) {
        return rf_fail(err, RF_FATAL, "another transaction begins before this one has ended");
    }
    assembly->open = true;
    assembly->mysql = mysql;
    assembly->start = assembly->offset;
    assembly->txid.kind = RF_TXID_PLACE; /* until its GTID was read */
    assembly->txid.offset = assembly->offset;
    assembly->drops_ddl = false;
    assembly->completes_xa = false;
    assembly->xa = false;
    assembly->prepares = false;
    assembly->resolves = false;
    assembly->ordinal = 0;
    assembly->commit_us = 0;
    assembly->unpacked = 0;
    assembly->skipped = 0;
    assembly->waived = 0;
    assembly->committer = header->server_id;
    assembly->has_xid = false;
    assembly->has_thread = false;
    rf_savepoints_reset(&assembly->savepoints);
    end_statement(assembly);
    return RF_OK;
}

static enum rf_status take_gtid(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                                struct rf_str body, struct rf_error *err)
{
    enum { START_ALTER = 0x02, ROLLBACK_ALTER = 0x08 };
    struct rf_gtid_event event;
    enum rf_status status = rf_assembly_start(assembly, header, false, err);
    if (status == RF_OK) {
        status = rf_gtid_event_parse(body, header->server_id, &event, err);
    }
    if (status != RF_OK) {
        return status;
    }
    assembly->txid.kind = RF_TXID_MARIADB;
    assembly->txid.mariadb = event.gtid;
    assembly->standalone = (event.flags & RF_GTID_STANDALONE) != 0;
    assembly->drops_ddl = (event.extra_flags & (START_ALTER | ROLLBACK_ALTER)) != 0;
    assembly->completes_xa = (event.flags & RF_GTID_COMPLETED_XA) != 0;
    assembly->xa = (event.flags & RF_GTID_PREPARED_XA) != 0;
    assembly->has_thread = event.has_thread;
    assembly->thread_id = event.thread_id;
    status = rf_assembly_expect(assembly, err);
    if ((event.flags & RF_GTID_PREPARED_XA) != 0 && assembly->mode == RF_ASSEMBLY_ADVANCE) {
        assembly->drops = false; /* what becomes of its rows, may lie ahead */
    }
    return status;
}

/* As logged; it was compared with the event's bytes already. */
static uint32_t checksum_of(const struct rf_assembly *assembly)
{
    uint32_t sum = 0;
    if (assembly->format.checksum == RF_BINLOG_CHECKSUM_CRC32) {
        const char *end = assembly->logged.data + assembly->logged.size;
        for (int i = 1; i <= RF_BINLOG_CHECKSUM_SIZE; i++) {
            sum = sum << 8 | (unsigned char)end[-i];
        }
    }
    return sum;
}

enum rf_status rf_assembly_end(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                               struct rf_error *err)
{
    if ((assembly->xa || assembly->completes_xa) && !assembly->drops && !assembly->named) {
        rf_fail(err, RF_FATAL, "an XA transaction that ends without %s",
                assembly->xa ? "XA PREPARE" : "XA COMMIT or XA ROLLBACK");
        return rf_assembly_stop(assembly, err);
    }
    assembly->open = false;
    if (assembly->packed) {
        return RF_OK; /* the payload's end is its own */
    }
    assembly->end = assembly->next;
    assembly->time = header->timestamp;
    assembly->sum = checksum_of(assembly);
    if (assembly->commit_us == 0) {
        assembly->commit_us = (int64_t)header->timestamp * MICROSECONDS;
    }
    bool passes = assembly->collects || assembly->mode == RF_ASSEMBLY_ADVANCE;
    if (!assembly->drops && !passes) {
        assembly->ready = true;
        return RF_OK;
    }
    if (!assembly->drops && assembly->prepares) {
        enum rf_status status = rf_assembly_xa_hold(assembly, err);
        if (status != RF_OK) {
            return status;
        }
        if (assembly->collects) {
            rf_assembly_xa_advance(assembly);
        }
    } else if (assembly->collects) {
        assembly->open = true; /* its name belongs into the message */
        rf_fail(err, RF_FATAL,
                "the position says that an XA transaction was prepared with this "
                "one, but it was not");
        return rf_assembly_mismatch(err);
    }
    rf_assembly_forget(assembly);
    if (assembly->mode == RF_ASSEMBLY_VERIFY) {
        return rf_assembly_expect_end(assembly, err);
    }
    if (assembly->mode == RF_ASSEMBLY_ADVANCE) {
        rf_assembly_advance(assembly);
    }
    return RF_OK;
}

/* From here on the event in hand is the one that a server without log_bin_compress would have
 * logged; it has no checksum. */
static enum rf_status inflate(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                              struct rf_binlog_header *plain, struct rf_str *body,
                              struct rf_error *err)
{
    enum rf_status status =
        rf_inflate_event(&assembly->inflater, header, *body, &assembly->event, err);
    if (status == RF_OK) {
        status = rf_binlog_header_parse(assembly->event, plain, err);
    }
    *body = (struct rf_str){assembly->event.data + RF_BINLOG_HEADER_SIZE,
                            assembly->event.size - RF_BINLOG_HEADER_SIZE};
    return status;
}

static enum rf_status take_rows(struct rf_assembly *assembly, const struct rf_binlog_header *header,
                                struct rf_str body, struct rf_error *err)
{
    enum { FLAGS_AT = 6, FLAGS_SIZE = 2, DUMMY = 0xffffff };
    if (body.size < FLAGS_AT + FLAGS_SIZE) {
        return rf_fail(err, RF_FATAL, "a rows event of only %zu bytes", body.size);
    }
    const struct rf_str whole = assembly->event;
    struct rf_binlog_header plain;
    uint64_t id = rf_load_sized(body.data, FLAGS_AT);
    bool ends = (body.data[FLAGS_AT] & RF_ROWS_STATEMENT_END) != 0;
    const struct rf_table_number *number = rf_tables_find(&assembly->tables, id);
    /* An event without a table and without rows only says that the statement ends. */
    if (number == NULL && !(id == DUMMY && ends)) {
        return rf_fail(err, RF_FATAL, "rows of table number %llu, which no TABLE_MAP introduced",
                       (unsigned long long)id);
    }
    enum rf_status status = RF_OK;
    if (number != NULL && number->table == NULL) {
        assembly->skipped++;
    } else if (number != NULL && rf_inflate_is(header->type)) {
        status = inflate(assembly, header, &plain, &body, err);
    }
    if (status == RF_OK && number != NULL && number->table != NULL) {
        struct rf_str parts[2] = {rf_buf_str(&assembly->sql)};
        struct rf_record record = {
            .table = number->table,
            .type = rf_binlog_header_type(assembly->event.data),
            .checksum_size = (uint8_t)(assembly->event.size - RF_BINLOG_HEADER_SIZE - body.size),
            .same_sql = assembly->same_sql,
        };
        bool first = assembly->sql.size > 0 && !assembly->same_sql;
        assembly->same_sql |= first;
        status = keep(assembly, &record, parts, first ? 1 : 0, err);
    }
    assembly->event = whole;
    if (ends) {
        end_statement(assembly);
    }
    return status;
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

static enum rf_status keep_ddl(struct rf_assembly *assembly, const struct rf_binlog_query *query,
                               struct rf_error *err)
{
    struct rf_ddl ddl;
    bool picked;
    if (assembly->drops_ddl) {
        return RF_OK;
    }
    enum rf_status status =
        rf_ddl_pick(query, assembly->pick, assembly->loose, &assembly->scratch, &ddl, &picked, err);
    if (status != RF_OK || !picked) {
        assembly->skipped += status == RF_OK;
        return status;
    }
    struct rf_str parts[RF_RECORD_PARTS_MAX] = {ddl.database, ddl.object, ddl.statement};
    struct rf_record record = {
        .type = ddl.truncates ? RF_TRUNCATE : RF_DDL,
        .database_size = (uint32_t)ddl.database.size,
        .object_size = (uint32_t)ddl.object.size,
    };
    return keep(assembly, &record, parts, 3, err);
}

/* Logged when tables that cannot roll back were changed too: which rows were undone and which not,
 * the log does not say. */
static enum rf_status take_rollback(struct rf_assembly *assembly,
                                    const struct rf_binlog_query *query,
                                    const struct rf_statement *statement, struct rf_error *err)
{
    struct rf_records_mark mark = {0};
    bool known = statement->kind == RF_STATEMENT_ROLLBACK ||
                 rf_savepoints_return(&assembly->savepoints, statement->object, &mark);
    uint64_t undone = assembly->records.count - mark.count;
    if (undone == 0) {
        return RF_OK;
    }
    if (assembly->skips != NULL && assembly->skips->rollbacks && known) {
        assembly->waived += undone;
        return rf_records_cut(&assembly->records, mark, err);
    }
    rf_fail(err, RF_FATAL,
            "\"%s\" behind changed rows: rows of engines that cannot roll back stay, the others "
            "were undone; such transactions are not carried yet",
            shown(assembly, query->statement));
    if (known) {
        rf_error_hint(err, "leave out the rows in front of it, also those that stay: "
                           "skip=rollbacks in the source's options");
    }
    return RF_FATAL;
}

static bool skips_statements(const struct rf_assembly *assembly)
{
    return assembly->skips != NULL && assembly->skips->statements;
}

/* `by`: what was seen of it. */
static enum rf_status not_as_rows(const char *by, const char *what, struct rf_error *err)
{
    rf_fail(err, RF_FATAL, "rows were changed by a statement, not logged as rows%s%s", by, what);
    rf_error_hint(err,
                  "on the server: SET GLOBAL binlog_format='ROW'; sessions that are open keep "
                  "theirs until they connect again. To leave such changes out: skip=statements in "
                  "the source's options");
    return RF_FATAL;
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
    assembly->has_thread = true;
    assembly->thread_id = query.thread_id;
    rf_arena_reset(&assembly->scratch, RF_ARENA_CHUNK);
    rf_statement_read(query.statement, &assembly->scratch, &statement);
    switch (statement.kind) {
    case RF_STATEMENT_BEGIN:
        ends &= !assembly->mysql;
        assembly->standalone &= !assembly->mysql;
        break;
    case RF_STATEMENT_ACCOUNT: assembly->skipped++; break;
    case RF_STATEMENT_COMMIT: ends = true; break;
    case RF_STATEMENT_SAVEPOINT: {
        struct rf_records_mark mark = rf_records_mark(&assembly->records);
        rf_savepoints_set(&assembly->savepoints, statement.object, mark);
        break;
    }
    case RF_STATEMENT_RELEASE: break;
    case RF_STATEMENT_ROLLBACK:
    case RF_STATEMENT_ROLLBACK_TO:
        status = take_rollback(assembly, &query, &statement, err);
        ends |= statement.kind == RF_STATEMENT_ROLLBACK;
        break;
    case RF_STATEMENT_TRUNCATE:
    case RF_STATEMENT_DDL:
        rf_tables_change(&assembly->tables, query.database, query.statement);
        status = keep_ddl(assembly, &query, err);
        break;
    case RF_STATEMENT_XA:
        if (statement.xa == RF_XA_COMMIT || statement.xa == RF_XA_ROLLBACK) {
            status = rf_assembly_xa_resolve(assembly, &statement, err);
            ends = true;
        } else {
            assembly->xa = true; /* what becomes of it, XA PREPARE says */
            assembly->standalone = ends = false;
        }
        break;
    case RF_STATEMENT_CHANGE:
        if (!skips_statements(assembly)) {
            return not_as_rows(": ", shown(assembly, query.statement), err);
        }
        assembly->waived++;
        break;
    case RF_STATEMENT_UNKNOWN:
        return rf_fail(err, RF_FATAL, "a statement that is not known: \"%s\"",
                       shown(assembly, query.statement));
    }
    return status == RF_OK && ends ? rf_assembly_end(assembly, header, err) : status;
}

/* ---- Events -------------------------------------------------------------------------------- */

static enum rf_status take_incident(struct rf_assembly *assembly, struct rf_str body,
                                    struct rf_error *err)
{
    struct rf_binlog_incident incident;
    assembly->ordinal++;
    if (assembly->skips != NULL && assembly->skips->incident) {
        assembly->waived_before++;
        return RF_OK;
    }
    enum rf_status status = rf_binlog_incident_parse(body, &incident, err);
    if (status == RF_OK) {
        status = rf_fail(err, RF_FATAL, "the server says that its log has a hole: %.*s",
                         RF_STR_ARG(incident.message));
        rf_error_hint(err, "take a new snapshot of the tables; to go on without what is missing: "
                           "skip=incident in the source's options");
    }
    return status;
}

/* Events that stop, whatever the filter: what they do to which table, they do not say. */
static enum rf_status take_other(struct rf_assembly *assembly, unsigned type, struct rf_error *err)
{
    const char *name = rf_binlog_type_name(type);
    switch (type) {
    case RF_BINLOG_START_ENCRYPTION:
        rf_fail(err, RF_FATAL, "the file is encrypted; these are not carried yet");
        rf_error_hint(err, "read from the server itself, which sends its log in the clear");
        return RF_FATAL;
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
        if (!skips_statements(assembly)) {
            return not_as_rows(", event ", name, err);
        }
        assembly->ordinal++;
        assembly->waived++;
        return RF_OK;
    default:
        return rf_fail(err, RF_FATAL, "an event of type %u (%s), which is not known", type, name);
    }
}

/* An event of a transaction that is not handed over, whatever is in it: only its end counts. */
static enum rf_status take_unread(struct rf_assembly *assembly,
                                  const struct rf_binlog_header *header, struct rf_str body,
                                  struct rf_error *err)
{
    struct rf_binlog_query query;
    struct rf_statement statement;
    bool ends = false, prepares;
    enum rf_status status;
    assembly->ordinal++;
    assembly->waived += assembly->named;
    switch (header->type) {
    case RF_BINLOG_XID:
    case RF_BINLOG_XA_PREPARE: ends = true; break;
    case RF_BINLOG_TRANSACTION_PAYLOAD:
        rf_tables_change(&assembly->tables, RF_STR_NONE, RF_STR_NONE);
        ends = true;
        if (assembly->mode != RF_ASSEMBLY_ADVANCE) {
            break;
        }
        status = rf_assembly_mysql_prepares(assembly, body, &prepares, err);
        if (status != RF_OK || prepares) {
            assembly->drops = false; /* as with XA START below */
            assembly->ordinal--;
            return status != RF_OK ? status
                                   : rf_assembly_mysql_payload(assembly, header, body, err);
        }
        break;
    case RF_BINLOG_QUERY_COMPRESSED:
        rf_tables_change(&assembly->tables, RF_STR_NONE, RF_STR_NONE);
        ends = assembly->standalone; /* COMMIT never is compressed */
        break;
    case RF_BINLOG_QUERY:
        status = rf_binlog_query_parse(body, &query, err);
        if (status != RF_OK) {
            return status;
        }
        rf_arena_reset(&assembly->scratch, RF_ARENA_CHUNK);
        rf_statement_read(query.statement, &assembly->scratch, &statement);
        if (statement.kind == RF_STATEMENT_DDL || statement.kind == RF_STATEMENT_UNKNOWN) {
            rf_tables_change(&assembly->tables, query.database, query.statement);
        }
        if (assembly->mysql &&
            (statement.kind == RF_STATEMENT_BEGIN || statement.xa == RF_XA_START)) {
            assembly->standalone = false;
        }
        if (statement.xa == RF_XA_START && assembly->mode == RF_ASSEMBLY_ADVANCE) {
            assembly->drops = false; /* what becomes of the rows behind it, may lie ahead */
        } else if (statement.xa != RF_XA_OTHER) {
            rf_assembly_xa_drop(assembly, &statement);
        }
        ends = assembly->standalone || statement.kind == RF_STATEMENT_COMMIT ||
               statement.kind == RF_STATEMENT_ROLLBACK ||
               (statement.kind == RF_STATEMENT_XA && assembly->completes_xa);
        break;
    default: break;
    }
    return ends ? rf_assembly_end(assembly, header, err) : RF_OK;
}

static bool is_unread(const struct rf_assembly *assembly)
{
    return assembly->open && (assembly->drops || assembly->named);
}

/* An event of a transaction. */
static enum rf_status take_inside(struct rf_assembly *assembly,
                                  const struct rf_binlog_header *header, struct rf_str body,
                                  struct rf_error *err)
{
    if (!assembly->open) {
        rf_fail(err, RF_FATAL, "%s without a GTID in front of it",
                rf_binlog_type_name(header->type));
        rf_error_hint(err, "logs of MariaDB 10.0, MySQL 5.7 and later are read, from a "
                           "transaction's beginning on");
        return RF_FATAL;
    }
    enum rf_status status;
    struct rf_binlog_header plain;
    const struct rf_str whole = assembly->event;
    assembly->ordinal++;
    switch (header->type) {
    case RF_BINLOG_TABLE_MAP:
        status = rf_tables_map(&assembly->tables, assembly->pick, body, err);
        if (status == RF_AGAIN) {
            assembly->ordinal--; /* it comes again */
            return status;
        }
        break;
    case RF_BINLOG_QUERY_COMPRESSED:
        status = inflate(assembly, header, &plain, &body, err);
        if (status == RF_OK) {
            status = take_query(assembly, &plain, body, err);
        }
        assembly->event = whole;
        break;
    case RF_BINLOG_QUERY: status = take_query(assembly, header, body, err); break;
    case RF_BINLOG_XID:
        status = rf_binlog_xid_parse(body, &assembly->xid, err);
        assembly->has_xid = true;
        return status == RF_OK ? rf_assembly_end(assembly, header, err) : status;
    default: status = take_rows(assembly, header, body, err); break;
    }
    return __builtin_expect(status == RF_OK, 1) ? RF_OK : rf_assembly_stop(assembly, err);
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
    enum rf_status status;
    switch (header->type) {
    case RF_BINLOG_WRITE_ROWS_V1:
    case RF_BINLOG_UPDATE_ROWS_V1:
    case RF_BINLOG_DELETE_ROWS_V1:
    case RF_BINLOG_WRITE_ROWS_V2:
    case RF_BINLOG_UPDATE_ROWS_V2:
    case RF_BINLOG_DELETE_ROWS_V2:
    case RF_BINLOG_PARTIAL_UPDATE_ROWS:
    case RF_BINLOG_WRITE_ROWS_COMPRESSED_V1:
    case RF_BINLOG_UPDATE_ROWS_COMPRESSED_V1:
    case RF_BINLOG_DELETE_ROWS_COMPRESSED_V1:
    case RF_BINLOG_WRITE_ROWS_COMPRESSED_V2:
    case RF_BINLOG_UPDATE_ROWS_COMPRESSED_V2:
    case RF_BINLOG_DELETE_ROWS_COMPRESSED_V2:
    case RF_BINLOG_TABLE_MAP:
    case RF_BINLOG_QUERY:
    case RF_BINLOG_QUERY_COMPRESSED:
    case RF_BINLOG_XID:
        return is_unread(assembly) ? take_unread(assembly, header, body, err)
                                   : take_inside(assembly, header, body, err);
    case RF_BINLOG_GTID: return take_gtid(assembly, header, body, err);
    case RF_BINLOG_MYSQL_GTID:
    case RF_BINLOG_MYSQL_ANONYMOUS_GTID:
    case RF_BINLOG_MYSQL_GTID_TAGGED: return rf_assembly_mysql_gtid(assembly, header, body, err);
    case RF_BINLOG_MYSQL_PREVIOUS_GTIDS:
        return rf_assembly_mysql_previous(assembly, header, body, err);
    case RF_BINLOG_TRANSACTION_PAYLOAD:
        return is_unread(assembly) ? take_unread(assembly, header, body, err)
                                   : rf_assembly_mysql_payload(assembly, header, body, err);
    case RF_BINLOG_XA_PREPARE:
        return is_unread(assembly) ? take_unread(assembly, header, body, err)
                                   : rf_assembly_xa_prepare(assembly, header, body, err);
    case RF_BINLOG_GTID_LIST: return rf_assembly_list(assembly, header, body, err);
    case RF_BINLOG_ROTATE: return rf_assembly_rotate(assembly, body, err);
    case RF_BINLOG_INCIDENT:
        if (is_unread(assembly)) {
            return take_unread(assembly, header, body, err);
        }
        status = take_incident(assembly, body, err);
        return status == RF_OK || !assembly->open ? status : rf_assembly_stop(assembly, err);
    case RF_BINLOG_ANNOTATE_ROWS: take_sql(assembly, body); return RF_OK;
    case RF_BINLOG_ROWS_QUERY:
        /* MySQL's, which counts as an event that may be ignored does. One byte is in front. */
        assembly->ordinal++;
        take_sql(assembly,
                 (struct rf_str){body.data + (body.size > 0), body.size - (body.size > 0)});
        return RF_OK;
    case RF_BINLOG_STOP:
    case RF_BINLOG_CHECKPOINT:
    case RF_BINLOG_HEARTBEAT:
    case RF_BINLOG_HEARTBEAT_V2: return RF_OK;
    default:
        if (header->flags & RF_BINLOG_FLAG_IGNORABLE) {
            assembly->ordinal++;
            return RF_OK;
        }
        if (is_unread(assembly) && header->type != RF_BINLOG_START_ENCRYPTION) {
            return take_unread(assembly, header, body, err);
        }
        status = take_other(assembly, header->type, err);
        return status == RF_OK || !assembly->open ? status : rf_assembly_stop(assembly, err);
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

/* The bytes between header and checksum. */
static inline enum rf_status body_of(const struct rf_assembly *assembly,
                                     const struct rf_binlog_header *header, struct rf_str event,
                                     struct rf_str *body, struct rf_error *err)
{
    if (__builtin_expect(assembly->packed, 0)) {
        *body =
            (struct rf_str){event.data + RF_BINLOG_HEADER_SIZE, event.size - RF_BINLOG_HEADER_SIZE};
        return RF_OK;
    }
    return assembly->format.known ? rf_binlog_body(&assembly->format, header, event, body, err)
                                  : first_body(header, event, body, err);
}

enum rf_status rf_assembly_take(struct rf_assembly *assembly, struct rf_str event, uint64_t end,
                                struct rf_error *err)
{
    struct rf_binlog_header header;
    struct rf_str body;
    uint64_t offset = assembly->offset, next = assembly->next;
    rf_assert(!assembly->ready);
    assembly->event = event;
    if (!assembly->packed) {
        assembly->logged = event;
    }
    enum rf_status status = rf_binlog_header_parse(event, &header, err);
    if (status == RF_OK && !assembly->packed && header.type != RF_BINLOG_HEARTBEAT &&
        header.type != RF_BINLOG_HEARTBEAT_V2) {
        locate(assembly, &header, end);
    }
    if (status == RF_OK && header.type == RF_BINLOG_FORMAT_DESCRIPTION) {
        status = rf_assembly_describe(assembly, &header, event, err);
    } else if (status == RF_OK) {
        status = body_of(assembly, &header, event, &body, err);
        if (status == RF_OK) {
            status = dispatch(assembly, &header, body, err);
        }
    }
    if (__builtin_expect(status == RF_OK, 1)) {
        return RF_OK;
    }
    if (status == RF_AGAIN) {
        assembly->offset = offset;
        assembly->next = next;
        return RF_AGAIN;
    }
    return assembly->packed ? status : rf_assembly_wrap(assembly, err);
}
