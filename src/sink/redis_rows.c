/* Rows: which change of a key each one is, and the commands for that.
 *
 * A row's change waits in the window. When its key comes again, the two become one:
 *
 *     create over anything      the new row, and nothing of what was there
 *     delete over anything      the key goes
 *     update over anything      the new values over the older ones, where there are any
 *
 * which is the state that Redis would have after both. A row whose key changes is not put into the
 * window but sent at once, both keys in one unit, and what waited for either of them is dropped:
 * it would be written over. */
#include "sink/redis_sink.h"

enum {
    RUN_CHANGES = RF_REDIS_UNIT_COMMANDS - 1, /* at most in one unit */
    RUN_BYTES = 64 * 1024,                    /* with so many a unit ends */
};

/* Of a row: columns with and without a value, and the sizes of texts. */
struct counts {
    uint32_t set, null;
    uint64_t largest, bytes;
    bool untold;   /* the log does not tell all columns */
    bool floating; /* there are floating numbers */
};

/* --------------------------------------------------------------------------------------- values */

enum rf_status rf_redis_too_large(const struct rf_event *event, uint64_t size, struct rf_error *err)
{
    struct rf_str name = event->table != NULL ? event->table->full_name : event->object;
    rf_fail(err, RF_REJECT, "a value of %.*s has %llu bytes, and Redis takes 512 MiB",
            RF_STR_ARG(name), (unsigned long long)size);
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

static bool is_text(const struct rf_value *value)
{
    return value->kind >= RF_DECIMAL && value->kind <= RF_GEOMETRY;
}

static struct counts count_values(const struct rf_table *table, const struct rf_value *image)
{
    struct counts counts = {0};
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_value *value = &image[i];
        if (value->kind == RF_NULL) {
            counts.null++;
        } else if (value->kind == RF_ABSENT) {
            counts.untold = true;
        } else {
            uint64_t size = is_text(value) ? value->size : 0;
            counts.floating |= value->kind == RF_FLOAT || value->kind == RF_DOUBLE;
            counts.set++;
            counts.bytes += size;
            counts.largest = size > counts.largest ? size : counts.largest;
        }
    }
    return counts;
}

/* The newer image, with what it does not tell taken from the older one. */
static const struct rf_value *merge(struct rf_redis_sink *sink, const struct rf_table *table,
                                    const struct rf_value *newer, const struct rf_value *older)
{
    struct rf_value *merged =
        rf_arena_alloc(&sink->window.arena, table->column_count * sizeof *merged);
    for (uint32_t i = 0; i < table->column_count; i++) {
        merged[i] = newer[i].kind == RF_ABSENT ? older[i] : newer[i];
    }
    return merged;
}

enum rf_status rf_redis_row_json(struct rf_buf *out, const struct rf_event *event,
                                 const struct rf_json_names *names, const struct rf_value *image,
                                 struct rf_error *err)
{
    const size_t start = out->size;
    rf_buf_add_byte(out, '{');
    for (uint32_t i = 0; i < names->count; i++) {
        const struct rf_json_name *name = &names->items[i];
        const struct rf_value *value = &image[name->column];
        if (value->kind == RF_ABSENT) {
            continue;
        }
        rf_buf_add(out, name->text, name->size);
        if (value->kind == RF_JSON && value->size > 0) {
            rf_buf_add(out, value->text, value->size);
        } else if (value->kind == RF_JSON) {
            rf_buf_add_str(out, RF_STR("null"));
        } else if (!rf_json_add_value(out, value)) {
            out->size = start;
            rf_fail(err, RF_REJECT,
                    "column %.*s of table %.*s is not a finite number, which JSON cannot say",
                    RF_STR_ARG(event->table->columns[name->column].name),
                    RF_STR_ARG(event->table->full_name));
            if (err != NULL) {
                err->event = event;
            }
            return RF_REJECT;
        }
        rf_buf_add_byte(out, ',');
    }
    out->size -= out->data[out->size - 1] == ',';
    rf_buf_add_byte(out, '}');
    return RF_OK;
}

/* ------------------------------------------------------------------------------------- commands */

/* The value as an argument, behind `head`, which may be empty. */
static void add_value(struct rf_redis_sink *sink, struct rf_str head, const struct rf_value *value)
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

static struct rf_str head_of(const struct rf_redis_table *target, uint32_t column)
{
    size_t begin = column > 0 ? target->head_ends[column - 1] : 0;
    return (struct rf_str){target->heads.data + begin, target->head_ends[column] - begin};
}

static void add_hash(struct rf_redis_sink *sink, const struct rf_redis_change *change)
{
    const struct rf_redis_table *target = change->table;
    const struct rf_table *table = target->table;
    struct rf_redis *redis = &sink->guard.redis;
    if (change->set > 0) {
        rf_redis_group_command(&sink->guard, change->event, 2 + 2 * change->set);
        rf_redis_bulk(redis, RF_STR("HSET"));
        rf_redis_bulk(redis, change->key);
        for (uint32_t i = 0; i < table->column_count; i++) {
            const struct rf_value *value = &change->image[i];
            if (value->kind != RF_NULL && value->kind != RF_ABSENT) {
                add_value(sink, head_of(target, i), value);
            }
        }
    }
    if (change->null > 0 && !change->fresh) {
        rf_redis_group_command(&sink->guard, change->event, 2 + change->null);
        rf_redis_bulk(redis, RF_STR("HDEL"));
        rf_redis_bulk(redis, change->key);
        for (uint32_t i = 0; i < table->column_count; i++) {
            if (change->image[i].kind == RF_NULL) {
                rf_buf_add_str(&redis->out, head_of(target, i));
            }
        }
    }
}

static enum rf_status add_json(struct rf_redis_sink *sink, const struct rf_redis_change *change,
                               struct rf_error *err)
{
    rf_buf_reset(&sink->text);
    enum rf_status status =
        rf_redis_row_json(&sink->text, change->event, &change->table->names, change->image, err);
    if (status == RF_OK) {
        rf_redis_group_command(&sink->guard, change->event, 3);
        rf_redis_bulk(&sink->guard.redis, RF_STR("SET"));
        rf_redis_bulk(&sink->guard.redis, change->key);
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->text));
    }
    return status;
}

/* What the change puts under its key. */
static enum rf_status add_put(struct rf_redis_sink *sink, const struct rf_redis_change *change,
                              struct rf_error *err)
{
    bool document = change->table->table->documents;
    switch ((enum rf_redis_as)sink->as) {
    case RF_REDIS_HASH:
        if (document) {
            rf_redis_document_hash(sink, change);
        } else {
            add_hash(sink, change);
        }
        break;
    case RF_REDIS_JSON:
        if (document) {
            rf_redis_document_json(sink, change);
            break;
        }
        return add_json(sink, change, err);
    case RF_REDIS_STRING:
    case RF_REDIS_STREAM:
        rf_redis_group_command(&sink->guard, change->event, 3);
        rf_redis_bulk(&sink->guard.redis, RF_STR("SET"));
        rf_redis_bulk(&sink->guard.redis, change->key);
        rf_redis_bulk(&sink->guard.redis, change->text);
        break;
    }
    return RF_OK;
}

/* ----------------------------------------------------------------------------------- the window */

/* True when the key must be emptied by a command of its own: SET writes over everything. */
static bool unlinks(const struct rf_redis_sink *sink, const struct rf_redis_change *change)
{
    return !change->dropped && change->fresh && (sink->as == RF_REDIS_HASH || !change->puts);
}

static uint32_t put_commands(const struct rf_redis_sink *sink, const struct rf_redis_change *change)
{
    return sink->as != RF_REDIS_HASH
               ? 1
               : (uint32_t)(change->set > 0) + (uint32_t)(change->null > 0 && !change->fresh);
}

/* How many changes from `first` on make one unit, and how many keys of them are to be emptied:
 * that goes in one command in front of them, which is much cheaper than one for each. */
static uint32_t find_run(const struct rf_redis_sink *sink, uint32_t first, uint32_t *emptied)
{
    const struct rf_window *window = &sink->window;
    uint32_t commands = 0, count = 0;
    uint64_t bytes = 0;
    *emptied = 0;
    while (first + count < window->count && commands < RUN_CHANGES - 1 && bytes < RUN_BYTES) {
        const struct rf_redis_change *change = rf_window_at(window, first + count);
        *emptied += unlinks(sink, change);
        if (change->puts && !change->dropped) {
            commands += put_commands(sink, change);
        }
        bytes += change->key.size + change->bytes;
        count++;
    }
    return count;
}

static enum rf_status send_run(struct rf_redis_sink *sink, uint32_t first, uint32_t count,
                               uint32_t emptied, struct rf_error *err)
{
    const struct rf_redis_change *changes = rf_window_at(&sink->window, first);
    enum rf_status status = rf_redis_group_open(&sink->guard, err);
    if (status == RF_OK && emptied > 0) {
        rf_redis_group_command(&sink->guard, changes->event, 1 + emptied);
        rf_redis_bulk(&sink->guard.redis, RF_STR("UNLINK"));
        for (uint32_t i = 0; i < count; i++) {
            if (unlinks(sink, &changes[i])) {
                rf_redis_bulk(&sink->guard.redis, changes[i].key);
            }
        }
    }
    for (uint32_t i = 0; i < count && status == RF_OK; i++) {
        if (changes[i].puts && !changes[i].dropped) {
            status = add_put(sink, &changes[i], err);
        }
    }
    return status == RF_OK ? rf_redis_group_push(&sink->guard, err) : status;
}

enum rf_status rf_redis_rows_send(struct rf_redis_sink *sink, struct rf_error *err)
{
    struct rf_window *window = &sink->window;
    enum rf_status status = RF_OK;
    for (uint32_t first = 0, count; first < window->count && status == RF_OK; first += count) {
        uint32_t emptied;
        count = find_run(sink, first, &emptied);
        status = send_run(sink, first, count, emptied, err);
    }
    if (status == RF_OK) {
        rf_window_reset(window);
    }
    return status;
}

static struct rf_redis_change *find_change(const struct rf_redis_sink *sink, struct rf_str key,
                                           uint64_t hash)
{
    struct rf_redis_change *change = rf_window_find(&sink->window, key, hash);
    return change != NULL && !change->dropped ? change : NULL;
}

/* The change of that key, a new one when none waits. Without folding, and when the window is full,
 * what waits is sent first. */
enum rf_status rf_redis_change_get(struct rf_redis_sink *sink, const struct rf_redis_table *target,
                                   const struct rf_event *event, struct rf_redis_change **out,
                                   struct rf_error *err)
{
    struct rf_window *window = &sink->window;
    struct rf_str key = rf_buf_str(&sink->key_text);
    uint64_t hash = rf_window_hash(window, key);
    struct rf_redis_change *change = find_change(sink, key, hash);
    enum rf_status status = RF_OK;
    /* Fields of two shapes of a hash do not merge by their columns' numbers. */
    bool apart = change != NULL && sink->as == RF_REDIS_HASH && change->table != target;
    if ((change != NULL && (!sink->fold || apart)) || (change == NULL && rf_window_full(window))) {
        status = rf_redis_rows_send(sink, err);
        change = NULL;
    }
    if (status != RF_OK) {
        return status;
    }
    if (change == NULL) {
        change = rf_window_add(window, key, hash);
        change->key = window->keys[window->count - 1];
        change->table = target;
        change->event = event;
    } else {
        window->folded++;
    }
    *out = change;
    return RF_OK;
}

/* What waits for that key would be written over. */
static void drop_change(struct rf_redis_sink *sink, const struct rf_buf *text)
{
    struct rf_str key = rf_buf_str(text);
    struct rf_redis_change *change = find_change(sink, key, rf_window_hash(&sink->window, key));
    if (change != NULL) {
        sink->window.bytes -= change->bytes;
        change->bytes = 0;
        change->dropped = true;
    }
}

/* ----------------------------------------------------------------------------------------- rows */

enum rf_status rf_redis_key_render(const struct rf_redis_table *target,
                                   const struct rf_event *event, const struct rf_value *image,
                                   const struct rf_value *other, struct rf_buf *out,
                                   struct rf_error *err)
{
    rf_buf_reset(out);
    enum rf_status status = rf_binding_render(&target->key, event, 0, image, other, out, err);
    if (status == RF_OK && target->near_own &&
        rf_str_starts(rf_buf_str(out), RF_STR(RF_REDIS_OWN_PREFIX))) {
        status = rf_fail(err, RF_CONFIG, "rows of %.*s would be written among rowferry's own keys",
                         RF_STR_ARG(target->table->full_name));
        rf_error_hint(err, "choose a key template that cannot begin with " RF_REDIS_OWN_PREFIX);
    }
    return status;
}

static enum rf_status untold(const struct rf_event *event, const char *what, struct rf_error *err)
{
    rf_fail(err, RF_REJECT, "the log does not tell all columns of a row of %.*s %s",
            RF_STR_ARG(event->table->full_name), what);
    rf_error_hint(err, "set binlog_row_image=FULL at the source");
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}

/* JSON may be six times as long as the text that it holds; only what could be too long is made to
 * be measured. */
static enum rf_status check_json(struct rf_redis_sink *sink, const struct rf_redis_table *target,
                                 const struct rf_event *event, const struct rf_value *image,
                                 const struct counts *counts, struct rf_error *err)
{
    if (!counts->floating && counts->bytes < RF_REDIS_VALUE_MAX / 8) {
        return RF_OK;
    }
    rf_buf_reset(&sink->text);
    enum rf_status status = rf_redis_row_json(&sink->text, event, &target->names, image, err);
    uint64_t size = sink->text.size;
    if (size > RF_REDIS_VALUE_MAX / 8) {
        rf_buf_deinit(&sink->text);
    }
    return status == RF_OK && size > RF_REDIS_VALUE_MAX ? rf_redis_too_large(event, size, err)
                                                        : status;
}

static void set_image(struct rf_redis_change *change, const struct rf_value *image,
                      const struct counts *counts)
{
    change->image = image;
    change->untold = counts->untold;
    change->set = counts->set;
    change->null = counts->null;
    change->bytes = counts->bytes;
}

/* What is to be written for a row, in `change`, which is left alone after an error; all that can be
 * wrong with it is found here, before anything of it is sent. `whole`: nothing of the row lies in
 * Redis already. */
static enum rf_status fill_change(struct rf_redis_sink *sink, const struct rf_redis_table *target,
                                  const struct rf_event *event, bool whole,
                                  struct rf_redis_change *change, struct rf_error *err)
{
    const struct rf_value *image = event->after;
    enum rf_status status = RF_OK;
    if (sink->as == RF_REDIS_STRING) {
        rf_buf_reset(&sink->text);
        status = rf_binding_render(&target->value, event,
                                   rf_view_transaction(sink->view, event)->commit_us, image,
                                   event->before, &sink->text, err);
        if (status == RF_OK && sink->text.size > RF_REDIS_VALUE_MAX) {
            status = rf_redis_too_large(event, sink->text.size, err);
        }
        if (status == RF_OK) {
            change->text = rf_arena_copy(&sink->window.arena, rf_buf_str(&sink->text));
            change->bytes = sink->text.size;
        }
        return status;
    }
    struct counts counts = count_values(event->table, image);
    if (counts.untold && event->before != NULL && (whole || sink->as == RF_REDIS_JSON)) {
        image = merge(sink, event->table, image, event->before);
        counts = count_values(event->table, image);
    }
    if (counts.untold && sink->as == RF_REDIS_JSON) {
        return untold(event, "that is to become JSON", err);
    }
    if (counts.untold && whole && event->op == RF_UPDATE) {
        return untold(event, "whose key changes", err);
    }
    if (counts.largest > RF_REDIS_VALUE_MAX) {
        return rf_redis_too_large(event, counts.largest, err);
    }
    if (sink->as == RF_REDIS_JSON) {
        status = check_json(sink, target, event, image, &counts, err);
    }
    if (status == RF_OK) {
        set_image(change, image, &counts);
    }
    return status;
}

/* A create, or an update that leaves the key. */
static enum rf_status put_row(struct rf_redis_sink *sink, const struct rf_redis_table *target,
                              const struct rf_event *event, struct rf_error *err)
{
    struct rf_redis_change *change = NULL;
    bool replaces = event->op != RF_UPDATE && target->key.whole_key;
    /* First the place, as what was there may be sent, and takes its memory with it. */
    enum rf_status status = rf_redis_change_get(sink, target, event, &change, err);
    if (status != RF_OK) {
        return status;
    }
    const struct rf_value *older = change->puts && !replaces ? change->image : NULL;
    sink->window.bytes -= change->bytes;
    status = fill_change(sink, target, event, false, change, err);
    if (status == RF_OK && change->untold && older != NULL) {
        const struct rf_value *merged = merge(sink, event->table, change->image, older);
        struct counts counts = count_values(event->table, merged);
        set_image(change, merged, &counts);
    }
    sink->window.bytes += change->bytes;
    if (status == RF_OK) {
        change->table = target;
        change->fresh |= replaces;
        change->puts = true;
    }
    return status;
}

enum rf_status rf_redis_change_remove(struct rf_redis_sink *sink,
                                      const struct rf_redis_table *target,
                                      const struct rf_event *event, struct rf_error *err)
{
    struct rf_redis_change *change = NULL;
    enum rf_status status = rf_redis_change_get(sink, target, event, &change, err);
    if (status == RF_OK) {
        sink->window.bytes -= change->bytes;
        change->fresh = true;
        change->puts = false;
        change->image = NULL;
        change->bytes = 0;
    }
    return status;
}

/* An update that changes the key: the old one goes, the new one is written, in one unit. */
static enum rf_status move_row(struct rf_redis_sink *sink, const struct rf_redis_table *target,
                               const struct rf_event *event, struct rf_error *err)
{
    struct rf_redis_change change = {.table = target, .event = event, .fresh = true, .puts = true};
    enum rf_status status = sink->fold ? RF_OK : rf_redis_rows_send(sink, err);
    if (status == RF_OK) {
        status = fill_change(sink, target, event, true, &change, err);
    }
    if (status == RF_OK) {
        drop_change(sink, &sink->old_key_text);
        drop_change(sink, &sink->key_text);
        status = rf_redis_group_open(&sink->guard, err);
    }
    if (status == RF_OK) {
        change.key = rf_buf_str(&sink->key_text);
        rf_redis_group_command(&sink->guard, event, 3);
        rf_redis_bulk(&sink->guard.redis, RF_STR("UNLINK"));
        rf_redis_bulk(&sink->guard.redis, rf_buf_str(&sink->old_key_text));
        rf_redis_bulk(&sink->guard.redis, change.key);
        status = add_put(sink, &change, err);
    }
    return status == RF_OK ? rf_redis_group_push(&sink->guard, err) : status;
}

enum rf_status rf_redis_row_put(struct rf_redis_sink *sink, const struct rf_event *event,
                                struct rf_error *err)
{
    struct rf_redis_table *target = sink->tables.last;
    enum rf_status status = RF_OK;
    if (target == NULL || target->table != event->table) {
        sink->tables.last = NULL;
        status = rf_redis_table_bind(sink, event->table, &target, err);
        if (status != RF_OK) {
            return status;
        }
        sink->tables.last = target;
    }
    if (event->table->documents) {
        return rf_redis_document_put(sink, target, event, err);
    }
    if (event->op == RF_DELETE) {
        if (!target->key.whole_key) {
            return RF_OK; /* other rows share the key */
        }
        status = rf_redis_key_render(target, event, event->before, NULL, &sink->key_text, err);
        return status == RF_OK ? rf_redis_change_remove(sink, target, event, err) : status;
    }
    status = rf_redis_key_render(target, event, event->after, event->before, &sink->key_text, err);
    if (status == RF_OK && event->op == RF_UPDATE && target->key.whole_key &&
        rf_binding_changes(&target->key, event)) {
        status = rf_redis_key_render(target, event, event->before, NULL, &sink->old_key_text, err);
        if (status == RF_OK &&
            !rf_str_equal(rf_buf_str(&sink->old_key_text), rf_buf_str(&sink->key_text))) {
            return move_row(sink, target, event, err);
        }
    }
    return status == RF_OK ? put_row(sink, target, event, err) : status;
}
