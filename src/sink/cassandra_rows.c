/* Rows: which change of a row there each one is, and the requests for that.
 *
 * A change waits in the window under its key. When that comes again, the newer one takes its place,
 * as it is all that would be seen of both: a whole row, or that there is none. Sent, it becomes a
 * request that carries the stamp of its event, so that requests may be carried out in any order,
 * and more than once: the one with the highest stamp wins, column by column.
 *
 * A row whose key changes is a delete and a row, with one stamp, as their keys differ; where they
 * do not, because Cassandra takes two keys of the source for one, it is a row alone. */
#include "sink/cassandra_sink.h"
#include "wire/murmur3.h"

/* ------------------------------------------------------------------------------------- requests */

void rf_cassandra_encode(void *argument, uint32_t slot, struct rf_buf *out)
{
    struct rf_cassandra_sink *sink = argument;
    const struct rf_cassandra_change *change = &sink->requests[slot];
    const struct rf_cassandra_table *table = change->table;
    if (change->removes) {
        for (uint32_t i = 0; i < table->key_count; i++) {
            rf_cassandra_value_add(sink, out, change, &table->columns[table->key[i]]);
        }
        return;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        rf_cassandra_value_add(sink, out, change, &table->columns[i]);
    }
}

/* Which of several refused ones is told: the earliest, as all before it must have been applied. */
static void keep_refusal(struct rf_cassandra_sink *sink, const struct rf_cassandra_change *change,
                         const struct rf_error *refused)
{
    if (sink->refused_event != NULL && sink->refused_stamp <= change->stamp) {
        return;
    }
    sink->refused = *refused;
    sink->refused.event = change->event;
    sink->refused_event = change->event;
    sink->refused_stamp = change->stamp;
    rf_error_wrap(&sink->refused, "a row of %.*s", RF_STR_ARG(change->event->table->full_name));
}

enum rf_status rf_cassandra_done(void *argument, uint32_t slot, const struct rf_cql *cql,
                                 const struct rf_cql_error *error, struct rf_error *err)
{
    struct rf_cassandra_sink *sink = argument;
    struct rf_error refused = {0};
    if (error == NULL) {
        return RF_OK;
    }
    enum rf_status status = rf_cql_refused(cql, error, &refused);
    if (status == RF_REJECT) {
        keep_refusal(sink, &sink->requests[slot], &refused);
        return RF_OK;
    }
    if (err != NULL) {
        *err = refused;
    }
    return status;
}

/* The token of a key that was rendered: of a partition of one column its bytes, else each one's. */
static int64_t token_of(struct rf_cassandra_sink *sink, const struct rf_cassandra_table *table,
                        struct rf_str key)
{
    if (sink->cluster.node_count == 1) {
        return 0;
    }
    struct rf_cursor cursor = rf_cursor_of(key);
    (void)rf_cursor_str(&cursor, sizeof table->number, "number");
    if (table->partition_count == 1) {
        return rf_murmur3_token(rf_cql_bytes(&cursor, "key"));
    }
    rf_buf_reset(&sink->text);
    for (uint32_t i = 0; i < table->partition_count; i++) {
        struct rf_str part = rf_cql_bytes(&cursor, "key");
        rf_cql_add_short(&sink->text, (uint16_t)part.size);
        rf_buf_add_str(&sink->text, part);
        rf_buf_add_byte(&sink->text, '\0');
    }
    return rf_murmur3_token(rf_buf_str(&sink->text));
}

static enum rf_status send_change(struct rf_cassandra_sink *sink,
                                  const struct rf_cassandra_change *change, struct rf_str key,
                                  struct rf_error *err)
{
    uint32_t slot;
    enum rf_status status = rf_cql_cluster_slot(&sink->cluster, &slot, err);
    if (status != RF_OK) {
        return status;
    }
    const struct rf_cassandra_table *table = change->table;
    sink->requests[slot] = *change;
    return rf_cql_cluster_execute(
        &sink->cluster, slot, change->removes ? &table->remove : &table->insert,
        token_of(sink, table, key), (int64_t)(change->stamp + table->lift), err);
}

enum rf_status rf_cassandra_rows_send(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    struct rf_window *window = &sink->window;
    enum rf_status status = RF_OK;
    if (window->count > 0 && !sink->looked) {
        status = rf_cassandra_place_look(sink, err);
        sink->looked = status == RF_OK;
    }
    for (uint32_t i = 0; i < window->count && status == RF_OK; i++) {
        status = send_change(sink, rf_window_at(window, i), window->keys[i], err);
    }
    if (status == RF_OK) {
        rf_window_reset(window);
    }
    return status;
}

enum rf_status rf_cassandra_rows_finish(struct rf_cassandra_sink *sink, struct rf_error *err)
{
    enum rf_status status = rf_cassandra_rows_send(sink, err);
    if (status == RF_OK) {
        status = rf_cql_cluster_finish(&sink->cluster, err);
    }
    if (status == RF_OK) {
        rf_arena_reset(&sink->documents, RF_WINDOW_ARENA_BYTES);
    }
    if (status == RF_OK && sink->refused_event != NULL) {
        status = sink->refused.status;
        if (err != NULL) {
            *err = sink->refused;
        }
    }
    return status;
}

/* ----------------------------------------------------------------------------------- the window */

/* True when the image tells all columns, so that nothing before it is needed. */
static bool is_whole(const struct rf_cassandra_change *change)
{
    const struct rf_cassandra_table *table = change->table;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_cassandra_column *column = &table->columns[i];
        if (column->source >= 0 && !column->key &&
            change->image[column->source].kind == RF_ABSENT) {
            return false;
        }
    }
    return true;
}

static enum rf_status put_change(struct rf_cassandra_sink *sink, const struct rf_buf *text,
                                 const struct rf_cassandra_change *newer, struct rf_error *err)
{
    struct rf_window *window = &sink->window;
    struct rf_str key = rf_buf_str(text);
    uint64_t hash = rf_window_hash(window, key);
    struct rf_cassandra_change *change = rf_window_find(window, key, hash);
    bool joins = change != NULL && sink->fold && (newer->removes || is_whole(newer));
    if ((change != NULL && !joins) || (change == NULL && rf_window_full(window))) {
        enum rf_status status = rf_cassandra_rows_send(sink, err);
        if (status != RF_OK) {
            return status;
        }
        change = NULL;
    }
    if (change == NULL) {
        change = rf_window_add(window, key, hash);
    } else {
        window->folded++;
    }
    sink->window.bytes += newer->bytes - change->bytes;
    *change = *newer;
    /* What it takes the place of need not have been the first of this key. */
    change->nulls |= joins;
    return RF_OK;
}

/* ----------------------------------------------------------------------------------------- rows */

/* A row that is there now, under the key that was rendered. */
static enum rf_status put_row(struct rf_cassandra_sink *sink, struct rf_cassandra_change *change,
                              struct rf_error *err)
{
    enum rf_status status = rf_cassandra_row_check(sink, change, err);
    return status == RF_OK ? put_change(sink, &sink->key_text, change, err) : status;
}

static enum rf_status delete_row(struct rf_cassandra_sink *sink,
                                 const struct rf_cassandra_change *change, struct rf_error *err)
{
    enum rf_status status = rf_cassandra_key_add(sink, &sink->old_key_text, change, err);
    return status == RF_OK ? put_change(sink, &sink->old_key_text, change, err) : status;
}

static enum rf_status update_row(struct rf_cassandra_sink *sink, struct rf_cassandra_change *change,
                                 struct rf_error *err)
{
    if (change->table->folds || !rf_event_changes_key(change->event)) {
        return put_row(sink, change, err);
    }
    struct rf_cassandra_change old = *change;
    old.image = change->event->before;
    old.other = NULL;
    old.removes = true;
    enum rf_status status = rf_cassandra_key_add(sink, &sink->old_key_text, &old, err);
    if (status != RF_OK) {
        return status;
    }
    bool same = rf_str_equal(rf_buf_str(&sink->key_text), rf_buf_str(&sink->old_key_text));
    /* First what may be refused: nothing of the event is to be applied then. */
    status = rf_cassandra_row_check(sink, change, err);
    if (status == RF_OK && !same) {
        status = put_change(sink, &sink->old_key_text, &old, err);
        change->nulls = true;
    }
    return status == RF_OK ? put_change(sink, &sink->key_text, change, err) : status;
}

/* A column of the key that the new image does not tell is what it was. */
static enum rf_status bind(struct rf_cassandra_sink *sink, const struct rf_event *event,
                           struct rf_cassandra_change *change, struct rf_error *err)
{
    struct rf_cassandra_table *target = sink->last;
    if (target == NULL || target->table != event->table) {
        sink->last = NULL;
        enum rf_status status = rf_cassandra_table_bind(sink, event->table, &target, err);
        if (status != RF_OK) {
            return status;
        }
        sink->last = target;
    }
    *change = (struct rf_cassandra_change){
        .table = target,
        .event = event,
        .image = rf_event_image(event),
        .other = event->op == RF_UPDATE ? event->before : NULL,
        .commit_us = rf_view_transaction(sink->view, event)->commit_us,
        .stamp = sink->stamp,
        .removes = event->op == RF_DELETE,
        .nulls = event->op != RF_CREATE || sink->seamed || target->folds || target->lift > 0,
    };
    return RF_OK;
}

enum rf_status rf_cassandra_row_put(struct rf_cassandra_sink *sink, const struct rf_event *event,
                                    struct rf_error *err)
{
    struct rf_cassandra_change change;
    bool passes = false;
    enum rf_status status = bind(sink, event, &change, err);
    if (status == RF_OK && event->table->documents) {
        status = rf_cassandra_document_take(sink, &change, &passes, err);
    }
    if (status != RF_OK || passes) {
        return status;
    }
    if (change.removes) {
        return change.table->folds ? RF_OK : delete_row(sink, &change, err);
    }
    status = rf_cassandra_key_add(sink, &sink->key_text, &change, err);
    if (status != RF_OK) {
        return status;
    }
    return event->op == RF_UPDATE ? update_row(sink, &change, err) : put_row(sink, &change, err);
}

/* ------------------------------------------------------------------------------------- TRUNCATE */

/* It has no stamp: what was written before it goes, and nothing that comes later. So all that came
 * before must have been carried out, and nobody else may write for us any more. */
enum rf_status rf_cassandra_truncate(struct rf_cassandra_sink *sink, const struct rf_event *event,
                                     struct rf_error *err)
{
    struct rf_cassandra_table *table = NULL;
    struct rf_cql_result result;
    enum rf_status status = rf_cassandra_rows_finish(sink, err);
    if (status == RF_OK) {
        status = rf_cassandra_table_get(sink, event->database, event->object, &table, err);
    }
    if (status != RF_OK || !table->recorded || table->recorded_folds) {
        return status; /* no row of it was ever written, or rows share their keys with others */
    }
    status = rf_cassandra_place_check(sink, err);
    if (status != RF_OK) {
        return status;
    }
    rf_buf_set(&sink->statement, RF_STR("TRUNCATE "));
    rf_buf_add_str(&sink->statement, rf_buf_str(&table->path));
    status = rf_cassandra_ask(sink, RF_CQL_ALL, NULL, 0, &result, err);
    return status == RF_RETRY && err != NULL && err->code == RF_CQL_INVALID
               ? rf_cassandra_schema_vanished(table, err)
               : status;
}
