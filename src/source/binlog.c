/* Source `binlog`: log files of a MariaDB or MySQL server, one or several, to their end or as they
 * grow.
 *
 * files.h says how they are read. A transaction that the last file does not finish is left out. A
 * place to begin is looked for from the top of its file, unless the position has it. */
#include "base/clock.h"
#include "source/definitions.h"

#include <rowferry/source.h>

enum {
    OPEN_MS = 10 * 1000,
    CURRENT_MS = 1000, /* how often it is said that nothing more is there */
};

enum names { LOGGED, NUMBERED };
enum folding { UNKNOWN, OFF, STORED_FOLDED, COMPARED_FOLDED }; /* as the choices below */

struct state {
    const char *path;
    struct rf_list tables, skip;
    int32_t folding; /* enum folding */
    bool follow;
    bool queries;
    int32_t names; /* enum names */
    const char *schema;
    int32_t invalid; /* enum rf_invalid */

    struct rf_pick pick;
    struct rf_pick loose; /* folded, as long as nobody says how names are compared */
    struct rf_skips skips;
    struct rf_assembly assembly;
    struct rf_files files;
    struct rf_definitions definitions;
    int64_t current_ms; /* when to say again that nothing more is there */
};

static const struct rf_option options[] = {
    {"path", RF_OPTION_TEXT, offsetof(struct state, path), NULL, NULL,
     "a log file; several by number: bin.000001..000007, or bin.000001.. for all from there; or "
     "the "
     "server's index: bin.index",
     true},
    {"follow", RF_OPTION_BOOL, offsetof(struct state, follow), "off", NULL,
     "go on when the last file grows, and with the files that come behind it", false},
    {"tables", RF_OPTION_LIST, offsetof(struct state, tables), NULL, NULL,
     "database.table patterns with *, a leading - leaves out; none: all tables", false},
    {"names", RF_OPTION_CHOICE, offsetof(struct state, names), "log", "log|@1..",
     "where columns have no names in the log (binlog_row_metadata=MINIMAL): @1.. numbers them; "
     "such "
     "tables have no key, and ENUM and SET are their numbers",
     false},
    {"schema", RF_OPTION_TEXT, offsetof(struct state, schema), NULL, NULL,
     "file of the tables' definitions, for logs without names and for columns of UUID, INET4 and "
     "INET6: what mariadb-dump --no-data prints",
     false},
    {"invalid", RF_OPTION_CHOICE, offsetof(struct state, invalid), "mark", RF_INVALID_CHOICES,
     RF_INVALID_HELP, false},
    {"skip", RF_OPTION_LIST, offsetof(struct state, skip), NULL, NULL, RF_SKIPS_HELP, false},
    {"queries", RF_OPTION_BOOL, offsetof(struct state, queries), "off", NULL,
     "rows bring along the statement that changed them, where the log has it, for formats that "
     "repeat it",
     false},
    {"lower_case_table_names", RF_OPTION_CHOICE, offsetof(struct state, folding), "unknown",
     "unknown|0|1|2",
     "how the server compares names, as its variable of this name says; a file does not say it",
     false},
    RF_OPTION_END,
};

/* ---- Opening ------------------------------------------------------------------------------- */

static enum rf_status add_patterns(struct state *state, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < state->tables.count && status == RF_OK; i++) {
        status = rf_pick_add(&state->pick, rf_str_of(state->tables.items[i]), err);
        if (status == RF_OK) {
            status = rf_pick_add(&state->loose, rf_str_of(state->tables.items[i]), err);
        }
    }
    rf_pick_fold(&state->loose);
    if (state->folding == UNKNOWN) {
        state->assembly.loose = &state->loose;
    } else if (state->folding != OFF) {
        rf_pick_fold(&state->pick);
    }
    return status;
}

static void stand_at_top(struct state *state)
{
    struct rf_position *position = &state->assembly.position;
    rf_buf_set(&position->file, state->files.file.name);
    position->end = RF_BINLOG_MAGIC_SIZE;
    position->server_id = state->assembly.server_id;
    position->created = state->files.created;
    /* Nothing before it has a GTID: perhaps nothing behind it has one, either. */
    position->by_place = position->gtids.mysql && rf_gtids_empty(&position->gtids);
}

/* rf_definer.define */
static enum rf_status number_columns(void *self, const struct rf_binlog_table *table,
                                     enum rf_table_lack lack, bool changed,
                                     const struct rf_definition **definition, struct rf_error *err)
{
    (void)self;
    (void)table;
    (void)lack;
    (void)changed;
    (void)err;
    *definition = NULL;
    return RF_OK;
}

static enum rf_status prepare_names(struct state *state, struct rf_error *err)
{
    static const struct rf_definer numbering = {.define = number_columns};
    if (state->schema != NULL && state->names == NUMBERED) {
        return rf_fail(err, RF_CONFIG, "schema and names=@1.. make no sense together");
    }
    if (state->schema != NULL) {
        state->assembly.tables.definer = &state->definitions.definer;
        return rf_definitions_read(&state->definitions, state->schema, &state->files, err);
    }
    state->assembly.tables.definer = state->names == NUMBERED ? &numbering : NULL;
    return RF_OK;
}

static enum rf_status begin_at_top(struct state *state, uint32_t at, int64_t deadline_ms,
                                   struct rf_error *err)
{
    state->assembly.adopts_list = true;
    enum rf_status status = rf_files_open(&state->files, at, err);
    if (status == RF_OK) {
        status = rf_files_head(&state->files, deadline_ms, err);
    }
    if (status == RF_OK) {
        stand_at_top(state);
    }
    return status;
}

/* From the top to a place that a person named, so that the GTIDs before it are known. */
static enum rf_status begin_at(struct state *state, const struct rf_position *place,
                               int64_t deadline_ms, struct rf_error *err)
{
    int64_t at = rf_index_find(&state->files.index, rf_buf_str(&place->file));
    if (at < 0) {
        return rf_fail(err, RF_CONFIG, "%s is not the file %.*s, nor is it among its files",
                       state->path, RF_STR_ARG(rf_buf_str(&place->file)));
    }
    enum rf_status status = begin_at_top(state, (uint32_t)at, deadline_ms, err);
    if (status != RF_OK || place->end <= rf_log_file_offset(&state->files.file)) {
        return status;
    }
    state->assembly.mode = RF_ASSEMBLY_ADVANCE;
    status = rf_files_read_on(&state->files, place->end, deadline_ms, err);
    state->assembly.mode = RF_ASSEMBLY_TAKE;
    return status;
}

/* The end of what there is; without follow a log has no "now": what is in it lies ahead. */
static enum rf_status begin_now(struct state *state, int64_t deadline_ms, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    enum rf_status status = begin_at_top(state, state->files.index.count - 1, deadline_ms, err);
    assembly->mode = RF_ASSEMBLY_ADVANCE;
    while (status == RF_OK) {
        struct rf_str event;
        uint64_t end = 0;
        if (atomic_load(&state->files.file.interrupted)) {
            return rf_fail(err, RF_RETRY, "%s: interrupted", state->files.file.path);
        }
        status = rf_files_find(&state->files, assembly->open ? deadline_ms : 0, &event, &end, err);
        if (status == RF_OK) {
            status = rf_assembly_take(assembly, event, end, err);
        }
    }
    assembly->mode = RF_ASSEMBLY_TAKE;
    return status == RF_AGAIN && !assembly->open ? RF_OK : status;
}

/* The rows of what the position lists as prepared, each from where it lies. */
static enum rf_status collect(struct state *state, int64_t deadline_ms, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    const struct rf_prepared *prepared;
    enum rf_status status = RF_OK;
    uint32_t number = 0;
    while (status == RF_OK && (prepared = rf_assembly_awaited(assembly, number, &number)) != NULL) {
        int64_t at = rf_index_find(&state->files.index, rf_buf_str(&prepared->file));
        uint64_t start = prepared->start;
        uint32_t before = assembly->held.count;
        if (at < 0) {
            rf_buf_reset(&assembly->text);
            rf_prepared_name(&assembly->text, prepared);
            rf_fail(err, RF_FATAL,
                    "%s: the rows of the XA transaction that %s has prepared are needed, and their "
                    "file %.*s is not there",
                    state->path, rf_buf_cstr(&assembly->text),
                    RF_STR_ARG(rf_buf_str(&prepared->file)));
            rf_error_hint(
                err,
                "bring the file back; or take a new snapshot of the tables and set a "
                "new position; or, when its rows are not wanted, leave it out: skip=%s in "
                "the source's options",
                rf_buf_cstr(&assembly->text));
            return RF_FATAL;
        }
        assembly->mode = RF_ASSEMBLY_COLLECT;
        status = rf_files_open(&state->files, (uint32_t)at, err);
        if (status == RF_OK) {
            status = rf_files_head(&state->files, deadline_ms, err);
        }
        if (status == RF_OK) {
            status = rf_log_file_seek(&state->files.file, start, err);
        }
        assembly->next = start;
        while (status == RF_OK && assembly->held.count == before) {
            status = rf_files_step(&state->files, deadline_ms, err);
        }
        assembly->mode = RF_ASSEMBLY_TAKE;
    }
    return status;
}

/* Whether rows that are to be read again lie in front of the file in hand. */
static bool has_prepared(const struct state *state, const struct rf_prepared_list *prepared)
{
    const struct rf_gtids *gtids = &state->assembly.position.gtids;
    bool has = false;
    for (uint32_t i = 0; i < prepared->count; i++) {
        has |= !rf_assembly_xa_is_empty(&state->assembly, &prepared->items[i]) &&
               rf_gtids_has(gtids, &prepared->items[i].txid);
    }
    return has;
}

/* The last file that has nothing of what lies behind the GTIDs before it, and all rows of what is
 * prepared: the first one, when that cannot be said. */
static enum rf_status find_by_gtids(struct state *state, const struct rf_position *position,
                                    int64_t deadline_ms, uint32_t *at, struct rf_error *err)
{
    const struct rf_gtids *gtids = &position->gtids;
    for (*at = state->files.index.count - 1; *at > 0; --*at) {
        enum rf_status status = begin_at_top(state, *at, deadline_ms, err);
        bool inside = rf_gtids_contain(gtids, &state->assembly.position.gtids) &&
                      !has_prepared(state, &position->prepared);
        bool listed = !state->assembly.adopts_list;
        rf_assembly_deinit(&state->assembly);
        if (status != RF_OK || (listed && inside)) {
            return status;
        }
    }
    return RF_OK;
}

/* Other files of the same log, or a pipe: the GTIDs say what of it is new. */
static enum rf_status skip_seen(struct state *state, const struct rf_position *position,
                                int64_t deadline_ms, struct rf_error *err)
{
    uint32_t at;
    enum rf_status status = find_by_gtids(state, position, deadline_ms, &at, err);
    if (status == RF_OK) {
        status = rf_files_open(&state->files, at, err);
    }
    rf_position_copy(&state->assembly.position, position);
    state->assembly.position.by_gtid = true;
    state->assembly.mode = RF_ASSEMBLY_SKIP;
    return status == RF_OK ? rf_files_head(&state->files, deadline_ms, err) : status;
}

/* Behind a position of a file that is there: its last transaction is read again and compared. Where
 * the GTIDs say what was read, the file is read from its top then. */
static enum rf_status resume(struct state *state, uint32_t at, const struct rf_position *position,
                             int64_t deadline_ms, struct rf_error *err)
{
    struct rf_assembly *assembly = &state->assembly;
    uint64_t offset = position->has_last ? position->start : position->end;
    if (position->by_gtid && !position->has_last) {
        return skip_seen(state, position, deadline_ms, err);
    }
    rf_position_copy(&assembly->position, position);
    enum rf_status status = rf_files_open(&state->files, at, err);
    if (status == RF_OK && state->files.file.regular && position->prepared.count > 0) {
        status = collect(state, deadline_ms, err);
        if (status == RF_OK) {
            status = rf_files_open(&state->files, at, err);
        }
    }
    assembly->must_created = position->created;
    if (status == RF_OK && !state->files.file.regular) {
        assembly->mode = RF_ASSEMBLY_SKIP; /* a pipe, in which there is no going anywhere */
        assembly->must_created = 0;
        return rf_files_head(&state->files, deadline_ms, err);
    }
    if (status == RF_OK) {
        status = rf_files_head(&state->files, deadline_ms, err);
    }
    bool at_top = !position->has_last && offset <= rf_log_file_offset(&state->files.file);
    if (status != RF_OK || at_top) {
        return status;
    }
    status = rf_log_file_seek(&state->files.file, offset, err);
    assembly->next = offset;
    if (status != RF_OK || !position->has_last) {
        return status;
    }
    assembly->mode = RF_ASSEMBLY_VERIFY;
    rf_position_copy(&assembly->expected, position);
    status = rf_files_read_on(&state->files, position->end, deadline_ms, err);
    if (status == RF_OK && position->by_gtid) {
        rf_assembly_deinit(assembly);
        status = skip_seen(state, position, deadline_ms, err);
    }
    return status;
}

/* The position's file is not among ours. It may have been deleted when all of it was read. */
static enum rf_status resume_behind(struct state *state, const struct rf_position *position,
                                    int64_t deadline_ms, struct rf_error *err)
{
    struct rf_str file = rf_buf_str(&position->file), base, newest;
    uint64_t number = 0, last = 0;
    newest = rf_index_name(state->files.index.files[state->files.index.count - 1]);
    if (state->files.index.several && rf_index_related(file, newest) &&
        rf_index_number(file, &base, &number) && rf_index_number(newest, &base, &last) &&
        number > last) {
        rf_fail(err, RF_FATAL,
                "%s: the log went back: the position is in %.*s, the last file is %s", state->path,
                RF_STR_ARG(file), newest.data);
        return rf_assembly_mismatch(err);
    }
    if (position->by_place) {
        rf_fail(
            err, RF_FATAL,
            "%s: the position is in %.*s, which is not there, and its transactions have no GTIDs "
            "by which to find it in other files",
            state->path, RF_STR_ARG(file));
        return rf_assembly_mismatch(err);
    }
    enum rf_status status = skip_seen(state, position, deadline_ms, err);
    if (status == RF_FATAL && state->files.index.several && file.size > 0) {
        rf_error_wrap(err, "%s: the position is in %.*s, which is not there any more", state->path,
                      RF_STR_ARG(file));
        rf_error_hint(err,
                      "files that were still needed have been deleted: bring them back, or take "
                      "a new snapshot of the tables and set a new position");
    }
    return status;
}

static enum rf_status begin(struct state *state, const struct rf_start *start, int64_t deadline_ms,
                            struct rf_error *err)
{
    const struct rf_position *position = &start->position;
    int64_t at;
    switch (start->kind) {
    case RF_START_PLACE: return begin_at(state, position, deadline_ms, err);
    case RF_START_GTIDS: return skip_seen(state, position, deadline_ms, err);
    case RF_START_POSITION:
        at = rf_index_find(&state->files.index, rf_buf_str(&position->file));
        return at >= 0 && strcmp(state->path, "-") != 0
                   ? resume(state, (uint32_t)at, position, deadline_ms, err)
                   : resume_behind(state, position, deadline_ms, err);
    case RF_START_NOW:
        if (state->follow) {
            return begin_now(state, deadline_ms, err);
        }
        break;
    case RF_START_EARLIEST: break;
    }
    return begin_at_top(state, 0, deadline_ms, err);
}

static enum rf_status binlog_open(void *memory, const struct rf_context *ctx,
                                  struct rf_buf *position, struct rf_error *err)
{
    struct state *state = memory;
    struct rf_start start = {0};
    int64_t deadline_ms =
        rf_clock_ms() + (ctx->connect_timeout_ms > 0 ? ctx->connect_timeout_ms : OPEN_MS);
    struct rf_str from = position->size > 0 ? rf_buf_str(position) : ctx->from;
    state->assembly.pick = &state->pick;
    state->assembly.skips = &state->skips;
    state->assembly.keeps_sql = state->queries;
    state->assembly.records.strict = state->invalid == RF_INVALID_STOP;
    state->assembly.records.spill.directory = ctx->spill_directory;
    state->assembly.records.lacking = !ctx->whole;
    state->files.assembly = &state->assembly;
    state->files.follow = state->follow;
    enum rf_status status = rf_start_parse(&start, from.size > 0 ? from : RF_STR("earliest"), err);
    if (status == RF_OK) {
        status = rf_skips_read(&state->skips, &state->skip, err);
    }
    if (status == RF_OK) {
        status = add_patterns(state, err);
    }
    if (status == RF_OK) {
        status = prepare_names(state, err);
    }
    if (status == RF_OK) {
        status = rf_index_read(&state->files.index, state->path, err);
    }
    if (status == RF_OK) {
        status = begin(state, &start, deadline_ms, err);
    }
    if (state->files.foreign && start.kind != RF_START_POSITION) {
        status = RF_CONFIG; /* the wrong file was named; nothing of it was ever read */
        if (err != NULL) {
            err->status = status;
        }
    }
    if (status == RF_AGAIN) {
        status = rf_fail(err, RF_RETRY, "%s: nothing came", state->path);
        err->connect = true;
    }
    if (status == RF_OK) {
        rf_buf_reset(position);
        rf_position_print(position, &state->assembly.position);
    }
    rf_position_deinit(&start.position);
    return status;
}

/* ---- The plugin ---------------------------------------------------------------------------- */

static enum rf_status binlog_read(void *memory, struct rf_batch *batch, int64_t deadline_ms,
                                  struct rf_error *err)
{
    struct state *state = memory;
    if (atomic_load(&state->files.file.interrupted)) {
        return rf_fail(err, RF_RETRY, "%s: interrupted", state->path);
    }
    enum rf_status status =
        rf_assembly_fill(&state->assembly, batch, deadline_ms, rf_files_find, &state->files, err);
    int64_t now_ms = rf_clock_ms();
    bool nothing = state->files.at_end && !state->assembly.open && !state->assembly.ready;
    if (nothing && (status == RF_OK || (status == RF_AGAIN && now_ms >= state->current_ms))) {
        state->current_ms = now_ms + CURRENT_MS;
        batch->current = true;
        status = RF_OK;
    } else if (!nothing) {
        state->current_ms = 0;
    }
    return status;
}

static void binlog_close(void *memory)
{
    struct state *state = memory;
    rf_assembly_deinit(&state->assembly);
    rf_pick_deinit(&state->pick);
    rf_pick_deinit(&state->loose);
    rf_skips_deinit(&state->skips);
    rf_definitions_deinit(&state->definitions);
    rf_files_deinit(&state->files);
}

static void binlog_interrupt(void *memory)
{
    struct state *state = memory;
    atomic_store(&state->files.file.interrupted, true);
}

const struct rf_source_type rf_source_binlog = {
    .name = "binlog",
    .summary = "log files of a MariaDB or MySQL server, to their end or as they grow",
    .example = "binlog:/var/lib/mysql/mysql-bin.000042",
    .state_size = sizeof(struct state),
    .options = options,
    .open = binlog_open,
    .read = binlog_read,
    .close = binlog_close,
    .interrupt = binlog_interrupt,
    .contains = rf_position_contains,
    .check_from = rf_start_check,
};
