/* TRUNCATE: the keys that this pipeline has written for a table, found by a scan and recognised
 * exactly. */
#include "sink/redis_sink.h"

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
static enum rf_status check_alone(const struct rf_redis_sink *sink,
                                  const struct rf_redis_table *target, struct rf_str field,
                                  const struct rf_event *event, struct rf_error *err)
{
    for (const struct rf_redis_table *other = rf_redis_table_next(&sink->tables, NULL);
         other != NULL; other = rf_redis_table_next(&sink->tables, other)) {
        if (other == target || other->record.size == 0) {
            continue;
        }
        if (target != NULL ? rf_redis_patterns_overlap(rf_redis_table_pattern(target),
                                                       rf_redis_table_pattern(other))
                           : rf_str_equal_nocase(rf_buf_str(&other->name), field)) {
            return shares_keys(event, rf_redis_table_name(other), err);
        }
    }
    return RF_OK;
}

/* Removes those of the keys just found that are the table's. */
static enum rf_status unlink_found(struct rf_redis_sink *sink, const struct rf_binding *pattern,
                                   const struct rf_event *event, struct rf_error *err)
{
    struct rf_redis_reply *reply = &sink->guard.redis.reply;
    uint32_t count = 0;
    for (uint32_t i = 1; i < reply->item_count; i++) {
        struct rf_str key = reply->items[i];
        if (!rf_str_starts(key, RF_STR(RF_REDIS_OWN_PREFIX)) && rf_binding_matches(pattern, key)) {
            reply->items[++count] = key;
        }
    }
    if (count == 0) {
        return RF_OK;
    }
    enum rf_status status = rf_redis_group_open(&sink->guard, err);
    if (status == RF_OK) {
        rf_redis_group_command(&sink->guard, event, 1 + count);
        rf_redis_bulk(&sink->guard.redis, RF_STR("UNLINK"));
        for (uint32_t i = 1; i <= count; i++) {
            rf_redis_bulk(&sink->guard.redis, reply->items[i]);
        }
        status = rf_redis_group_finish(&sink->guard, err);
    }
    return status;
}

static enum rf_status scan(struct rf_redis_sink *sink, const struct rf_binding *pattern,
                           const struct rf_event *event, struct rf_error *err)
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
            status = unlink_found(sink, pattern, event, err);
        }
    } while (status == RF_OK && !rf_str_equal(rf_buf_str(&cursor), RF_STR("0")));
    rf_buf_deinit(&glob);
    rf_buf_deinit(&cursor);
    return status;
}

/* The keys are those that this pipeline has written for the table; it left word of them. A
 * barrier: all before is done when the search begins, and nothing comes before it ends. */
enum rf_status rf_redis_truncate(struct rf_redis_sink *sink, const struct rf_event *event,
                                 struct rf_error *err)
{
    struct rf_binding pattern = {0};
    rf_redis_table_field(&sink->text, event->database, event->object);
    struct rf_str field = rf_buf_str(&sink->text);
    struct rf_redis_table *target = rf_redis_table_find(&sink->tables, field);
    if (target == NULL || target->record.size == 0) {
        return check_alone(sink, NULL, field, event, err);
    }
    if (rf_str_starts(rf_buf_str(&target->record), RF_STR("folds "))) {
        return RF_OK;
    }
    enum rf_status status = rf_binding_of_pattern(rf_redis_table_pattern(target), &pattern, err);
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
        status = scan(sink, &pattern, event, err);
    }
    rf_binding_deinit(&pattern);
    return status;
}
