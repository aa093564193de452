/* Tables as the sink writes them: their keys by the template, and the record of what these look
 * like, which lies beside the position for a TRUNCATE in a later process. */
#include "sink/redis_sink.h"

#include "base/memory.h"

#include <stdlib.h>

void rf_redis_table_field(struct rf_buf *out, struct rf_str database, struct rf_str table)
{
    rf_buf_set(out, RF_STR(RF_REDIS_TABLE_FIELD));
    rf_template_escape(out, database, ':');
    rf_buf_add_byte(out, ':');
    rf_buf_add_str(out, table);
}

/* The entry is the first member. */
static struct rf_redis_table *table_of(struct rf_map_entry *entry)
{
    return (struct rf_redis_table *)entry;
}

struct rf_redis_table *rf_redis_table_find(const struct rf_redis_tables *tables,
                                           struct rf_str field)
{
    return table_of(rf_map_find(&tables->names, field));
}

struct rf_redis_table *rf_redis_table_next(const struct rf_redis_tables *tables,
                                           const struct rf_redis_table *table)
{
    return table_of(rf_map_next(&tables->names, table != NULL ? &table->entry : NULL));
}

struct rf_redis_table *rf_redis_table_get(struct rf_redis_tables *tables, struct rf_str field)
{
    struct rf_redis_table *target = rf_redis_table_find(tables, field);
    if (target == NULL) {
        target = rf_alloc_zero(1, sizeof *target);
        rf_buf_add_str(&target->name, field);
        rf_map_add(&tables->names, &target->entry, rf_buf_str(&target->name));
    }
    return target;
}

static void unbind_target(struct rf_redis_table *target)
{
    rf_binding_deinit(&target->key);
    rf_binding_deinit(&target->value);
    rf_bson_row_deinit(&target->row);
    rf_buf_deinit(&target->heads);
    rf_json_names_deinit(&target->names);
    rf_json_names_deinit(&target->key_names);
    free(target->head_ends);
    rf_table_release(target->table);
    target->head_ends = NULL;
    target->table = NULL;
}

static void build_heads(struct rf_redis_table *target)
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
struct rf_str rf_redis_table_pattern(const struct rf_redis_table *target)
{
    struct rf_str record = rf_buf_str(&target->record), word;
    (void)rf_str_split(&record, ' ', &word);
    return record;
}

static bool is_whole(const struct rf_redis_table *target)
{
    return rf_str_starts(rf_buf_str(&target->record), RF_STR("whole "));
}

/* "DB:T". */
struct rf_str rf_redis_table_name(const struct rf_redis_table *target)
{
    struct rf_str name = rf_buf_str(&target->name);
    return (struct rf_str){name.data + sizeof RF_REDIS_TABLE_FIELD - 1,
                           name.size - (sizeof RF_REDIS_TABLE_FIELD - 1)};
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
bool rf_redis_patterns_overlap(struct rf_str a, struct rf_str b)
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
static enum rf_status check_shared(const struct rf_redis_sink *sink,
                                   const struct rf_redis_table *target, struct rf_str pattern,
                                   struct rf_error *err)
{
    for (const struct rf_redis_table *other = rf_redis_table_next(&sink->tables, NULL);
         other != NULL; other = rf_redis_table_next(&sink->tables, other)) {
        if (other == target || other->record.size == 0 ||
            !(target->key.whole_key || is_whole(other)) ||
            !rf_redis_patterns_overlap(pattern, rf_redis_table_pattern(other))) {
            continue;
        }
        rf_fail(err, RF_CONFIG,
                "with the key template '%s' rows of %.*s and of %.*s would overwrite each other",
                sink->key_template.text, RF_STR_ARG(rf_redis_table_name(target)),
                RF_STR_ARG(rf_redis_table_name(other)));
        rf_error_hint(err, "put {database} and {table} in front of the key template; for a "
                           "renamed table see docs/delivery.md");
        return RF_CONFIG;
    }
    return RF_OK;
}

/* What a TRUNCATE in a later process has to know is written before the first row is. */
static enum rf_status record_target(struct rf_redis_sink *sink, struct rf_redis_table *target,
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
        status = rf_redis_group_push(&sink->guard, err);
    }
    return status;
}

/* What only a version of the table tells. */
static enum rf_status bind_version(struct rf_redis_sink *sink, struct rf_redis_table *target,
                                   const struct rf_table *table, struct rf_error *err)
{
    enum rf_status status;
    if (table->documents && sink->as != RF_REDIS_STREAM) {
        status = rf_redis_documents_bind(sink, target, table, err);
    } else {
        status = rf_template_bind(&sink->key_template, table, &target->key, err);
        if (status == RF_OK && sink->as == RF_REDIS_STRING) {
            status = rf_template_bind(&sink->value_template, table, &target->value, err);
        }
    }
    if (status != RF_OK && table->key_count == 0) {
        rf_error_hint(err,
                      "give it a primary key, or write a template of its columns; sequences and "
                      "tables without a key can be left out with tables=...,-%.*s",
                      RF_STR_ARG(table->full_name));
    }
    if (status != RF_OK) {
        return status;
    }
    struct rf_str prefix = target->key.prefix, own = RF_STR(RF_REDIS_OWN_PREFIX);
    target->near_own = rf_str_starts(prefix, own) || rf_str_starts(own, prefix);
    target->table = rf_table_retain((struct rf_table *)table);
    if (sink->as == RF_REDIS_HASH && !table->documents) {
        build_heads(target);
    } else if (sink->as != RF_REDIS_STRING && sink->as != RF_REDIS_HASH) {
        rf_json_names_init(&target->names, table, NULL, table->column_count);
        rf_json_names_init(&target->key_names, table, table->key_columns, table->key_count);
    }
    return RF_OK;
}

enum rf_status rf_redis_table_bind(struct rf_redis_sink *sink, const struct rf_table *table,
                                   struct rf_redis_table **out, struct rf_error *err)
{
    rf_redis_table_field(&sink->text, table->database, table->name);
    struct rf_redis_table *target = rf_redis_table_get(&sink->tables, rf_buf_str(&sink->text));
    *out = target;
    if (target->table == table) {
        return RF_OK;
    }
    /* What waits was put in by the version before, and is written by what is known of it. */
    enum rf_status status = target->table != NULL ? rf_redis_rows_send(sink, err) : RF_OK;
    unbind_target(target);
    if (status == RF_OK) {
        status = bind_version(sink, target, table, err);
    }
    if (status == RF_OK && sink->as != RF_REDIS_STREAM) {
        status = record_target(sink, target, err);
    }
    if (status != RF_OK) {
        unbind_target(target);
    }
    return status;
}

void rf_redis_tables_deinit(struct rf_redis_tables *tables)
{
    for (struct rf_redis_table *target = rf_redis_table_next(tables, NULL), *next; target != NULL;
         target = next) {
        next = rf_redis_table_next(tables, target);
        unbind_target(target);
        rf_buf_deinit(&target->name);
        rf_buf_deinit(&target->record);
        free(target);
    }
    rf_map_deinit(&tables->names);
    *tables = (struct rf_redis_tables){0};
}
