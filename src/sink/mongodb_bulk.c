/* Changes as commands: for each collection one or more `delete`, then `update` with whole documents
 * and upsert, unordered, as each _id is in a window once. Deletes come first, so that a value of a
 * unique index that moves from a row that goes to one that comes is free.
 *
 * The command is written as it goes over the wire, in one buffer: a row costs no call of a library
 * and no allocation.
 *
 *     {update: C, ordered: false, writeConcern: {...}, comment: "...",
 *      updates: [{q: {_id: ...}, u: {_id: ..., ...}, upsert: true}, ...]}
 *
 * Source: MongoDB Manual, "Database Commands": update, delete. */
#include "base/clock.h"
#include "sink/mongodb_sink.h"

enum {
    OVERHEAD = 64,         /* of one change, beside its key and its document */
    KEEP_BYTES = 16 << 20, /* of the buffer, from one command to the next */
    MAX_TIME_MS_EXPIRED = 50,
    TRUNCATE_STEP_MS = 4000,
    TRUNCATE_MS = 8000, /* a write takes no longer than this, and half a step */
};

/* ------------------------------------------------------------------------------------- commands */

static void begin_command(struct rf_mongodb_sink *sink, struct rf_mongodb_table *table,
                          bool deletes)
{
    struct rf_mongodb_bulk *bulk = &sink->bulk;
    struct rf_buf *out = &bulk->out;
    bulk->table = table;
    bulk->deletes = deletes;
    bulk->count = 0;
    rf_buf_reset(out);
    bulk->command = rf_bson_begin(out);
    rf_bson_add_utf8(out, deletes ? "delete" : "update", rf_buf_str(&table->collection));
    rf_bson_add_bool(out, "ordered", false);
    rf_bson_add_document(out, "writeConcern", rf_buf_str(&sink->concern));
    if (sink->mongo.max_wire >= RF_MONGO_WIRE_4_4) {
        rf_bson_add_utf8(out, "comment", rf_str_of(sink->name));
    }
    bulk->array = rf_bson_open(out, RF_BSON_ARRAY, deletes ? "deletes" : "updates");
}

static void add_change(struct rf_mongodb_sink *sink, const struct rf_mongodb_change *change)
{
    struct rf_mongodb_bulk *bulk = &sink->bulk;
    struct rf_buf *out = &bulk->out;
    struct rf_str id = sink->window.keys[rf_window_number(&sink->window, change)];
    uint32_t column;
    id.data += sizeof change->table->number;
    id.size -= sizeof change->table->number;
    size_t item = rf_bson_open_item(out, bulk->count);
    size_t filter = rf_bson_open(out, RF_BSON_DOCUMENT, "q");
    rf_buf_add_str(out, id);
    rf_bson_end(out, filter);
    if (change->image != NULL && change->table->table->documents) {
        rf_bson_add_document(out, "u", rf_value_str(change->image[1])); /* as it is */
        rf_bson_add_bool(out, "upsert", true);
    } else if (change->image != NULL) {
        size_t document = rf_bson_open(out, RF_BSON_DOCUMENT, "u");
        rf_buf_add_str(out, id);
        bool told =
            rf_bson_add_row(out, &change->table->fields, change->image, change->other, &column);
        rf_assert(told);
        rf_bson_end(out, document);
        rf_bson_add_bool(out, "upsert", true);
    } else {
        rf_bson_add_int32(out, "limit", 1);
    }
    rf_bson_end(out, item);
    bulk->changes[bulk->count++] = change;
}

/* -------------------------------------------------------------------------------------- answers */

/* Several may be refused: the earliest event is the one to be told of. */
static void note_refused(struct rf_mongodb_bulk *bulk, const struct rf_mongodb_change *change,
                         const struct rf_error *why)
{
    if (bulk->refused_event == NULL || change->order < bulk->refused_order) {
        bulk->refused = *why;
        bulk->refused.event = change->event;
        bulk->refused_event = change->event;
        bulk->refused_order = change->order;
    }
}

/* One element of writeErrors. */
static enum rf_status take_error(struct rf_mongodb_sink *sink, const bson_t *refusal,
                                 struct rf_error *err)
{
    struct rf_mongodb_bulk *bulk = &sink->bulk;
    struct rf_error why = {0};
    int64_t index = -1;
    bson_iter_t iter;
    if (bson_iter_init_find(&iter, refusal, "index") && BSON_ITER_HOLDS_NUMBER(&iter)) {
        index = bson_iter_as_int64(&iter);
    }
    if (index < 0 || index >= bulk->count) {
        return rf_fail(err, RF_RETRY, "%s refused what was not asked for", sink->mongo.peer);
    }
    enum rf_status status = rf_mongo_refused(&sink->mongo, refusal, bulk->table->space.data, &why);
    if (status == RF_REJECT) {
        note_refused(bulk, bulk->changes[index], &why);
        return RF_OK;
    }
    if (err != NULL) {
        *err = why;
    }
    return status;
}

static enum rf_status take_errors(struct rf_mongodb_sink *sink, const bson_t *reply,
                                  uint32_t *count, struct rf_error *err)
{
    bson_iter_t iter, item;
    enum rf_status status = RF_OK;
    *count = 0;
    if (!bson_iter_init_find(&iter, reply, "writeErrors") || !bson_iter_recurse(&iter, &item)) {
        return RF_OK;
    }
    while (status == RF_OK && bson_iter_next(&item)) {
        const uint8_t *data = NULL;
        uint32_t size = 0;
        bson_t refusal;
        if (BSON_ITER_HOLDS_DOCUMENT(&item)) {
            bson_iter_document(&item, &size, &data);
        }
        if (data == NULL || !bson_init_static(&refusal, data, size)) {
            return rf_fail(err, RF_RETRY, "%s did not answer as it should", sink->mongo.peer);
        }
        status = take_error(sink, &refusal, err);
        ++*count;
    }
    return status;
}

static enum rf_status take_reply(struct rf_mongodb_sink *sink, const bson_t *reply,
                                 struct rf_error *err)
{
    const struct rf_mongodb_bulk *bulk = &sink->bulk;
    uint32_t refused;
    enum rf_status status = take_errors(sink, reply, &refused, err);
    int64_t done = rf_mongodb_number(reply, "n");
    /* A document that was not there is none too few for a delete. */
    if (status == RF_OK && (bulk->deletes ? done > bulk->count : done + refused != bulk->count)) {
        status = rf_fail(err, RF_RETRY, "%s wrote %lld of %u documents to %s, and did not say why",
                         sink->mongo.peer, (long long)done, bulk->count, bulk->table->space.data);
    }
    return status;
}

/* A refusal of the whole is not one of a row. */
static enum rf_status explain(const struct rf_mongodb_table *table, enum rf_status status,
                              struct rf_error *err)
{
    if (err == NULL) {
        return status == RF_REJECT ? RF_CONFIG : status;
    }
    if (status == RF_REJECT) {
        err->status = status = RF_CONFIG;
    }
    rf_error_wrap(err, "writing to %s", table->space.data);
    return status;
}

static enum rf_status run_command(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    struct rf_mongodb_bulk *bulk = &sink->bulk;
    bson_t command, reply;
    if (bulk->count == 0) {
        return RF_OK;
    }
    rf_bson_end(&bulk->out, bulk->array);
    rf_bson_end(&bulk->out, bulk->command);
    rf_mongodb_static(&bulk->out, &command);
    enum rf_status status =
        rf_mongo_run(&sink->mongo, bulk->table->database.data, &command, &reply, err);
    status = status == RF_OK ? take_reply(sink, &reply, err) : explain(bulk->table, status, err);
    bson_destroy(&reply);
    bulk->count = 0;
    if (bulk->out.capacity > KEEP_BYTES) {
        rf_buf_deinit(&bulk->out);
    }
    return status;
}

/* -------------------------------------------------------------------------------------- windows */

static struct rf_mongodb_change *change_at(const struct rf_mongodb_sink *sink, uint32_t number)
{
    return rf_window_at(&sink->window, number);
}

/* Sorts the window by tables, which keep the order in which they came. Returns the first one. */
static struct rf_mongodb_table *sort_window(struct rf_mongodb_sink *sink)
{
    struct rf_mongodb_table *first = NULL, **end = &first;
    for (uint32_t i = 0; i < sink->window.count; i++) {
        struct rf_mongodb_change *change = change_at(sink, i);
        struct rf_mongodb_table *table = change->table;
        change->next = 0;
        if (table->first == 0) {
            table->first = i + 1;
            table->next_waiting = NULL;
            *end = table;
            end = &table->next_waiting;
        } else {
            change_at(sink, table->last - 1)->next = i + 1;
        }
        table->last = i + 1;
        table->deletes += change->image == NULL;
        table->puts += change->image != NULL;
    }
    return first;
}

/* The deletes, or all others, of one table. */
static enum rf_status send_kind(struct rf_mongodb_sink *sink, struct rf_mongodb_table *table,
                                bool deletes, struct rf_error *err)
{
    struct rf_mongodb_bulk *bulk = &sink->bulk;
    enum rf_status status = RF_OK;
    begin_command(sink, table, deletes);
    for (uint32_t number = table->first; number != 0 && status == RF_OK;) {
        const struct rf_mongodb_change *change = change_at(sink, number - 1);
        number = change->next;
        if ((change->image == NULL) != deletes) {
            continue;
        }
        bool full = bulk->count == RF_MONGODB_BULK_MOST ||
                    bulk->out.size + change->bytes + OVERHEAD > RF_MONGODB_BULK_BYTES;
        if (full && bulk->count > 0) {
            status = run_command(sink, err);
            begin_command(sink, table, deletes);
        }
        if (status == RF_OK) {
            add_change(sink, change);
        }
    }
    return status == RF_OK ? run_command(sink, err) : status;
}

enum rf_status rf_mongodb_rows_send(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    struct rf_mongodb_bulk *bulk = &sink->bulk;
    if (sink->window.count == 0) {
        return RF_OK;
    }
    enum rf_status status = rf_mongodb_place_check(sink, err);
    bulk->refused_event = NULL;
    for (struct rf_mongodb_table *table = sort_window(sink), *next; table != NULL; table = next) {
        next = table->next_waiting;
        if (status == RF_OK && table->deletes > 0) {
            status = send_kind(sink, table, true, err);
        }
        if (status == RF_OK && table->puts > 0) {
            status = send_kind(sink, table, false, err);
        }
        table->first = table->last = table->deletes = table->puts = 0;
        table->next_waiting = NULL;
    }
    rf_window_reset(&sink->window);
    if (status == RF_OK && bulk->refused_event != NULL) {
        status = RF_REJECT;
        if (err != NULL) {
            *err = bulk->refused;
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------------- truncate */

/* Removes what the server can in that time. *more: it may not have been all. */
static enum rf_status truncate_some(struct rf_mongodb_sink *sink,
                                    const struct rf_mongodb_table *table, int64_t most_ms,
                                    bool *more, struct rf_error *err)
{
    struct rf_buf *out = &sink->command;
    bson_t reply;
    rf_buf_reset(out);
    size_t command = rf_bson_begin(out);
    rf_bson_add_utf8(out, "delete", rf_buf_str(&table->collection));
    size_t deletes = rf_bson_open(out, RF_BSON_ARRAY, "deletes");
    size_t item = rf_bson_open_item(out, 0);
    size_t filter = rf_bson_open(out, RF_BSON_DOCUMENT, "q");
    rf_bson_end(out, filter);
    rf_bson_add_int32(out, "limit", 0);
    rf_bson_end(out, item);
    rf_bson_end(out, deletes);
    rf_bson_add_document(out, "writeConcern", rf_buf_str(&sink->concern));
    rf_bson_add_int64(out, "maxTimeMS", most_ms);
    enum rf_status status = rf_mongodb_end(sink, command, table->database.data, &reply, err);
    *more = rf_mongodb_has_error(&reply, MAX_TIME_MS_EXPIRED);
    bson_destroy(&reply);
    return *more ? RF_OK : status;
}

/* Before each step we look whether place and collection are still ours. What took too long goes on
 * after the sink was opened again: what was removed stays removed. */
enum rf_status rf_mongodb_truncate(struct rf_mongodb_sink *sink, const struct rf_event *event,
                                   struct rf_error *err)
{
    struct rf_mongodb_table *table = NULL;
    int64_t half_ms = sink->timeout_ms / 2; /* there must be a sign of life in time */
    int64_t step_ms = half_ms < TRUNCATE_STEP_MS ? half_ms : TRUNCATE_STEP_MS;
    int64_t most_ms = 4 * sink->timeout_ms < TRUNCATE_MS ? 4 * sink->timeout_ms : TRUNCATE_MS;
    int64_t until_ms = rf_clock_ms() + most_ms;
    enum rf_status status = rf_mongodb_table_of(sink, event->database, event->object, &table, err);
    bool more = status == RF_OK && table != NULL;
    while (more) {
        if (rf_clock_ms() + step_ms / 2 > until_ms) {
            return rf_fail(err, RF_RETRY, "%s is still at the TRUNCATE of %s, which goes on",
                           sink->mongo.peer, table->space.data);
        }
        status = rf_mongodb_place_check(sink, err);
        if (status == RF_OK) {
            status = rf_mongodb_record_check(sink, table, err);
        }
        if (status == RF_OK) {
            status = truncate_some(sink, table, step_ms, &more, err);
        }
        more = more && status == RF_OK;
    }
    return status;
}
