/* as=stream: every event, also TRUNCATE and DDL, becomes an entry of a stream.
 *
 * An entry's id is the event's order stamp (rf_stamp_next): MS-SEQ is stamp / 1000 and stamp %
 * 1000, so that ids grow as stamps do. The stamp lies beside the position, and a replay gives the
 * same ids again. What was written behind the position is known by the last id that each stream
 * has when it is met first: an event up to there is in it already, and is passed over. That is
 * proved before a position is written behind it: the last one passed over must be in the stream
 * under its id; if it is not, somebody else has written.
 *
 * When other events come than those that the stamp was made of (other tables were picked, an
 * operator moved the position), all that come are new: the stamps go on far behind everything that
 * is in any of our streams, and this is noted before the first of them is written.
 *
 * The position's hash holds beside the position
 *
 *     stamp          of the last event of the last transaction before it
 *     picks          what the context's picks were
 *     stream:KEY     "1": the stream KEY is ours */
#include "sink/document.h"
#include "sink/redis_sink.h"
#include "wire/bson_json.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEQUENCES = 1000, ID_SIZE = 48 };

struct rf_redis_stream {
    struct rf_redis_stream *next;
    struct rf_str key;
    bool ours;           /* the hash says so */
    bool known;          /* what follows was asked for */
    uint64_t last;       /* stamp of the last id when it was met; 0: none */
    bool matched;        /* the event of that id has come again */
    struct rf_buf event; /* that entry's `id`; empty: it was removed, or trimmed away */
    uint64_t passed;     /* stamp of the last event that was passed over; 0: none to be proved */
    struct rf_buf passed_event; /* its `id` */
    char key_bytes[];
};

/* ------------------------------------------------------------------------------------- the list */

static struct rf_redis_stream *get_stream(struct rf_redis_sink *sink, struct rf_str key)
{
    struct rf_redis_stream *stream = sink->streams;
    while (stream != NULL && !rf_str_equal(stream->key, key)) {
        stream = stream->next;
    }
    if (stream == NULL) {
        stream = rf_alloc_zero(1, sizeof *stream + key.size);
        memcpy(stream->key_bytes, key.data, key.size);
        stream->key = (struct rf_str){stream->key_bytes, key.size};
        stream->next = sink->streams;
        sink->streams = stream;
    }
    return stream;
}

void rf_redis_streams_deinit(struct rf_redis_sink *sink)
{
    for (struct rf_redis_stream *stream = sink->streams, *next; stream != NULL; stream = next) {
        next = stream->next;
        rf_buf_deinit(&stream->event);
        rf_buf_deinit(&stream->passed_event);
        free(stream);
    }
    sink->streams = NULL;
    rf_buf_deinit(&sink->entry);
}

/* The key of the stream for a table, or for statements about one. */
static enum rf_status render_key(struct rf_redis_sink *sink, struct rf_str database,
                                 struct rf_str name, struct rf_buf *out, struct rf_error *err)
{
    /* Without columns: the names are all that the template may ask for. */
    struct rf_table table = {.database = database, .name = name, .full_name = name};
    struct rf_event event = {.op = RF_DDL};
    struct rf_binding binding = {0};
    rf_buf_reset(out);
    enum rf_status status = rf_template_bind(&sink->key_template, &table, &binding, err);
    if (status == RF_OK) {
        status = rf_binding_render(&binding, &event, 0, NULL, NULL, out, err);
    }
    rf_binding_deinit(&binding);
    return status;
}

enum rf_status rf_redis_streams_check(struct rf_redis_sink *sink, struct rf_error *err)
{
    enum rf_status status =
        render_key(sink, RF_STR("database"), RF_STR("table"), &sink->key_text, err);
    if (status != RF_OK) {
        rf_fail(err, RF_CONFIG,
                "with as=stream the key template '%s' can be made of {database}, {table} and text "
                "only",
                sink->key_template.text);
        rf_error_hint(err, "such as key={database}:{table}, or one word for one stream of all");
        return RF_CONFIG;
    }
    if (rf_str_starts(rf_buf_str(&sink->key_text), RF_STR(RF_REDIS_OWN_PREFIX))) {
        rf_fail(err, RF_CONFIG, "the key template '%s' lies among rowferry's own keys",
                sink->key_template.text);
        rf_error_hint(err, "choose one that does not begin with " RF_REDIS_OWN_PREFIX);
        return RF_CONFIG;
    }
    return RF_OK;
}

/* -------------------------------------------------------------------------------- what is there */

static size_t print_id(char *text, uint64_t stamp)
{
    return (size_t)snprintf(text, ID_SIZE, "%llu-%llu", (unsigned long long)(stamp / SEQUENCES),
                            (unsigned long long)(stamp % SEQUENCES));
}

/* False for an id that is not of our making. */
static bool parse_id(struct rf_str text, uint64_t *stamp)
{
    struct rf_str rest = text, first;
    uint64_t ms = 0, sequence = 0;
    if (!rf_str_split(&rest, '-', &first) || !rf_str_to_u64(first, &ms) ||
        !rf_str_to_u64(rest, &sequence) || sequence >= SEQUENCES ||
        ms > UINT64_MAX / SEQUENCES - 1) {
        return false;
    }
    *stamp = ms * SEQUENCES + sequence;
    return true;
}

static enum rf_status foreign(const struct rf_redis_sink *sink,
                              const struct rf_redis_stream *stream, struct rf_str id,
                              struct rf_error *err)
{
    rf_fail(err, RF_FATAL,
            "the stream %.*s in Redis at %s has an entry %.*s that this pipeline did "
            "not write there",
            RF_STR_ARG(stream->key), sink->guard.redis.where, RF_STR_ARG(id));
    rf_error_hint(err, "a stream belongs to one pipeline: remove what others have added, and give "
                       "them one of their own; see docs/delivery.md");
    return RF_FATAL;
}

static enum rf_status foreign_stamp(const struct rf_redis_sink *sink,
                                    const struct rf_redis_stream *stream, uint64_t stamp,
                                    struct rf_error *err)
{
    char id[ID_SIZE];
    size_t size = print_id(id, stamp);
    return foreign(sink, stream, (struct rf_str){id, size}, err);
}

/* The value behind that name in a reply of names and values. */
static struct rf_str item_behind(const struct rf_redis_reply *reply, uint32_t from,
                                 const char *name)
{
    for (uint32_t i = from; i + 1 < reply->item_count; i += 2) {
        if (rf_str_equal(reply->items[i], rf_str_of(name))) {
            return reply->items[i + 1];
        }
    }
    return RF_STR_NONE;
}

/* Asks for the stream's last id: 0 without a stream. Nothing else may be under way. */
static enum rf_status ask_last(struct rf_redis_sink *sink, struct rf_redis_stream *stream,
                               uint64_t *last, struct rf_error *err)
{
    const struct rf_redis_reply *reply = &sink->guard.redis.reply;
    struct rf_str type[] = {RF_STR("TYPE"), stream->key};
    struct rf_str info[] = {RF_STR("XINFO"), RF_STR("STREAM"), stream->key};
    *last = 0;
    enum rf_status status = rf_redis_guard_ask(&sink->guard, type, 2, err);
    if (status != RF_OK || rf_str_equal(reply->text, RF_STR("none"))) {
        return status;
    }
    if (!rf_str_equal(reply->text, RF_STR("stream"))) {
        rf_fail(err, RF_CONFIG, "the key %.*s in Redis at %s holds a %.*s, not a stream",
                RF_STR_ARG(stream->key), sink->guard.redis.where, RF_STR_ARG(reply->text));
        rf_error_hint(err, "rename it or remove it, or choose another key template");
        return RF_CONFIG;
    }
    status = rf_redis_guard_ask(&sink->guard, info, 3, err);
    if (status == RF_OK) {
        struct rf_str id = item_behind(reply, 0, "last-generated-id");
        status = parse_id(id, last) ? RF_OK : foreign(sink, stream, id, err);
    }
    return status;
}

/* The event of the stream's last entry. */
static enum rf_status ask_event(struct rf_redis_sink *sink, struct rf_redis_stream *stream,
                                struct rf_error *err)
{
    const struct rf_redis_reply *reply = &sink->guard.redis.reply;
    struct rf_str words[] = {RF_STR("XREVRANGE"), stream->key,     RF_STR("+"),
                             RF_STR("-"),         RF_STR("COUNT"), RF_STR("1")};
    uint64_t stamp;
    enum rf_status status = rf_redis_guard_ask(&sink->guard, words, 6, err);
    if (status != RF_OK || reply->item_count == 0) {
        return status;
    }
    struct rf_str event = item_behind(reply, 1, "id");
    if (!parse_id(reply->items[0], &stamp) || event.size == 0) {
        return foreign(sink, stream, reply->items[0], err);
    }
    if (stamp == stream->last) {
        rf_buf_set(&stream->event, event);
    }
    return RF_OK;
}

static enum rf_status not_ours(const struct rf_redis_sink *sink,
                               const struct rf_redis_stream *stream, struct rf_error *err)
{
    rf_fail(err, RF_CONFIG,
            "the stream %.*s is in Redis at %s already, and this pipeline did not begin it",
            RF_STR_ARG(stream->key), sink->guard.redis.where);
    rf_error_hint(err, "a stream belongs to one pipeline: rename it or remove it, or choose "
                       "another key template");
    return RF_CONFIG;
}

/* Meets a stream for the first time since the connection was made. */
static enum rf_status meet(struct rf_redis_sink *sink, struct rf_redis_stream *stream,
                           struct rf_error *err)
{
    enum rf_status status = rf_redis_group_finish(&sink->guard, err);
    if (status == RF_OK) {
        status = ask_last(sink, stream, &stream->last, err);
    }
    if (status == RF_OK && stream->last > 0 && !stream->ours) {
        status = not_ours(sink, stream, err);
    }
    if (status == RF_OK && stream->last > sink->stamp_opened) {
        status = ask_event(sink, stream, err);
    }
    if (status == RF_OK && !stream->ours) {
        status = rf_redis_group_open(&sink->guard, err);
        if (status == RF_OK) {
            rf_redis_group_command(&sink->guard, RF_REDIS_NO_TAG, 4);
            rf_redis_bulk(&sink->guard.redis, RF_STR("HSET"));
            rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->guard.key));
            rf_buf_set(&sink->text, RF_STR(RF_REDIS_STREAM_FIELD));
            rf_buf_add_str(&sink->text, stream->key);
            rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
            rf_redis_bulk(&sink->guard.redis, RF_STR("1"));
            status = rf_redis_group_push(&sink->guard, err);
        }
    }
    stream->ours = stream->known = status == RF_OK;
    return status;
}

/* ----------------------------------------------------------------------------------- the stamps */

enum rf_status rf_redis_streams_read(struct rf_redis_sink *sink, struct rf_str name,
                                     struct rf_str value, struct rf_error *err)
{
    bool good = true;
    if (rf_str_equal(name, RF_STR("stamp"))) {
        good = rf_str_to_u64(value, &sink->stamp);
        sink->stamps_known = true;
    } else if (rf_str_equal(name, RF_STR("picks"))) {
        good = rf_str_to_u64(value, &sink->picks_written);
    } else if (rf_str_starts(name, RF_STR(RF_REDIS_STREAM_FIELD))) {
        size_t size = sizeof RF_REDIS_STREAM_FIELD - 1;
        get_stream(sink, (struct rf_str){name.data + size, name.size - size})->ours = true;
    }
    return good ? RF_OK
                : rf_fail(err, RF_FATAL, "the field %.*s of %s is '%.*s', which is not a number",
                          RF_STR_ARG(name), rf_buf_cstr(&sink->guard.key), RF_STR_ARG(value));
}

void rf_redis_streams_add_fields(struct rf_redis_sink *sink)
{
    char stamp[ID_SIZE], picks[ID_SIZE];
    snprintf(stamp, sizeof stamp, "%llu", (unsigned long long)sink->stamp_whole);
    snprintf(picks, sizeof picks, "%llu", (unsigned long long)sink->picks);
    rf_redis_bulk(&sink->guard.redis, RF_STR("stamp"));
    rf_redis_bulk(&sink->guard.redis, rf_str_of(stamp));
    rf_redis_bulk(&sink->guard.redis, RF_STR("picks"));
    rf_redis_bulk(&sink->guard.redis, rf_str_of(picks));
}

/* Moves the stamps behind everything that is in our streams, by the gap, and writes that down. */
static enum rf_status raise_stamps(struct rf_redis_sink *sink, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_redis_stream *stream = sink->streams;
    for (; stream != NULL && status == RF_OK; stream = stream->next) {
        uint64_t last;
        status = ask_last(sink, stream, &last, err);
        sink->stamp = status == RF_OK && last > sink->stamp ? last : sink->stamp;
    }
    if (status == RF_OK && sink->stamp > UINT64_MAX - 2 * RF_STAMP_GAP) {
        status = rf_fail(err, RF_FATAL, "the ids in the streams of %s cannot grow any more",
                         rf_buf_cstr(&sink->guard.key));
    }
    if (status == RF_OK) {
        sink->stamp += RF_STAMP_GAP;
        sink->stamp_whole = sink->stamp;
        status = rf_redis_group_open(&sink->guard, err);
    }
    if (status == RF_OK) {
        rf_redis_group_command(&sink->guard, RF_REDIS_NO_TAG, 2 + RF_REDIS_STREAMS_ARGUMENTS);
        rf_redis_bulk(&sink->guard.redis, RF_STR("HSET"));
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->guard.key));
        rf_redis_streams_add_fields(sink);
        status = rf_redis_group_finish(&sink->guard, err);
    }
    return status;
}

enum rf_status rf_redis_streams_open(struct rf_redis_sink *sink, bool anew, struct rf_error *err)
{
    bool changed = sink->stamps_known && sink->picks != sink->picks_written;
    enum rf_status status = RF_OK;
    if (changed || (anew && sink->streams != NULL)) {
        status = raise_stamps(sink, err);
    }
    sink->stamp_whole = sink->stamp_opened = sink->stamp;
    return status;
}

/* ---------------------------------------------------------------------------------- the entries */

/* A field's value: where its text lies in sink->entry. */
struct field {
    const char *name;
    size_t end;
};
struct entry {
    struct field fields[8];
    uint32_t count;
};

static void end_field(struct rf_redis_sink *sink, struct entry *entry, const char *name)
{
    rf_assert(entry->count < sizeof entry->fields / sizeof *entry->fields);
    entry->fields[entry->count++] = (struct field){name, sink->entry.size};
}

static enum rf_status add_image(struct rf_redis_sink *sink, struct entry *entry, const char *name,
                                const struct rf_event *event, const struct rf_json_names *names,
                                const struct rf_value *image, struct rf_error *err)
{
    if (image == NULL || names->count == 0) {
        return RF_OK;
    }
    enum rf_status status = rf_redis_row_json(&sink->entry, event, names, image, err);
    end_field(sink, entry, name);
    return status;
}

static void add_document(struct rf_redis_sink *sink, struct entry *entry, const char *name,
                         struct rf_str document)
{
    if (document.size > 0) {
        rf_bson_json_add(&sink->entry, document, RF_BSON_JSON_RELAXED);
        end_field(sink, entry, name);
    }
}

/* The same of a collection: documents as they are, or what an update changed. */
static enum rf_status add_documents(struct rf_redis_sink *sink, struct entry *entry,
                                    const struct rf_event *event, struct rf_error *err)
{
    struct rf_bson_element id;
    enum rf_status status = rf_document_id(event, &id, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_str before = rf_document_of(event->before), after = rf_document_of(event->after);
    rf_buf_add_str(&sink->entry, RF_STR("{\"_id\":"));
    rf_bson_json_add_value(&sink->entry, &id, RF_BSON_JSON_RELAXED);
    rf_buf_add_byte(&sink->entry, '}');
    end_field(sink, entry, "key");
    add_document(sink, entry, "before", before);
    add_document(sink, entry, "after", after);
    if (after.size == 0 && event->change != NULL) {
        add_document(sink, entry, "update", event->change->update);
    }
    return RF_OK;
}

static enum rf_status add_row(struct rf_redis_sink *sink, struct entry *entry,
                              const struct rf_event *event, const struct rf_redis_table *target,
                              struct rf_error *err)
{
    rf_buf_add_str(&sink->entry, event->table->full_name);
    end_field(sink, entry, "table");
    if (event->table->documents) {
        return add_documents(sink, entry, event, err);
    }
    enum rf_status status =
        add_image(sink, entry, "key", event, &target->key_names, rf_event_image(event), err);
    if (status == RF_OK) {
        status = add_image(sink, entry, "before", event, &target->names, event->before, err);
    }
    if (status == RF_OK) {
        status = add_image(sink, entry, "after", event, &target->names, event->after, err);
    }
    return status;
}

static void add_statement(struct rf_redis_sink *sink, struct entry *entry,
                          const struct rf_event *event)
{
    struct rf_buf *out = &sink->entry;
    if (event->op == RF_DDL) {
        rf_buf_add_str(out, event->database);
        end_field(sink, entry, "database");
    }
    if (event->object.size > 0) {
        rf_buf_add_str(out, event->database);
        if (event->database.size > 0) {
            rf_buf_add_byte(out, '.');
        }
        rf_buf_add_str(out, event->object);
        end_field(sink, entry, "table");
    }
    rf_buf_add_str(out, event->statement);
    end_field(sink, entry, "statement");
}

/* "2026-11-22T17:00:00Z", and "0-1-42:1:0": the same on each replay. */
static void add_place(struct rf_redis_sink *sink, struct entry *entry, const struct rf_event *event)
{
    const struct rf_transaction *transaction = rf_view_transaction(sink->view, event);
    struct rf_buf *out = &sink->entry;
    size_t start = out->size;
    rf_json_add_instant(out, transaction->commit_us);
    memmove(out->data + start, out->data + start + 1, out->size - start - 2); /* without quotes */
    out->size -= 2;
    end_field(sink, entry, "ts");
    rf_buf_add_str(out, transaction->id);
    rf_buf_add_byte(out, ':');
    rf_buf_add_u64(out, event->ordinal);
    rf_buf_add_byte(out, ':');
    rf_buf_add_u64(out, event->row);
    end_field(sink, entry, "id");
}

/* The texts of the entry into sink->entry. */
static enum rf_status build(struct rf_redis_sink *sink, struct entry *entry,
                            const struct rf_event *event, const struct rf_redis_table *target,
                            struct rf_error *err)
{
    enum rf_status status = RF_OK;
    rf_buf_reset(&sink->entry);
    rf_buf_add_str(&sink->entry, rf_str_of(rf_op_name((enum rf_op)event->op)));
    end_field(sink, entry, "op");
    if (event->table != NULL) {
        status = add_row(sink, entry, event, target, err);
    } else {
        add_statement(sink, entry, event);
    }
    add_place(sink, entry, event);
    for (uint32_t i = 0; i < entry->count && status == RF_OK; i++) {
        size_t size = entry->fields[i].end - (i > 0 ? entry->fields[i - 1].end : 0);
        if (size > RF_REDIS_VALUE_MAX) {
            status = rf_redis_too_large(event, size, err);
        }
    }
    return status;
}

static enum rf_status add_entry(struct rf_redis_sink *sink, const struct rf_redis_stream *stream,
                                const struct entry *entry, const struct rf_event *event,
                                struct rf_error *err)
{
    struct rf_redis *redis = &sink->guard.redis;
    char id[ID_SIZE];
    size_t size = print_id(id, sink->stamp), begin = 0;
    enum rf_status status = rf_redis_group_open(&sink->guard, err);
    if (status != RF_OK) {
        return status;
    }
    rf_redis_group_command(&sink->guard, event,
                           (sink->entries_max > 0 ? 6u : 3u) + 2 * entry->count);
    rf_redis_bulk(redis, RF_STR("XADD"));
    rf_redis_bulk(redis, stream->key);
    if (sink->entries_max > 0) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)sink->entries_max);
        rf_redis_bulk(redis, RF_STR("MAXLEN"));
        rf_redis_bulk(redis, RF_STR("~"));
        rf_redis_bulk(redis, rf_str_of(number));
    }
    rf_redis_bulk(redis, (struct rf_str){id, size});
    for (uint32_t i = 0; i < entry->count; i++) {
        rf_redis_bulk(redis, rf_str_of(entry->fields[i].name));
        rf_redis_bulk(redis,
                      (struct rf_str){sink->entry.data + begin, entry->fields[i].end - begin});
        begin = entry->fields[i].end;
    }
    return rf_redis_group_push(&sink->guard, err);
}

/* The stream that the event belongs to, and of a row its table. */
static enum rf_status find_stream(struct rf_redis_sink *sink, const struct rf_event *event,
                                  struct rf_redis_table **target, struct rf_redis_stream **out,
                                  struct rf_error *err)
{
    const struct rf_table *table = event->table;
    struct rf_redis_table *last = sink->tables.last;
    enum rf_status status = RF_OK;
    *target = NULL;
    if (table != NULL && last != NULL && last->table == table) {
        *target = last;
        *out = last->stream;
        return RF_OK;
    }
    if (table != NULL) {
        sink->tables.last = NULL;
        status = rf_redis_table_bind(sink, table, target, err);
    }
    if (status == RF_OK && table != NULL && (*target)->stream != NULL) {
        *out = (*target)->stream; /* which hangs on the names alone */
        sink->tables.last = *target;
        return RF_OK;
    }
    if (status == RF_OK) {
        status = render_key(sink, table != NULL ? table->database : event->database,
                            table != NULL ? table->name : event->object, &sink->key_text, err);
    }
    if (status == RF_OK) {
        *out = get_stream(sink, rf_buf_str(&sink->key_text));
        if (table != NULL) {
            (*target)->stream = *out;
            sink->tables.last = *target;
        }
    }
    return status;
}

/* Of an event that was written already, by the stream's last id when it was met. */
static enum rf_status pass_over(struct rf_redis_sink *sink, struct rf_redis_stream *stream,
                                const struct rf_event *event, struct rf_error *err)
{
    struct entry place = {0};
    rf_buf_reset(&sink->entry);
    add_place(sink, &place, event);
    struct rf_str id = {sink->entry.data + place.fields[0].end,
                        place.fields[1].end - place.fields[0].end};
    stream->passed = sink->stamp;
    rf_buf_set(&stream->passed_event, id);
    if (sink->stamp < stream->last) {
        return RF_OK;
    }
    if (stream->event.size > 0 && !rf_str_equal(id, rf_buf_str(&stream->event))) {
        return foreign_stamp(sink, stream, stream->last, err);
    }
    stream->matched = true;
    stream->passed = 0;
    return RF_OK;
}

/* As entries are written in order, the last one that was passed over stands for all before it. */
static enum rf_status prove(struct rf_redis_sink *sink, struct rf_redis_stream *stream,
                            struct rf_error *err)
{
    const struct rf_redis_reply *reply = &sink->guard.redis.reply;
    char text[ID_SIZE];
    struct rf_str id = {text, print_id(text, stream->passed)};
    struct rf_str it[] = {RF_STR("XRANGE"), stream->key, id, id};
    struct rf_str first[] = {RF_STR("XRANGE"), stream->key,     RF_STR("-"),
                             RF_STR("+"),      RF_STR("COUNT"), RF_STR("1")};
    uint64_t stamp = UINT64_MAX;
    enum rf_status status = rf_redis_guard_ask(&sink->guard, it, 4, err);
    if (status != RF_OK) {
        return status;
    }
    if (reply->item_count > 0) {
        return rf_str_equal(item_behind(reply, 1, "id"), rf_buf_str(&stream->passed_event))
                   ? RF_OK
                   : foreign_stamp(sink, stream, stream->passed, err);
    }
    /* Trimmed away, when all that is left came later. */
    status = rf_redis_guard_ask(&sink->guard, first, 6, err);
    if (status == RF_OK && reply->item_count > 0 &&
        (!parse_id(reply->items[0], &stamp) || stamp < stream->passed)) {
        status = foreign_stamp(sink, stream, stream->last, err);
    }
    return status;
}

enum rf_status rf_redis_streams_prove(struct rf_redis_sink *sink, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_redis_stream *stream = sink->streams;
    for (; stream != NULL && status == RF_OK; stream = stream->next) {
        if (stream->passed > 0) {
            status = prove(sink, stream, err);
            stream->passed = 0;
        }
    }
    return status;
}

enum rf_status rf_redis_streams_put(struct rf_redis_sink *sink, const struct rf_event *event,
                                    struct rf_error *err)
{
    struct rf_redis_table *target = NULL;
    struct rf_redis_stream *stream = NULL;
    struct entry entry = {0};
    sink->stamp = rf_stamp_next(sink->stamp, rf_view_transaction(sink->view, event)->commit_us);
    enum rf_status status = find_stream(sink, event, &target, &stream, err);
    if (status == RF_OK && !stream->known) {
        status = meet(sink, stream, err);
    }
    if (status == RF_OK && sink->stamp <= stream->last) {
        return pass_over(sink, stream, event, err);
    }
    if (status == RF_OK && stream->last > sink->stamp_opened && !stream->matched) {
        return foreign_stamp(sink, stream, stream->last, err);
    }
    if (status == RF_OK) {
        status = build(sink, &entry, event, target, err);
    }
    return status == RF_OK ? add_entry(sink, stream, &entry, event, err) : status;
}

enum rf_status rf_redis_streams_explain(const struct rf_redis_sink *sink, enum rf_status status,
                                        struct rf_error *err)
{
    if (status != RF_REJECT || (strstr(err->message, "equal or smaller") == NULL &&
                                strstr(err->message, "WRONGTYPE") == NULL)) {
        return status;
    }
    char said[sizeof err->message];
    snprintf(said, sizeof said, "%s", err->message);
    rf_fail(err, RF_FATAL,
            "somebody else has written to a stream of this pipeline in Redis at %s: "
            "%.300s",
            sink->guard.redis.where, said);
    rf_error_hint(err, "a stream belongs to one pipeline: remove what others have added, and give "
                       "them one of their own; see docs/delivery.md");
    return RF_FATAL;
}
