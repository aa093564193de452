/* The sink `redis`: rows as hashes or strings, and the position beside them.
 *
 * write returns when every reply was read, and flush then writes the position: what Redis loses in
 * a crash of its own it loses with the position. The hash rowferry:position:PIPELINE:INSTANCE holds
 *
 *     position      the source's position behind the last flush
 *     updated       when that was, UTC
 *     epoch, owner  who may write; see net/redis_guard.h
 *     table:DB:T    the keys of table T in DB: "whole" or "folds", and their pattern
 *
 * The last ones tell a later process which keys a TRUNCATE is about. */
#include "base/clock.h"
#include "base/memory.h"
#include "event/template.h"
#include "event/value.h"
#include "net/redis_guard.h"

#include <rowferry/log.h>
#include <rowferry/sink.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    VALUE_MAX = 512 * 1024 * 1024,         /* bytes that Redis takes */
    RUN_ROWS = RF_REDIS_UNIT_COMMANDS - 1, /* at most in a run */
    RUN_BYTES = 64 * 1024,                 /* with so many a run ends */
};

#define OWN_PREFIX  "rowferry:position:"
#define TABLE_FIELD "table:"

enum { AS_HASH, AS_STRING };

/* Of a row: columns with and without a value, and the sizes of texts. */
struct counts {
    uint32_t set, null;
    uint64_t largest, bytes;
    bool untold; /* the log does not tell all columns */
};

/* New rows of one table that follow each other, with different keys. What somebody left under these
 * keys goes in one command in front of them, which is much cheaper than one for each. */
struct run {
    uint32_t count;
    struct rf_buf keys;
    size_t key_ends[RUN_ROWS];
    struct counts counts[RUN_ROWS];
    uint64_t seen[64]; /* bits by the keys' hashes */
};

/* A table, as this sink writes it. */
struct target {
    struct target *next; /* in the same bucket */
    struct rf_buf name;  /* "table:DB:T", the field of its record */
    uint64_t hash;
    struct rf_buf record;   /* what is in that field; empty: nothing was written yet */
    struct rf_table *table; /* the version that the rest is about, one reference; NULL: unseen */
    struct rf_binding key;
    struct rf_binding value; /* as=string */
    struct rf_buf heads;     /* as=hash: each column's name as RESP, */
    size_t *head_ends;       /* and where each one ends */
    bool near_own;           /* its keys may begin as our own do */
};

struct redis_sink {
    const char *host, *path, *user, *password, *key, *value;
    int64_t port, timeout_ms;
    int32_t as;

    struct rf_redis_guard guard; /* its key is that of the position */
    struct rf_template key_template, value_template;
    struct rf_buf position; /* as it stands in Redis */

    struct target **buckets;
    uint32_t bucket_count, target_count;
    struct target *last; /* the target of the row before */

    const struct rf_view *view; /* what is being written; a command's tag is its event's number */
    struct rf_buf key_text, old_key_text, text;
    struct run run;
};

/* --------------------------------------------------------------------------------------- tables */

static uint64_t hash_of(struct rf_str name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < name.size; i++) {
        hash = (hash ^ (unsigned char)name.data[i]) * 1099511628211u;
    }
    return hash;
}

static void name_field(struct rf_buf *out, struct rf_str database, struct rf_str table)
{
    rf_buf_set(out, RF_STR(TABLE_FIELD));
    rf_template_escape(out, database, ':');
    rf_buf_add_byte(out, ':');
    rf_buf_add_str(out, table);
}

static struct target *find_target(const struct redis_sink *sink, struct rf_str field, uint64_t hash)
{
    struct target *target =
        sink->bucket_count ? sink->buckets[hash & (sink->bucket_count - 1)] : NULL;
    while (target != NULL &&
           (target->hash != hash || !rf_str_equal(rf_buf_str(&target->name), field))) {
        target = target->next;
    }
    return target;
}

static void grow_buckets(struct redis_sink *sink)
{
    uint32_t count = sink->bucket_count ? sink->bucket_count * 2 : 64;
    struct target **buckets = rf_alloc_zero(count, sizeof *buckets);
    for (uint32_t i = 0; i < sink->bucket_count; i++) {
        for (struct target *target = sink->buckets[i], *next; target != NULL; target = next) {
            next = target->next;
            target->next = buckets[target->hash & (count - 1)];
            buckets[target->hash & (count - 1)] = target;
        }
    }
    free(sink->buckets);
    sink->buckets = buckets;
    sink->bucket_count = count;
}

static struct target *get_target(struct redis_sink *sink, struct rf_str field)
{
    uint64_t hash = hash_of(field);
    struct target *target = find_target(sink, field, hash);
    if (target == NULL) {
        if (sink->target_count == sink->bucket_count) {
            grow_buckets(sink);
        }
        target = rf_alloc_zero(1, sizeof *target);
        target->hash = hash;
        rf_buf_add_str(&target->name, field);
        struct target **bucket = &sink->buckets[hash & (sink->bucket_count - 1)];
        target->next = *bucket;
        *bucket = target;
        sink->target_count++;
    }
    return target;
}

static void unbind_target(struct target *target)
{
    rf_binding_deinit(&target->key);
    rf_binding_deinit(&target->value);
    rf_buf_deinit(&target->heads);
    free(target->head_ends);
    rf_table_release(target->table);
    target->head_ends = NULL;
    target->table = NULL;
}

static void build_heads(struct target *target)
{
    const struct rf_table *table = target->table;
    target->head_ends = rf_alloc((table->column_count + 1) * sizeof *target->head_ends);
    for (uint32_t i = 0; i < table->column_count; i++) {
        struct rf_str name = table->columns[i].name;
        rf_buf_printf(&target->heads, "$%zu\r\n", name.size);
        rf_buf_add_str(&target->heads, name);
        rf_buf_add_str(&target->heads, RF_STR("\r\n"));
        target->head_ends[i] = target->heads.size;
    }
}

/* The pattern of a record that says "whole PATTERN" or "folds PATTERN". */
static struct rf_str pattern_of(const struct target *target)
{
    struct rf_str record = rf_buf_str(&target->record), word;
    (void)rf_str_split(&record, ' ', &word);
    return record;
}

static bool is_whole(const struct target *target)
{
    return rf_str_starts(rf_buf_str(&target->record), RF_STR("whole "));
}

/* "DB:T". */
static struct rf_str name_of(const struct target *target)
{
    struct rf_str name = rf_buf_str(&target->name);
    return (struct rf_str){name.data + sizeof TABLE_FIELD - 1,
                           name.size - (sizeof TABLE_FIELD - 1)};
}

enum { PATTERN_END = -1, PATTERN_COLUMN = -2 };

/* Takes the next byte of text off a pattern, or a column, or finds its end. */
static int next_of_pattern(struct rf_str *pattern)
{
    size_t size = 1;
    int piece = PATTERN_END;
    if (pattern->size == 0) {
        return piece;
    }
    piece = (unsigned char)pattern->data[0];
    if (rf_str_starts(*pattern, RF_STR("{i}")) || rf_str_starts(*pattern, RF_STR("{t}"))) {
        piece = PATTERN_COLUMN;
        size = 3;
    } else if ((piece == '{' || piece == '}') && pattern->size > 1) {
        size = 2; /* they are doubled */
    }
    pattern->data += size;
    pattern->size -= size;
    return piece;
}

/* False only when no key can be of both. Columns with the same text behind them end at the same
 * byte of a key, as their values have that text's first byte escaped. So two patterns that agree up
 * to some place, and then have different bytes within a text, have no key in common. */
static bool patterns_overlap(struct rf_str a, struct rf_str b)
{
    bool behind_column = false;
    for (;;) {
        int in_a = next_of_pattern(&a), in_b = next_of_pattern(&b);
        if (in_a != in_b) {
            return behind_column || in_a == PATTERN_COLUMN || in_b == PATTERN_COLUMN;
        }
        if (in_a == PATTERN_END) {
            return true;
        }
        behind_column = in_a == PATTERN_COLUMN;
    }
}

/* Rows of two tables under one key would destroy each other. Tables that fold may share keys. */
static enum rf_status check_shared(const struct redis_sink *sink, const struct target *target,
                                   struct rf_str pattern, struct rf_error *err)
{
    for (uint32_t i = 0; i < sink->bucket_count; i++) {
        for (const struct target *other = sink->buckets[i]; other != NULL; other = other->next) {
            if (other == target || other->record.size == 0 ||
                !(target->key.whole_key || is_whole(other)) ||
                !patterns_overlap(pattern, pattern_of(other))) {
                continue;
            }
            rf_fail(err, RF_CONFIG,
                    "with the key template '%s' rows of %.*s and of %.*s would overwrite each "
                    "other",
                    sink->key_template.text, RF_STR_ARG(name_of(target)),
                    RF_STR_ARG(name_of(other)));
            rf_error_hint(err, "put {database} and {table} in front of the key template; for a "
                               "renamed table see docs/delivery.md");
            return RF_CONFIG;
        }
    }
    return RF_OK;
}

/* What a TRUNCATE in a later process has to know is written before the first row is. */
static enum rf_status record_target(struct redis_sink *sink, struct target *target,
                                    struct rf_error *err)
{
    rf_buf_set(&sink->text, target->key.whole_key ? RF_STR("whole ") : RF_STR("folds "));
    rf_binding_pattern(&target->key, &sink->text);
    if (rf_str_equal(rf_buf_str(&sink->text), rf_buf_str(&target->record))) {
        return RF_OK;
    }
    struct rf_str pattern = rf_buf_str(&sink->text);
    pattern.data += sizeof "whole " - 1;
    pattern.size -= sizeof "whole " - 1;
    enum rf_status status = check_shared(sink, target, pattern, err);
    if (status == RF_OK) {
        status = rf_redis_group_open(&sink->guard, err);
    }
    if (status == RF_OK) {
        rf_redis_group_command(&sink->guard, RF_REDIS_NO_TAG, 4);
        rf_redis_bulk(&sink->guard.redis, RF_STR("HSET"));
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->guard.key));
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&target->name));
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
        rf_buf_set(&target->record, rf_buf_str(&sink->text));
    }
    return status;
}

static enum rf_status bind_target(struct redis_sink *sink, const struct rf_table *table,
                                  struct target **out, struct rf_error *err)
{
    name_field(&sink->text, table->database, table->name);
    struct target *target = get_target(sink, rf_buf_str(&sink->text));
    *out = target;
    if (target->table == table) {
        return RF_OK;
    }
    unbind_target(target);
    enum rf_status status = rf_template_bind(&sink->key_template, table, &target->key, err);
    if (status == RF_OK && sink->as == AS_STRING) {
        status = rf_template_bind(&sink->value_template, table, &target->value, err);
    }
    if (status != RF_OK && table->key_count == 0) {
        rf_error_hint(err,
                      "give it a primary key, or write a template of its columns; sequences and "
                      "tables without a key can be left out with tables=...,-%.*s",
                      RF_STR_ARG(table->full_name));
    }
    if (status == RF_OK) {
        struct rf_str prefix = target->key.prefix, own = RF_STR(OWN_PREFIX);
        target->near_own = rf_str_starts(prefix, own) || rf_str_starts(own, prefix);
        target->table = rf_table_retain((struct rf_table *)table);
        build_heads(target);
        status = record_target(sink, target, err);
    }
    if (status != RF_OK) {
        unbind_target(target);
    }
    return status;
}

static void destroy_targets(struct redis_sink *sink)
{
    for (uint32_t i = 0; i < sink->bucket_count; i++) {
        for (struct target *target = sink->buckets[i], *next; target != NULL; target = next) {
            next = target->next;
            unbind_target(target);
            rf_buf_deinit(&target->name);
            rf_buf_deinit(&target->record);
            free(target);
        }
    }
    free(sink->buckets);
    sink->buckets = NULL;
    sink->bucket_count = sink->target_count = 0;
    sink->last = NULL;
}

/* ----------------------------------------------------------------------------------------- rows */

static enum rf_status render_key(struct redis_sink *sink, const struct target *target,
                                 const struct rf_event *event, const struct rf_value *image,
                                 const struct rf_value *other, struct rf_buf *out,
                                 struct rf_error *err)
{
    rf_buf_reset(out);
    enum rf_status status = rf_binding_render(&target->key, event, 0, image, other, out, err);
    if (status == RF_OK && target->near_own && rf_str_starts(rf_buf_str(out), RF_STR(OWN_PREFIX))) {
        status = rf_fail(err, RF_CONFIG, "rows of %.*s would be written among rowferry's own keys",
                         RF_STR_ARG(target->table->full_name));
        rf_error_hint(err, "choose a key template that cannot begin with " OWN_PREFIX);
    }
    (void)sink;
    return status;
}

static enum rf_status too_large(const struct rf_event *event, const struct rf_table *table,
                                uint64_t size, struct rf_error *err)
{
    rf_fail(err, RF_REJECT, "a value of %.*s has %llu bytes, and Redis takes 512 MiB",
            RF_STR_ARG(table->full_name), (unsigned long long)size);
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static bool is_new_row(const struct rf_event *event)
{
    return event->op == RF_CREATE || event->op == RF_READ;
}

static bool is_text(const struct rf_value *value)
{
    return value->kind >= RF_DECIMAL && value->kind <= RF_GEOMETRY;
}

/* The value as an argument, behind `head`, which may be empty. */
static void add_value(struct redis_sink *sink, struct rf_str head, const struct rf_value *value)
{
    struct rf_buf *out = &sink->guard.redis.out;
    struct rf_str text = RF_STR_NONE;
    if (is_text(value)) {
        text = rf_value_str(*value);
    } else {
        rf_buf_reset(&sink->text);
        rf_value_print(&sink->text, *value);
        text = rf_buf_str(&sink->text);
    }
    memcpy(rf_buf_reserve(out, head.size + text.size + 32), head.data, head.size);
    out->size += head.size;
    rf_redis_bulk(&sink->guard.redis, text);
}

/* The column as it is now: what the log does not tell of an update is as it was. */
static const struct rf_value *value_now(const struct rf_value *image, const struct rf_value *other,
                                        uint32_t column)
{
    return image[column].kind == RF_ABSENT && other != NULL ? &other[column] : &image[column];
}

static struct counts count_values(const struct rf_table *table, const struct rf_value *image,
                                  const struct rf_value *other)
{
    struct counts counts = {0};
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_value *value = value_now(image, other, i);
        if (value->kind == RF_NULL) {
            counts.null++;
        } else if (value->kind == RF_ABSENT) {
            counts.untold = true;
        } else {
            uint64_t size = is_text(value) ? value->size : 0;
            counts.set++;
            counts.bytes += size;
            counts.largest = size > counts.largest ? size : counts.largest;
        }
    }
    return counts;
}

static struct rf_str head_of(const struct target *target, uint32_t column)
{
    size_t begin = column > 0 ? target->head_ends[column - 1] : 0;
    return (struct rf_str){target->heads.data + begin, target->head_ends[column] - begin};
}

static void unlink_key(struct redis_sink *sink, uint32_t event, const struct rf_buf *key)
{
    rf_redis_group_command(&sink->guard, event, 2);
    rf_redis_bulk(&sink->guard.redis, RF_STR("UNLINK"));
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(key));
}

/* Of a row whose key changes: the old one, and what somebody left under the new one. */
static void unlink_moved(struct redis_sink *sink, uint32_t event)
{
    rf_redis_group_command(&sink->guard, event, 3);
    rf_redis_bulk(&sink->guard.redis, RF_STR("UNLINK"));
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->old_key_text));
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->key_text));
}

static void add_hash(struct redis_sink *sink, const struct target *target, uint32_t event,
                     struct rf_str key, const struct rf_value *image, const struct rf_value *other,
                     struct counts counts)
{
    const struct rf_table *table = target->table;
    struct rf_redis *redis = &sink->guard.redis;
    if (counts.set > 0) {
        rf_redis_group_command(&sink->guard, event, 2 + 2 * counts.set);
        rf_redis_bulk(redis, RF_STR("HSET"));
        rf_redis_bulk(redis, key);
        for (uint32_t i = 0; i < table->column_count; i++) {
            const struct rf_value *value = value_now(image, other, i);
            if (value->kind != RF_NULL && value->kind != RF_ABSENT) {
                add_value(sink, head_of(target, i), value);
            }
        }
    }
    if (counts.null > 0) {
        rf_redis_group_command(&sink->guard, event, 2 + counts.null);
        rf_redis_bulk(redis, RF_STR("HDEL"));
        rf_redis_bulk(redis, key);
        for (uint32_t i = 0; i < table->column_count; i++) {
            if (value_now(image, other, i)->kind == RF_NULL) {
                rf_buf_add_str(&redis->out, head_of(target, i));
            }
        }
    }
}

static void add_string(struct redis_sink *sink, uint32_t event)
{
    rf_redis_group_command(&sink->guard, event, 3);
    rf_redis_bulk(&sink->guard.redis, RF_STR("SET"));
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->key_text));
    rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
}

/* All that can fail comes before the first command, so that a row that is refused leaves nothing
 * behind. */
static enum rf_status put_row(struct redis_sink *sink, const struct target *target, uint32_t number,
                              struct rf_error *err)
{
    const struct rf_event *event = &sink->view->events[number];
    bool moves =
        event->op == RF_UPDATE && target->key.whole_key && rf_binding_changes(&target->key, event);
    /* Fields that the log does not tell are in the hash already, unless it is a new one. */
    const struct rf_value *other = moves ? event->before : NULL;
    struct counts counts = {0};
    enum rf_status status =
        render_key(sink, target, event, event->after, event->before, &sink->key_text, err);
    if (status == RF_OK && moves) {
        status = render_key(sink, target, event, event->before, NULL, &sink->old_key_text, err);
        moves = !rf_str_equal(rf_buf_str(&sink->old_key_text), rf_buf_str(&sink->key_text));
    }
    if (status == RF_OK && sink->as == AS_STRING) {
        rf_buf_reset(&sink->text);
        status = rf_binding_render(&target->value, event,
                                   rf_view_transaction(sink->view, event)->commit_us, event->after,
                                   event->before, &sink->text, err);
        counts.largest = sink->text.size;
    } else if (status == RF_OK) {
        counts = count_values(target->table, event->after, other);
    }
    if (status != RF_OK) {
        return status;
    }
    if (counts.largest > VALUE_MAX) {
        return too_large(event, target->table, counts.largest, err);
    }
    if (counts.untold && moves) {
        rf_fail(err, RF_REJECT,
                "the log does not tell all columns of a row of %.*s whose key changes",
                RF_STR_ARG(target->table->full_name));
        rf_error_hint(err, "set binlog_row_image=FULL at the source");
        if (err != NULL) {
            err->event = event;
        }
        return RF_REJECT;
    }
    if (moves) {
        unlink_moved(sink, number);
        counts.null = 0;
    }
    if (sink->as == AS_STRING) {
        add_string(sink, number);
    } else {
        add_hash(sink, target, number, rf_buf_str(&sink->key_text), event->after, other, counts);
    }
    return RF_OK;
}

/* Adds a new row to the run. Returns RF_OK; RF_AGAIN: its key may be there already. */
static enum rf_status add_to_run(struct redis_sink *sink, const struct target *target,
                                 const struct rf_event *event, struct rf_error *err)
{
    struct run *run = &sink->run;
    struct counts *counts = &run->counts[run->count];
    enum rf_status status =
        render_key(sink, target, event, event->after, NULL, &sink->key_text, err);
    if (status != RF_OK) {
        return status;
    }
    *counts = count_values(target->table, event->after, NULL);
    if (counts->largest > VALUE_MAX) {
        return too_large(event, target->table, counts->largest, err);
    }
    uint64_t hash = hash_of(rf_buf_str(&sink->key_text));
    uint64_t *word = &run->seen[hash >> 6 & 63], bit = (uint64_t)1 << (hash & 63);
    if (*word & bit) {
        return RF_AGAIN;
    }
    *word |= bit;
    rf_buf_add_str(&run->keys, rf_buf_str(&sink->key_text));
    run->key_ends[run->count++] = run->keys.size;
    return RF_OK;
}

/* Collects the run that begins with event `number`. What is wrong with a later row is said when a
 * run begins with it. */
static enum rf_status find_run(struct redis_sink *sink, const struct target *target,
                               uint32_t number, struct rf_error *err)
{
    struct run *run = &sink->run;
    uint64_t bytes = 0;
    run->count = 0;
    rf_buf_reset(&run->keys);
    memset(run->seen, 0, sizeof run->seen);
    enum rf_status status = add_to_run(sink, target, &sink->view->events[number], err);
    while (status == RF_OK && run->count < RUN_ROWS && number + run->count < sink->view->count) {
        const struct rf_event *event = &sink->view->events[number + run->count];
        bytes += run->counts[run->count - 1].bytes;
        if (!is_new_row(event) || event->table != target->table || bytes >= RUN_BYTES ||
            add_to_run(sink, target, event, NULL) != RF_OK) {
            break;
        }
    }
    return status;
}

static struct rf_str run_key(const struct run *run, uint32_t row)
{
    size_t begin = row > 0 ? run->key_ends[row - 1] : 0;
    return (struct rf_str){run->keys.data + begin, run->key_ends[row] - begin};
}

/* New rows have no fields but their own, whatever a table that is gone has left under their keys.
 * Moves *number on to the last one that was put. */
static enum rf_status put_run(struct redis_sink *sink, const struct target *target,
                              uint32_t *number, struct rf_error *err)
{
    struct run *run = &sink->run;
    uint32_t first = *number;
    enum rf_status status = find_run(sink, target, first, err);
    if (status != RF_OK) {
        return status;
    }
    rf_redis_group_command(&sink->guard, first, 1 + run->count);
    rf_redis_bulk(&sink->guard.redis, RF_STR("UNLINK"));
    for (uint32_t i = 0; i < run->count; i++) {
        rf_redis_bulk(&sink->guard.redis, run_key(run, i));
    }
    for (uint32_t i = 0; i < run->count; i++) {
        run->counts[i].null = 0;
        add_hash(sink, target, first + i, run_key(run, i), sink->view->events[first + i].after,
                 NULL, run->counts[i]);
    }
    *number = first + run->count - 1;
    return RF_OK;
}

static enum rf_status delete_row(struct redis_sink *sink, const struct target *target,
                                 uint32_t number, struct rf_error *err)
{
    const struct rf_event *event = &sink->view->events[number];
    if (!target->key.whole_key) {
        return RF_OK; /* other rows share the key */
    }
    enum rf_status status =
        render_key(sink, target, event, event->before, NULL, &sink->key_text, err);
    if (status == RF_OK) {
        unlink_key(sink, number, &sink->key_text);
    }
    return status;
}

/* One change of one row, or a run of new ones; moves *number on to the last of them. */
static enum rf_status write_row(struct redis_sink *sink, uint32_t *number, struct rf_error *err)
{
    const struct rf_event *event = &sink->view->events[*number];
    struct target *target = sink->last;
    enum rf_status status = RF_OK;
    if (target == NULL || target->table != event->table) {
        sink->last = NULL;
        status = bind_target(sink, event->table, &target, err);
    }
    if (status == RF_OK) {
        sink->last = target;
        status = rf_redis_group_open(&sink->guard, err);
    }
    if (status != RF_OK) {
        return status;
    }
    if (event->op == RF_DELETE) {
        status = delete_row(sink, target, *number, err);
    } else if (is_new_row(event) && sink->as == AS_HASH && target->key.whole_key) {
        status = put_run(sink, target, number, err);
    } else {
        status = put_row(sink, target, *number, err);
    }
    return status == RF_OK ? rf_redis_group_push(&sink->guard, err) : status;
}

/* ------------------------------------------------------------------------------------- TRUNCATE */

static enum rf_status shares_keys(const struct rf_event *event, struct rf_str other,
                                  struct rf_error *err)
{
    rf_fail(err, RF_REJECT, "TRUNCATE of %.*s.%.*s: its keys cannot be told from those of %.*s",
            RF_STR_ARG(event->database), RF_STR_ARG(event->object), RF_STR_ARG(other));
    rf_error_hint(err, "put {database} and {table} in front of the key template");
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

/* Refuses when another table has written keys that may look the same, or the same table by a name
 * in other letters, which some servers take for one. */
static enum rf_status check_alone(const struct redis_sink *sink, const struct target *target,
                                  struct rf_str field, const struct rf_event *event,
                                  struct rf_error *err)
{
    for (uint32_t i = 0; i < sink->bucket_count; i++) {
        for (const struct target *other = sink->buckets[i]; other != NULL; other = other->next) {
            if (other == target || other->record.size == 0) {
                continue;
            }
            if (target != NULL ? patterns_overlap(pattern_of(target), pattern_of(other))
                               : rf_str_equal_nocase(rf_buf_str(&other->name), field)) {
                return shares_keys(event, name_of(other), err);
            }
        }
    }
    return RF_OK;
}

/* Removes those of the keys just found that are the table's. */
static enum rf_status unlink_found(struct redis_sink *sink, const struct rf_binding *pattern,
                                   uint32_t number, struct rf_error *err)
{
    struct rf_redis_reply *reply = &sink->guard.redis.reply;
    uint32_t count = 0;
    for (uint32_t i = 1; i < reply->item_count; i++) {
        struct rf_str key = reply->items[i];
        if (!rf_str_starts(key, RF_STR(OWN_PREFIX)) && rf_binding_matches(pattern, key)) {
            reply->items[++count] = key;
        }
    }
    if (count == 0) {
        return RF_OK;
    }
    enum rf_status status = rf_redis_group_open(&sink->guard, err);
    if (status == RF_OK) {
        rf_redis_group_command(&sink->guard, number, 1 + count);
        rf_redis_bulk(&sink->guard.redis, RF_STR("UNLINK"));
        for (uint32_t i = 1; i <= count; i++) {
            rf_redis_bulk(&sink->guard.redis, reply->items[i]);
        }
        status = rf_redis_group_finish(&sink->guard, err);
    }
    return status;
}

static enum rf_status scan(struct redis_sink *sink, const struct rf_binding *pattern,
                           uint32_t number, struct rf_error *err)
{
    struct rf_buf glob = {0}, cursor = {0};
    enum rf_status status;
    rf_binding_glob(pattern, &glob);
    rf_buf_add_byte(&cursor, '0');
    do {
        struct rf_str words[] = {RF_STR("SCAN"),    rf_buf_str(&cursor), RF_STR("MATCH"),
                                 rf_buf_str(&glob), RF_STR("COUNT"),     RF_STR("1000")};
        const struct rf_redis_reply *reply = &sink->guard.redis.reply;
        status = rf_redis_guard_ask(&sink->guard, words, sizeof words / sizeof *words, err);
        if (status == RF_OK && (reply->kind != RF_REDIS_ARRAY || reply->item_count == 0)) {
            status = rf_fail(err, RF_RETRY, "Redis at %s did not answer a SCAN as it should",
                             sink->guard.redis.where);
        }
        if (status == RF_OK) {
            rf_buf_set(&cursor, reply->items[0]);
            status = unlink_found(sink, pattern, number, err);
        }
    } while (status == RF_OK && !rf_str_equal(rf_buf_str(&cursor), RF_STR("0")));
    rf_buf_deinit(&glob);
    rf_buf_deinit(&cursor);
    return status;
}

/* The keys are those that this pipeline has written for the table; it left word of them. A
 * barrier: all before is done when the search begins, and nothing comes before it ends. */
static enum rf_status truncate_table(struct redis_sink *sink, uint32_t number, struct rf_error *err)
{
    const struct rf_event *event = &sink->view->events[number];
    struct rf_binding pattern = {0};
    name_field(&sink->text, event->database, event->object);
    struct rf_str field = rf_buf_str(&sink->text);
    struct target *target = find_target(sink, field, hash_of(field));
    if (target == NULL || target->record.size == 0) {
        return check_alone(sink, NULL, field, event, err);
    }
    if (rf_str_starts(rf_buf_str(&target->record), RF_STR("folds "))) {
        return RF_OK;
    }
    enum rf_status status = rf_binding_of_pattern(pattern_of(target), &pattern, err);
    if (status == RF_OK && pattern.prefix.size == 0) {
        status = rf_fail(err, RF_FATAL, "the record of %.*s.%.*s in %s is damaged",
                         RF_STR_ARG(event->database), RF_STR_ARG(event->object),
                         rf_buf_cstr(&sink->guard.key));
    }
    if (status == RF_OK) {
        status = check_alone(sink, target, field, event, err);
    }
    if (status == RF_OK) {
        status = rf_redis_group_finish(&sink->guard, err);
    }
    if (status == RF_OK) {
        status = scan(sink, &pattern, number, err);
    }
    rf_binding_deinit(&pattern);
    return status;
}

/* ----------------------------------------------------------------------------------- statements */

static bool is_word_byte(char byte)
{
    unsigned char lower = (unsigned char)byte | 32;
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == '$' || (unsigned char)byte >= 0x80;
}

/* The statement behind `size` bytes, or its end. */
static struct rf_str behind(struct rf_str sql, size_t size)
{
    size = size < sql.size ? size : sql.size;
    return (struct rf_str){sql.data + size, sql.size - size};
}

/* Bytes of the quoted text or comment that the statement begins with; 0: of none. What a comment
 * with "!" holds is carried out, and so are its words. */
static size_t unread_size(struct rf_str sql)
{
    char first = sql.data[0];
    struct rf_str end = RF_STR("*/");
    size_t begin = 2;
    if (first == '\'' || first == '"' || first == '`') {
        end = (struct rf_str){sql.data, 1};
        begin = 1;
    } else if (first == '#' || rf_str_starts(sql, RF_STR("-- "))) {
        end = RF_STR("\n");
        begin = 1;
    } else if (!rf_str_starts(sql, RF_STR("/*")) || rf_str_starts(sql, RF_STR("/*!")) ||
               rf_str_starts(sql, RF_STR("/*M!"))) {
        return 0;
    }
    for (size_t i = begin; i < sql.size; i++) {
        if (rf_str_starts(behind(sql, i), end)) {
            return i + end.size;
        }
    }
    return sql.size;
}

/* Takes the next word off the statement; empty: there is none. */
static struct rf_str next_word(struct rf_str *sql)
{
    size_t size = 0;
    while (sql->size > 0 && !is_word_byte(sql->data[0])) {
        size_t unread = unread_size(*sql);
        bool marked = rf_str_starts(*sql, RF_STR("/*M!"));
        *sql = behind(*sql, unread > 0 ? unread : marked ? sizeof "/*M!" - 1 : 1);
    }
    while (size < sql->size && is_word_byte(sql->data[size])) {
        size++;
    }
    struct rf_str word = {sql->data, size};
    *sql = behind(*sql, size);
    return word;
}

static bool word_is(struct rf_str word, const char *a, const char *b, const char *c)
{
    return rf_str_equal_nocase(word, rf_str_of(a)) || rf_str_equal_nocase(word, rf_str_of(b)) ||
           rf_str_equal_nocase(word, rf_str_of(c));
}

/* True for DDL that takes rows away, or to another table, and is not logged row by row. */
static bool loses_rows(struct rf_str sql)
{
    struct rf_str last = RF_STR_NONE, word = next_word(&sql);
    while (word.size > 0) {
        struct rf_str rest = sql, next = next_word(&rest);
        if (word_is(word, "TABLE", "TABLES", "DATABASE") || word_is(word, "SCHEMA", "", "")) {
            if (word_is(last, "DROP", "RENAME", "REPLACE") || word_is(last, "CONVERT", "", "")) {
                return true;
            }
        } else if (word_is(word, "PARTITION", "", "")) {
            if (word_is(last, "DROP", "TRUNCATE", "EXCHANGE") || word_is(last, "CONVERT", "", "")) {
                return true;
            }
        } else if (word_is(word, "RENAME", "", "") && last.size > 0 &&
                   !word_is(next, "COLUMN", "INDEX", "KEY")) {
            return true; /* ALTER TABLE ... RENAME; its new name may be quoted */
        }
        last = word;
        word = next_word(&sql);
    }
    return false;
}

static void warn_of_statement(const struct rf_event *event)
{
    enum { SHOWN = 120 };
    char shown[SHOWN + 1];
    size_t size = event->statement.size < SHOWN ? event->statement.size : SHOWN;
    if (!loses_rows(event->statement)) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        char byte = event->statement.data[i];
        shown[i] = (unsigned char)byte < ' ' || byte == 0x7f ? ' ' : byte;
    }
    shown[size] = '\0';
    rf_log(RF_LOG_WARN,
           "'%s'%s: rows that it removed or moved stay in Redis as they are until their keys are "
           "written again; see docs/delivery.md",
           shown, event->statement.size > SHOWN ? " ..." : "");
}

/* ----------------------------------------------------------------------------------- the plugin */

/* Adds what only we know about a refusal: which row it is about, and which rights we need. */
static enum rf_status explain(const struct redis_sink *sink, enum rf_status status,
                              struct rf_error *err)
{
    const char *template = sink->key_template.text;
    if (err == NULL) {
        return status;
    }
    if (status == RF_REJECT && err->event == NULL) {
        err->event = &sink->view->events[sink->guard.refused];
        rf_error_hint(err, "a key of this row's name may hold something else already");
    } else if (status == RF_CONFIG && err->access && strstr(err->message, "NOPERM") != NULL) {
        rf_error_hint(err,
                      "grant it: ACL SETUSER %s ~" OWN_PREFIX "* ~%.*s* +multi +exec +watch +hset "
                      "+hdel +hget +hgetall +set +unlink +scan +select +info",
                      sink->user != NULL && sink->user[0] ? sink->user : "default",
                      (int)strcspn(template, "{"), template);
    }
    return status;
}

/* Writes event *number, and moves it on to the last one that was written with it. */
static enum rf_status write_event(struct redis_sink *sink, uint32_t *number, struct rf_error *err)
{
    switch ((enum rf_op)sink->view->events[*number].op) {
    case RF_CREATE:
    case RF_UPDATE:
    case RF_DELETE:
    case RF_READ: return write_row(sink, number, err);
    case RF_TRUNCATE: return truncate_table(sink, *number, err);
    case RF_DDL: warn_of_statement(&sink->view->events[*number]); break; /* keys stay as they are */
    }
    return RF_OK;
}

static enum rf_status redis_write(void *state, const struct rf_view *view, struct rf_error *err)
{
    struct redis_sink *sink = state;
    enum rf_status status = RF_OK;
    sink->view = view;
    for (uint32_t i = 0; i < view->count && status == RF_OK; i++) {
        status = write_event(sink, &i, err);
    }
    if (status == RF_OK) {
        status = rf_redis_group_finish(&sink->guard, err);
    } else if (status == RF_REJECT && err != NULL && err->event != NULL) {
        /* We refused it ourselves. Those before it are to be applied, which may fail in turn. */
        struct rf_error earlier = {0};
        enum rf_status finished = rf_redis_group_finish(&sink->guard, &earlier);
        if (finished != RF_OK) {
            status = finished;
            *err = earlier;
        }
    }
    return explain(sink, status, err);
}

static void add_now(struct rf_buf *out)
{
    struct rf_value now = {.kind = RF_TIMESTAMP, .scale = 3, .i = rf_clock_wall_us()};
    rf_buf_reset(out);
    rf_value_print(out, now);
}

static enum rf_status redis_flush(void *state, struct rf_str position, struct rf_buf *note,
                                  struct rf_error *err)
{
    struct redis_sink *sink = state;
    (void)note;
    if (rf_str_equal(position, rf_buf_str(&sink->position))) {
        return RF_OK; /* it is there, and write has read the replies to everything else */
    }
    enum rf_status status = rf_redis_group_open(&sink->guard, err);
    if (status == RF_OK) {
        add_now(&sink->text);
        rf_redis_group_command(&sink->guard, RF_REDIS_NO_TAG, 6);
        rf_redis_bulk(&sink->guard.redis, RF_STR("HSET"));
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->guard.key));
        rf_redis_bulk(&sink->guard.redis, RF_STR("position"));
        rf_redis_bulk(&sink->guard.redis, position);
        rf_redis_bulk(&sink->guard.redis, RF_STR("updated"));
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
        status = rf_redis_group_finish(&sink->guard, err);
    }
    if (status == RF_OK) {
        rf_buf_set(&sink->position, position);
    }
    return explain(sink, status, err);
}

/* Refuses a key template that begins with a column. */
static enum rf_status check_front(const char *key, struct rf_error *err)
{
    struct rf_str text = rf_str_of(key);
    if (text.data[0] != '{' || rf_str_starts(text, RF_STR("{{")) ||
        rf_str_starts(text, RF_STR("{database}")) || rf_str_starts(text, RF_STR("{table}"))) {
        return RF_OK;
    }
    rf_fail(err, RF_CONFIG,
            "the key template '%s' begins with a column: nobody could tell its keys from others",
            key);
    rf_error_hint(err, "put some text or {table} in front, such as {table}:%s", key);
    return RF_CONFIG;
}

static enum rf_status parse_options(struct redis_sink *sink, uint32_t *database,
                                    struct rf_error *err)
{
    struct rf_str path = rf_str_of(sink->path);
    uint64_t number = 0;
    if (path.size > 0 && path.data[0] == '/') {
        path.data++;
        path.size--;
    }
    if (path.size > 0 && (!rf_str_to_u64(path, &number) || number > INT32_MAX)) {
        rf_fail(err, RF_CONFIG, "'%.*s' is not the number of a Redis database", RF_STR_ARG(path));
        rf_error_hint(err, "write it as redis://host:port/0");
        return RF_CONFIG;
    }
    *database = (uint32_t)number;
    if ((sink->as == AS_STRING) != (sink->value != NULL && sink->value[0] != '\0')) {
        rf_fail(err, RF_CONFIG,
                sink->as == AS_STRING ? "as=string needs a template for the value"
                                      : "a template for the value goes with as=string only");
        rf_error_hint(err, "such as as=string&value={ts}, or {column} by its name");
        return RF_CONFIG;
    }
    enum rf_status status = rf_template_parse(&sink->key_template, RF_TEMPLATE_KEY, sink->key, err);
    if (status == RF_OK) {
        status = check_front(sink->key, err);
    }
    if (status == RF_OK && sink->as == AS_STRING) {
        status = rf_template_parse(&sink->value_template, RF_TEMPLATE_VALUE, sink->value, err);
    }
    return status;
}

/* A field of INFO's text, "name:value" on a line of its own. */
static struct rf_str info_field(struct rf_str text, const char *name)
{
    struct rf_str line, key;
    while (rf_str_split(&text, '\n', &line)) {
        line = rf_str_trim(line);
        if (rf_str_split(&line, ':', &key) && rf_str_equal(key, rf_str_of(name))) {
            return line;
        }
    }
    return RF_STR_NONE;
}

static enum rf_status check_server(struct redis_sink *sink, struct rf_error *err)
{
    struct rf_str words[] = {RF_STR("INFO")};
    enum rf_status status = rf_redis_guard_ask(&sink->guard, words, 1, err);
    if (status == RF_CONFIG && rf_str_starts(sink->guard.redis.reply.text, RF_STR("NOPERM"))) {
        return RF_OK; /* what it would have told shows up later, as an error of a command */
    }
    if (status != RF_OK) {
        return status;
    }
    struct rf_str version = info_field(sink->guard.redis.reply.text, "redis_version"),
                  major = RF_STR_NONE;
    struct rf_str rest = version;
    uint64_t number = 0;
    if (rf_str_split(&rest, '.', &major) && rf_str_to_u64(major, &number) && number < 4) {
        return rf_fail(err, RF_CONFIG, "Redis at %s is %.*s; rowferry needs 4.0 or later",
                       sink->guard.redis.where, RF_STR_ARG(version));
    }
    if (rf_str_equal(info_field(sink->guard.redis.reply.text, "cluster_enabled"), RF_STR("1"))) {
        rf_fail(err, RF_CONFIG, "Redis at %s runs in cluster mode, which is not supported",
                sink->guard.redis.where);
        rf_error_hint(err,
                      "a group of changes and the position could not be written together there");
        return RF_CONFIG;
    }
    return RF_OK;
}

/* Reads the hash of the position. */
static enum rf_status read_state(struct redis_sink *sink, uint64_t *epoch, struct rf_error *err)
{
    const struct rf_redis_reply *reply = &sink->guard.redis.reply;
    enum rf_status status = rf_redis_guard_read(&sink->guard, err);
    for (uint32_t i = 0; status == RF_OK && i + 1 < reply->item_count; i += 2) {
        struct rf_str name = reply->items[i], value = reply->items[i + 1];
        if (rf_str_equal(name, RF_STR("position"))) {
            rf_buf_set(&sink->position, value);
        } else if (rf_str_equal(name, RF_STR("epoch")) && !rf_str_to_u64(value, epoch)) {
            status = rf_fail(err, RF_FATAL, "the epoch '%.*s' in %s is not a number",
                             RF_STR_ARG(value), rf_buf_cstr(&sink->guard.key));
        } else if (rf_str_starts(name, RF_STR(TABLE_FIELD))) {
            rf_buf_set(&get_target(sink, name)->record, value);
        }
    }
    return status;
}

static enum rf_status check_state(const struct redis_sink *sink, const struct rf_context *ctx,
                                  uint64_t epoch, struct rf_error *err)
{
    if (ctx->adopt) {
        return RF_OK;
    }
    if (epoch > ctx->epoch) {
        rf_fail(err, RF_FATAL,
                "Redis at %s was opened by a later start of pipeline %s (epoch %llu, this is %llu)",
                sink->guard.redis.where, ctx->pipeline, (unsigned long long)epoch,
                (unsigned long long)ctx->epoch);
        rf_error_hint(err,
                      "another process of this name is at work, or the state directory is an "
                      "older one; a second pipeline needs a --name of its own. If the state was "
                      "lost, --adopt goes on from the position in Redis");
        return RF_FATAL;
    }
    if (sink->position.size == 0 && ctx->position.size > 0) {
        rf_fail(err, RF_FATAL,
                "Redis at %s has no position of pipeline %s: it lost its data, or is "
                "another one",
                sink->guard.redis.where, ctx->pipeline);
        rf_error_hint(err,
                      "it should be at %.*s; nothing was written. See docs/delivery.md on a "
                      "destination that lost its data",
                      RF_STR_ARG(ctx->position));
        return RF_FATAL;
    }
    return RF_OK;
}

static enum rf_status redis_open(void *state, const struct rf_context *ctx, struct rf_str *resume,
                                 struct rf_error *err)
{
    struct redis_sink *sink = state;
    uint64_t epoch = 0;
    struct rf_redis_address address = {
        .host = sink->host,
        .port = (uint16_t)sink->port,
        .user = sink->user,
        .password = sink->password,
        .connect_timeout_ms = ctx->connect_timeout_ms,
        .timeout_ms = sink->timeout_ms,
    };
    rf_buf_set(&sink->guard.key, RF_STR(OWN_PREFIX));
    rf_template_escape(&sink->guard.key, rf_str_of(ctx->pipeline), ':');
    rf_buf_printf(&sink->guard.key, ":%s", ctx->instance);
    enum rf_status status = parse_options(sink, &address.database, err);
    if (status == RF_OK) {
        status = rf_redis_connect(&sink->guard.redis, &address, err);
    }
    if (status == RF_OK) {
        status = check_server(sink, err);
    }
    if (status == RF_OK) {
        status = read_state(sink, &epoch, err);
    }
    if (status == RF_OK) {
        status = check_state(sink, ctx, epoch, err);
    }
    if (status == RF_OK) {
        status = rf_redis_guard_take(&sink->guard, ctx->epoch, err);
    }
    if (status == RF_OK) {
        *resume = rf_buf_str(&sink->position);
    }
    return explain(sink, status, err);
}

static void redis_close(void *state)
{
    struct redis_sink *sink = state;
    rf_redis_guard_close(&sink->guard);
    destroy_targets(sink);
    rf_template_deinit(&sink->key_template);
    rf_template_deinit(&sink->value_template);
    rf_buf_deinit(&sink->position);
    rf_buf_deinit(&sink->key_text);
    rf_buf_deinit(&sink->old_key_text);
    rf_buf_deinit(&sink->text);
    rf_buf_deinit(&sink->run.keys);
}

static void redis_interrupt(void *state)
{
    struct redis_sink *sink = state;
    rf_redis_interrupt(&sink->guard.redis);
}

static const struct rf_option redis_options[] = {
    {"host", RF_OPTION_TEXT, offsetof(struct redis_sink, host), "127.0.0.1", NULL,
     "name or address of the server", false},
    {"port", RF_OPTION_INT, offsetof(struct redis_sink, port), "6379", "1..65535", "its port",
     false},
    {"path", RF_OPTION_TEXT, offsetof(struct redis_sink, path), "0", NULL, "number of the database",
     false},
    {"user", RF_OPTION_TEXT, offsetof(struct redis_sink, user), NULL, NULL,
     "user of an ACL; without one the default user", false},
    {"password", RF_OPTION_SECRET, offsetof(struct redis_sink, password), NULL, NULL,
     "password of the user", false},
    {"key", RF_OPTION_TEXT, offsetof(struct redis_sink, key), "{database}:{table}:{key}", NULL,
     "template of a row's key; without the whole primary key, rows share keys and deletes leave "
     "them",
     false},
    {"as", RF_OPTION_CHOICE, offsetof(struct redis_sink, as), "hash", "hash|string",
     "what a row becomes: a hash of its columns, or a string made by value", false},
    {"value", RF_OPTION_TEXT, offsetof(struct redis_sink, value), NULL, NULL,
     "as=string: template of the value, such as {ts} or {column}", false},
    {"timeout", RF_OPTION_DURATION, offsetof(struct redis_sink, timeout_ms), "10s", "100ms..10m",
     "the longest wait for a sign of the server", false},
    RF_OPTION_END,
};

const struct rf_sink_type rf_sink_redis = {
    .name = "redis",
    .summary = "rows as Redis hashes or strings, by key; the position is kept beside them",
    .example = "redis://127.0.0.1:6379/0?key={database}:{table}:{key}",
    .state_size = sizeof(struct redis_sink),
    .options = redis_options,
    .keeps_state = true,
    .open = redis_open,
    .write = redis_write,
    .flush = redis_flush,
    .close = redis_close,
    .interrupt = redis_interrupt,
};
