/* The partition of the position, in the table rowferry_positions of the keyspace, by pipeline and
 * sink:
 *
 *     position   the source's position behind the last flush
 *     stamp      of the last event before it
 *     picks      what the context's picks were
 *     seamed     true once other events than the next ones of the log came: what was written then
 *                need not be there, and what was removed need not be gone
 *     epoch      of the start that holds it
 *     owner      drawn by whoever opened it last
 *     updated    when that was
 *
 * once, and for each table there that this sink fills
 *
 *     target                       its name there
 *     source_database, source_table, folds, lift
 *
 * Everything is written by conditions on the owner, as lightweight transactions: a write does
 * nothing once another start, or a later connection of our own, has taken the partition. Rows do
 * not need that: they carry stamps which the log and this partition determine, so that two who
 * write the same rows write the same, whoever is later. Before rows are written the owner is looked
 * at all the same, so that who is replaced stops. A position that is written by time-stamp alone
 * would be cheaper, but its writer would not learn that it is not the newest.
 *
 * A position is written when all rows before it were confirmed. What a node loses in a crash of its
 * own is the end of its log, and with it first the position; what a cluster keeps is a matter of
 * replication and consistency, for rows and position alike. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "sink/cassandra_sink.h"
#include "sink/place.h"

#include <rowferry/log.h>

enum { TAKE_VALUES = 8, NUMBER = 8 };

/* What was read. */
struct place {
    bool found;
    struct rf_buf position, owner;
    uint64_t stamp, picks, epoch;
    bool seamed, has_picks;
};

/* --------------------------------------------------------------------------------------- values */

static struct rf_str put_number(char *bytes, uint64_t number)
{
    uint64_t big = htobe64(number);
    memcpy(bytes, &big, sizeof big);
    return (struct rf_str){bytes, sizeof big};
}

static uint64_t get_number(struct rf_str bytes)
{
    struct rf_cursor cursor = rf_cursor_of(bytes);
    return bytes.size == NUMBER ? rf_cql_number(&cursor, NUMBER, "number") : 0;
}

static struct rf_str now(char *bytes)
{
    return put_number(bytes, (uint64_t)(rf_clock_wall_us() / 1000));
}

/* The position is confirmed by a quorum, whatever the rows are. */
static enum rf_cql_consistency quorum(const struct rf_cassandra_sink *sink)
{
    switch ((enum rf_cql_consistency)sink->cluster.consistency) {
    case RF_CQL_QUORUM:
    case RF_CQL_ALL:
    case RF_CQL_EACH_QUORUM: return RF_CQL_QUORUM;
    default: return RF_CQL_LOCAL_QUORUM;
    }
}

/* Carries out sink->statement, which has a condition. *applied: it held. */
static enum rf_status ask_if(struct rf_cassandra_sink *sink, const struct rf_str *values,
                             uint16_t count, bool *applied, struct rf_error *err)
{
    struct rf_cql_result result;
    struct rf_str row[16];
    *applied = false;
    enum rf_status status = rf_cassandra_ask(sink, quorum(sink), values, count, &result, err);
    if (status == RF_OK &&
        (result.kind != RF_CQL_ROWS || result.row_count == 0 || result.columns.count == 0 ||
         result.columns.count > sizeof row / sizeof *row)) {
        status = rf_fail(err, RF_RETRY, "Cassandra does not say whether a condition held");
    }
    if (status == RF_OK) {
        status = rf_cql_result_row(&result, row, err);
    }
    if (status == RF_OK) {
        *applied = row[0].size == 1 && row[0].data[0] != 0;
    }
    return status;
}

/* ------------------------------------------------------------------------------------- keyspace */

static enum rf_status exists(struct rf_cassandra_sink *sink, const char *question, bool *found,
                             struct rf_error *err)
{
    struct rf_str values[] = {rf_buf_str(&sink->keyspace), RF_STR(RF_CASSANDRA_POSITIONS)};
    struct rf_cql_result result;
    rf_buf_set(&sink->statement, rf_str_of(question));
    uint16_t count = strstr(question, "table_name") != NULL ? 2 : 1;
    enum rf_status status = rf_cassandra_ask(sink, RF_CQL_ONE, values, count, &result, err);
    *found = status == RF_OK && result.row_count > 0;
    return status;
}

/* A number is that of copies in our datacenter; else it is what CQL wants. */
static enum rf_status add_replication(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    uint64_t copies = 0;
    struct rf_buf *out = &sink->statement;
    if (sink->replication[0] == '{') {
        rf_buf_add_str(out, rf_str_of(sink->replication));
        return RF_OK;
    }
    if (!rf_str_to_u64(rf_str_of(sink->replication), &copies) || copies == 0 || copies > 100) {
        rf_fail(err, RF_CONFIG, "replication '%s' is neither a number of copies nor a map",
                sink->replication);
        rf_error_hint(err, "such as replication=3, or {'class': 'NetworkTopologyStrategy', 'dc1': "
                           "3}");
        return RF_CONFIG;
    }
    rf_buf_printf(out, "{'class': 'NetworkTopologyStrategy', '%s': %llu}", sink->cluster.datacenter,
                  (unsigned long long)copies);
    return RF_OK;
}

static enum rf_status make_keyspace(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    rf_buf_set(&sink->statement, RF_STR("CREATE KEYSPACE IF NOT EXISTS "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement, RF_STR(" WITH replication = "));
    enum rf_status status = add_replication(sink, err);
    if (status == RF_OK) {
        status = rf_cassandra_alter(sink, err);
        if (status == RF_CONFIG) {
            rf_error_wrap(err, "there is no keyspace %.*s, and it could not be made",
                          RF_STR_ARG(rf_buf_str(&sink->keyspace)));
            rf_error_hint(err,
                          "make it yourself, with the replication that you want, or let us: "
                          "%.300s",
                          rf_buf_cstr(&sink->statement));
        }
    }
    if (status == RF_OK) {
        rf_log(RF_LOG_WARN, "made the keyspace %.*s with replication=%s",
               RF_STR_ARG(rf_buf_str(&sink->keyspace)), sink->replication);
    }
    return status;
}

static enum rf_status make_table(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    rf_buf_set(&sink->statement, RF_STR("CREATE TABLE IF NOT EXISTS "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement,
                   RF_STR("." RF_CASSANDRA_POSITIONS
                          " (pipeline text, sink text, target text, position text static, stamp "
                          "bigint static, picks bigint static, seamed boolean static, epoch bigint "
                          "static, owner text static, updated timestamp static, source_database "
                          "text, source_table text, folds boolean, lift bigint, PRIMARY KEY "
                          "((pipeline, sink), target))"));
    enum rf_status status = rf_cassandra_alter(sink, err);
    if (status == RF_CONFIG) {
        rf_error_wrap(err, "could not make the table of positions");
        rf_error_hint(err, "grant it: GRANT ALL ON KEYSPACE %.*s TO %s",
                      RF_STR_ARG(rf_buf_str(&sink->keyspace)),
                      sink->user != NULL && sink->user[0] ? sink->user : "ROLE");
    }
    return status;
}

/* -------------------------------------------------------------------------------------- reading */

enum {
    C_POSITION,
    C_STAMP,
    C_PICKS,
    C_SEAMED,
    C_EPOCH,
    C_OWNER,
    C_TARGET,
    C_DATABASE,
    C_TABLE,
    C_FOLDS,
    C_LIFT,
    C_COUNT,
};

/* A record of before; when the template was another one then, it is of no use now. */
static enum rf_status take_record(struct rf_cassandra_sink *sink, const struct rf_str *row,
                                  struct rf_error *err)
{
    struct rf_cassandra_table *table = NULL;
    if (row[C_TARGET].data == NULL) {
        return RF_OK; /* no table is recorded yet */
    }
    enum rf_status status =
        rf_cassandra_table_get(sink, row[C_DATABASE], row[C_TABLE], &table, err);
    if (status == RF_OK && rf_str_equal(row[C_TARGET], rf_buf_str(&table->target))) {
        table->recorded = true;
        table->recorded_folds = row[C_FOLDS].size == 1 && row[C_FOLDS].data[0] != 0;
        table->lift = get_number(row[C_LIFT]);
    }
    return status;
}

static enum rf_status read_place(struct rf_cassandra_sink *sink, struct place *place,
                                 struct rf_error *err)
{
    struct rf_str values[] = {rf_str_of(sink->pipeline), rf_str_of(sink->instance)};
    struct rf_cql_result result;
    rf_buf_set(&sink->statement,
               RF_STR("SELECT position, stamp, picks, seamed, epoch, owner, target, "
                      "source_database, source_table, folds, lift FROM "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement,
                   RF_STR("." RF_CASSANDRA_POSITIONS " WHERE pipeline = ? AND sink = ?"));
    /* What another has begun to write is completed by this reading, or will never be. */
    enum rf_status status =
        rf_cassandra_ask(sink, quorum(sink) == RF_CQL_QUORUM ? RF_CQL_SERIAL : RF_CQL_LOCAL_SERIAL,
                         values, 2, &result, err);
    if (status == RF_OK && result.columns.count != C_COUNT) {
        status = rf_fail(err, RF_RETRY, "Cassandra gave other columns of the position");
    }
    for (uint32_t i = 0; status == RF_OK && i < result.row_count; i++) {
        struct rf_str row[C_COUNT];
        status = rf_cql_result_row(&result, row, err);
        if (status == RF_OK && i == 0) {
            place->found = true;
            rf_buf_set(&place->position, row[C_POSITION]);
            rf_buf_set(&place->owner, row[C_OWNER]);
            place->stamp = get_number(row[C_STAMP]);
            place->has_picks = row[C_PICKS].size == NUMBER;
            place->picks = get_number(row[C_PICKS]);
            place->epoch = get_number(row[C_EPOCH]);
            place->seamed = row[C_SEAMED].size == 1 && row[C_SEAMED].data[0] != 0;
        }
        if (status == RF_OK) {
            status = take_record(sink, row, err);
        }
    }
    return status;
}

static enum rf_status check_place(const struct rf_cassandra_sink *sink, const struct place *place,
                                  const struct rf_context *ctx, struct rf_error *err)
{
    struct rf_buf where = {0};
    rf_buf_printf(&where, "the keyspace %s", sink->keyspace.data);
    enum rf_status status =
        rf_place_check_epoch(ctx, place->epoch, rf_buf_cstr(&where), "Cassandra", err);
    if (status == RF_OK) {
        rf_buf_add_str(&where, RF_STR(" of Cassandra"));
        status =
            rf_place_check_position(ctx, rf_buf_str(&place->position), rf_buf_cstr(&where), err);
    }
    rf_buf_deinit(&where);
    return status;
}

/* --------------------------------------------------------------------------------------- taking */

static enum rf_status draw_owner(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    unsigned char random[RF_CASSANDRA_OWNER_SIZE / 2];
    enum rf_status status = rf_random_hex(random, sizeof random, sink->owner, err);
    if (status == RF_OK) {
        memcpy(&sink->window.seed, random, sizeof sink->window.seed);
    }
    return status;
}

/* Where the stamps go on. When other events come than those that they were made of, all that come
 * are newer than everything that was written. */
static enum rf_status set_stamp(struct rf_cassandra_sink *sink, const struct place *place,
                                const struct rf_context *ctx, struct rf_error *err)
{
    bool lost = ctx->adopt && place->position.size == 0;
    bool changed = place->has_picks && place->picks != ctx->picks;
    sink->stamp = place->stamp;
    sink->seamed = place->seamed || changed || lost || ctx->ordered;
    if (lost && (uint64_t)rf_clock_wall_us() > sink->stamp) {
        sink->stamp = (uint64_t)rf_clock_wall_us();
    }
    if (changed || lost || (ctx->ordered && place->found)) {
        sink->stamp += RF_STAMP_GAP;
    }
    if (sink->stamp > INT64_MAX / 2) {
        return rf_fail(err, RF_FATAL, "the stamp %llu beside the position is none of ours",
                       (unsigned long long)sink->stamp);
    }
    sink->stamp_whole = sink->stamp;
    return RF_OK;
}

/* Only what was read is taken: whoever changed it meanwhile is not overwritten. */
static enum rf_status take(struct rf_cassandra_sink *sink, const struct place *place,
                           struct rf_error *err)
{
    char epoch[NUMBER], stamp[NUMBER], picks[NUMBER], updated[NUMBER];
    char seamed = (char)sink->seamed;
    bool applied = false;
    struct rf_str owner = place->owner.size > 0 ? rf_buf_str(&place->owner) : RF_STR_NONE;
    struct rf_str values[TAKE_VALUES + 1] = {put_number(epoch, sink->epoch),
                                             rf_str_of(sink->owner),
                                             put_number(stamp, sink->stamp),
                                             put_number(picks, sink->picks),
                                             {&seamed, 1},
                                             now(updated),
                                             rf_str_of(sink->pipeline),
                                             rf_str_of(sink->instance),
                                             owner};
    rf_buf_set(&sink->statement, RF_STR("UPDATE "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement,
                   RF_STR("." RF_CASSANDRA_POSITIONS
                          " SET epoch = ?, owner = ?, stamp = ?, picks = ?, seamed = ?, updated = "
                          "? WHERE pipeline = ? AND sink = ? IF owner = ?"));
    enum rf_status status = ask_if(sink, values, TAKE_VALUES + 1, &applied, err);
    if (status == RF_OK && !applied) {
        status = rf_fail(err, RF_RETRY,
                         "another process opened pipeline %s in the keyspace %s in "
                         "the same moment",
                         sink->pipeline, rf_buf_cstr(&sink->keyspace));
    }
    return status;
}

enum rf_status rf_cassandra_place_take(struct rf_cassandra_sink *sink, const struct rf_context *ctx,
                                       struct rf_error *err)
{
    struct place place = {0};
    bool keyspace = false, table = false;
    enum rf_status status =
        exists(sink, "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?",
               &keyspace, err);
    if (status == RF_OK && keyspace) {
        status = exists(sink,
                        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? "
                        "AND table_name = ?",
                        &table, err);
    }
    if (status == RF_OK && table) {
        status = read_place(sink, &place, err);
    }
    /* Nothing is made before it is clear that this is where we have been. */
    if (status == RF_OK) {
        status = check_place(sink, &place, ctx, err);
    }
    if (status == RF_OK && !keyspace) {
        status = make_keyspace(sink, err);
    }
    if (status == RF_OK && !table) {
        status = make_table(sink, err);
    }
    if (status == RF_OK) {
        status = draw_owner(sink, err);
    }
    if (status == RF_OK) {
        status = set_stamp(sink, &place, ctx, err);
    }
    if (status == RF_OK) {
        status = take(sink, &place, err);
    }
    if (status == RF_OK && !ctx->ordered) {
        rf_buf_set(&sink->position, rf_buf_str(&place.position));
    }
    rf_buf_deinit(&place.position);
    rf_buf_deinit(&place.owner);
    return status;
}

/* -------------------------------------------------------------------------------------- writing */

enum rf_status rf_cassandra_place_look(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    struct rf_str values[] = {rf_str_of(sink->pipeline), rf_str_of(sink->instance)}, row[2];
    struct rf_cql_result result;
    rf_buf_set(&sink->statement, RF_STR("SELECT owner, position FROM "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement,
                   RF_STR("." RF_CASSANDRA_POSITIONS " WHERE pipeline = ? AND sink = ? LIMIT 1"));
    enum rf_status status = rf_cassandra_ask(sink, quorum(sink), values, 2, &result, err);
    if (status == RF_OK && result.columns.count != 2) {
        status = rf_fail(err, RF_RETRY, "Cassandra gave other columns of the position");
    }
    if (status == RF_OK && result.row_count > 0) {
        status = rf_cql_result_row(&result, row, err);
    }
    bool ours =
        status == RF_OK && result.row_count > 0 && rf_str_equal(row[0], rf_str_of(sink->owner));
    if (ours && sink->position.size > 0 && !rf_str_equal(row[1], rf_buf_str(&sink->position))) {
        status = rf_fail(err, RF_RETRY,
                         "the keyspace %s has another position than the one that was written: its "
                         "nodes lost their last moments",
                         rf_buf_cstr(&sink->keyspace));
    }
    if (status != RF_OK || ours) {
        return status;
    }
    if (result.row_count > 0) {
        rf_fail(err, RF_FATAL, "another process has taken over this pipeline in the keyspace %s",
                rf_buf_cstr(&sink->keyspace));
        rf_error_hint(err, "give each pipeline a --name of its own");
    } else {
        rf_fail(err, RF_FATAL,
                "the position has vanished from the keyspace %s: its data were lost, or removed",
                rf_buf_cstr(&sink->keyspace));
        rf_error_hint(err, "docs/delivery.md says what to do about a destination that lost its "
                           "data");
    }
    return RF_FATAL;
}

/* A condition did not hold: the partition is not as we left it. */
static enum rf_status replaced(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    enum rf_status status = rf_cassandra_place_look(sink, err);
    /* It is ours again by now, which it never was. */
    return status == RF_OK ? rf_fail(err, RF_RETRY, "the owner of the position is ours and is not")
                           : status;
}

/* Ends sink->statement with the condition, and carries it out; the values for that are the last
 * three. */
static enum rf_status write_ours(struct rf_cassandra_sink *sink, struct rf_str *values,
                                 uint16_t count, struct rf_error *err)
{
    bool applied = false;
    values[count] = rf_str_of(sink->pipeline);
    values[count + 1] = rf_str_of(sink->instance);
    values[count + 2] = rf_str_of(sink->owner);
    rf_buf_add_str(&sink->statement, RF_STR(" WHERE pipeline = ? AND sink = ? IF owner = ?"));
    enum rf_status status = ask_if(sink, values, (uint16_t)(count + 3), &applied, err);
    return status == RF_OK && !applied ? replaced(sink, err) : status;
}

static void begin_update(struct rf_cassandra_sink *sink, const char *what)
{
    rf_buf_set(&sink->statement, RF_STR("UPDATE "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement, RF_STR("." RF_CASSANDRA_POSITIONS " SET "));
    rf_buf_add_str(&sink->statement, rf_str_of(what));
}

enum rf_status rf_cassandra_place_check(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    char updated[NUMBER];
    struct rf_str values[4] = {now(updated)};
    begin_update(sink, "updated = ?");
    return write_ours(sink, values, 1, err);
}

enum rf_status rf_cassandra_place_write(struct rf_cassandra_sink *sink, struct rf_str position,
                                        struct rf_error *err)
{
    char updated[NUMBER], stamp[NUMBER];
    struct rf_str values[6] = {position, put_number(stamp, sink->stamp_whole), now(updated)};
    begin_update(sink, "position = ?, stamp = ?, updated = ?");
    return write_ours(sink, values, 3, err);
}

/* One batch for one partition: the record is there when the condition held, and not else. */
enum rf_status rf_cassandra_place_record(struct rf_cassandra_sink *sink,
                                         struct rf_cassandra_table *table, struct rf_error *err)
{
    char updated[NUMBER], lift[NUMBER], folds = (char)table->folds;
    bool applied = false;
    struct rf_str name = rf_buf_str(&table->name), database;
    (void)rf_str_split(&name, '\0', &database);
    struct rf_str values[] = {now(updated),
                              rf_str_of(sink->pipeline),
                              rf_str_of(sink->instance),
                              rf_str_of(sink->owner),
                              rf_str_of(sink->pipeline),
                              rf_str_of(sink->instance),
                              rf_buf_str(&table->target),
                              database,
                              name,
                              {&folds, 1},
                              put_number(lift, table->lift)};
    rf_buf_set(&sink->statement, RF_STR("BEGIN BATCH UPDATE "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement,
                   RF_STR("." RF_CASSANDRA_POSITIONS " SET updated = ? WHERE pipeline = ? AND sink "
                          "= ? IF owner = ?; INSERT INTO "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement,
                   RF_STR("." RF_CASSANDRA_POSITIONS " (pipeline, sink, target, source_database, "
                          "source_table, folds, lift) VALUES (?, ?, ?, ?, ?, ?, ?); APPLY BATCH"));
    enum rf_status status = ask_if(sink, values, sizeof values / sizeof *values, &applied, err);
    if (status == RF_OK && !applied) {
        return replaced(sink, err);
    }
    if (status == RF_OK) {
        table->recorded = true;
        table->recorded_folds = table->folds;
    }
    return status;
}

enum rf_status rf_cassandra_place_others(struct rf_cassandra_sink *sink, struct rf_str target,
                                         uint64_t *stamp, bool *taken, struct rf_error *err)
{
    struct rf_cql_result result;
    *stamp = 0;
    *taken = false;
    rf_buf_set(&sink->statement, RF_STR("SELECT pipeline, sink, target, stamp, lift FROM "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&sink->quoted));
    rf_buf_add_str(&sink->statement, RF_STR("." RF_CASSANDRA_POSITIONS));
    enum rf_status status = rf_cassandra_ask(sink, quorum(sink), NULL, 0, &result, err);
    for (uint32_t i = 0; status == RF_OK && i < result.row_count; i++) {
        struct rf_str row[5];
        status = result.columns.count == 5 ? rf_cql_result_row(&result, row, err)
                                           : rf_fail(err, RF_RETRY, "positions of other columns");
        if (status != RF_OK || (rf_str_equal(row[0], rf_str_of(sink->pipeline)) &&
                                rf_str_equal(row[1], rf_str_of(sink->instance)))) {
            continue;
        }
        uint64_t reached = get_number(row[3]) + get_number(row[4]);
        *stamp = reached > *stamp ? reached : *stamp;
        *taken |= row[2].data != NULL && rf_str_equal(row[2], target);
    }
    return status;
}
