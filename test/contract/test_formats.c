/* What every format promises, shown on each of them in this build. */
#include "base/memory.h"
#include "engine/registry.h"
#include "lib/events.h"
#include "lib/mongo_documents.h"
#include "lib/plugin.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Each format in the ways that its options make it differ. */
static const struct variant {
    const char *format;
    bool counts; /* what it writes of an event depends on those before it in the transaction */
    struct rf_test_setting settings[8]; /* ends with a NULL name */
} variants[] = {
    {"json", false, {{0}}},
    {"json", false, {{"documents", "canonical"}}},
    {"debezium", false, {{"clock", "commit"}}},
    {"debezium",
     false,
     {{"clock", "commit"},
      {"schemas", "on"},
      {"decimal_handling_mode", "precise"},
      {"time_precision_mode", "connect"},
      {"bigint_unsigned_handling_mode", "precise"},
      {"binary_handling_mode", "hex"},
      {"unfit_values", "null"}}},
    {"debezium",
     false,
     {{"clock", "commit"},
      {"decimal_handling_mode", "double"},
      {"time_precision_mode", "isostring"},
      {"bigint_unsigned_handling_mode", "long"},
      {"binary_handling_mode", "base64-url-safe"},
      {"tombstones", "off"},
      {"unfit_values", "null"}}},
    {"debezium",
     true,
     {{"clock", "commit"}, {"provide_transaction_metadata", "on"}, {"schemas", "on"}}},
    {"maxwell", false, {{"output_ddl", "on"}}},
    {"maxwell",
     true,
     {{"output_ddl", "on"},
      {"output_xoffset", "on"},
      {"output_primary_keys", "on"},
      {"output_primary_key_columns", "on"},
      {"output_binlog_position", "on"},
      {"output_gtid_position", "on"},
      {"kafka_key_format", "array"}}},
    {"canal", false, {{"clock", "commit"}}},
    {"flat", false, {{0}}},
    {"flat", false, {{"old", "on"}, {"prefix", "_q\"_"}}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

#define each_variant(variant)                 \
    const struct variant *variant = variants; \
    variant < variants + VARIANTS;            \
    variant++

static const char all_columns[] =
    "id:bigint! i:int u:uint de:decimal d:double f:float y:year b:bit da:date ti:time dt:datetime "
    "ts:timestamp c:char t:text by:bytes e:enum s:set j:json g:geometry";
static const char full_row[] =
    "7|-5|18446744073709551615|-1.50|0.25|1.5|2024|3|2024-02-29|-1000000|2024-02-29 12:00:00|"
    "1700000000000000|a\"b\\c\td|line one\nline two|\x01\xff\x80|red|a,b|{\"a\": [1, 2]}|point";
static const char null_row[] = "8|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|"
                               "NULL|NULL|NULL|NULL|NULL";
static const char absent_row[] = "9|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?|?";

static void open_format(struct rf_format *format, const struct variant *variant)
{
    struct rf_error err = {0};
    const struct rf_format_type *type;
    assert_int_equal(rf_registry_find_format(variant->format, &type, &err), RF_OK);
    *format = (struct rf_format){type, rf_alloc_zero(1, type->state_size)};
    rf_test_fallbacks(type->options, format->state);
    for (const struct rf_test_setting *one = variant->settings; one->name != NULL; one++) {
        rf_test_set(type->options, format->state, one->name, one->value);
    }
    assert_int_equal(type->open(format->state, &err), RF_OK);
}

static void close_format(struct rf_format *format)
{
    format->type->close(format->state);
    free(format->state);
}

/* One event of each operation, with every kind of value, NULL and untold ones; and a table without
 * a key. */
static void fill(struct rf_batch *batch, struct rf_table *table, struct rf_table *keyless)
{
    *batch = (struct rf_batch){.bytes_max = 1 << 20};
    rf_test_begin(batch, 1);
    rf_test_create(batch, table, full_row);
    rf_test_create(batch, table, null_row);
    rf_test_update(batch, table, full_row, null_row);
    rf_test_update(batch, table, absent_row, full_row);
    rf_test_delete(batch, table, full_row);
    rf_test_commit(batch);
    rf_test_begin(batch, 2);
    rf_test_create(batch, keyless, "x|y");
    rf_test_create(batch, keyless, "x|y")->op = RF_READ;
    rf_test_truncate(batch, "shop", "all");
    rf_test_ddl(batch, "shop", "CREATE TABLE `a\"b\nc` (x INT)");
    rf_test_ddl(batch, "", "CREATE DATABASE x");
    rf_test_commit(batch);
}

/* Checks the frame around what was appended from there on. */
static void check_frame(const struct rf_encoding *out, size_t key_start, size_t value_start)
{
    const struct rf_buf *key = out->key, *value = out->value;
    assert_true(out->count <= RF_MESSAGES_MAX);
    for (uint32_t i = 0; i < out->count; i++) {
        const struct rf_message *message = &out->messages[i];
        struct rf_str text = {value->data + message->value_start, message->value_size};
        size_t behind = message->tombstone ? 0 : out->terminator.size;
        assert_true(message->value_start >= value_start);
        assert_true(message->value_start + message->value_size + behind <= value->size);
        assert_memory_equal(text.data + text.size, out->terminator.data, behind);
        assert_true(message->tombstone ? text.size == 0 && message->key_size > 0 : text.size > 0);
        assert_true(text.size == 0 || memchr(text.data, '\n', text.size) == NULL);
        value_start = message->value_start + message->value_size + behind;
        if (key != NULL) {
            assert_true(message->key_start >= key_start);
            assert_true(message->key_start + message->key_size <= key->size);
            key_start = message->key_start + message->key_size;
        }
    }
    assert_int_equal(value_start, value->size);
    assert_true(key == NULL || key_start == key->size);
}

/* Encodes one event. */
static void encode(struct rf_format *format, const struct rf_view *view,
                   const struct rf_event *event, struct rf_buf *key, struct rf_buf *value,
                   const char *terminator)
{
    struct rf_error err = {0};
    struct rf_encoding out = {.key = key, .value = value, .terminator = rf_str_of(terminator)};
    size_t key_start = key ? key->size : 0, value_start = value->size;
    enum rf_status status = format->type->encode(format->state, view, event, &out, &err);
    if (status != RF_OK) {
        print_message("%s: %s\n", format->type->name, err.message);
    }
    assert_int_equal(status, RF_OK);
    check_frame(&out, key_start, value_start);
}

/* What stands behind a transaction. */
static void encode_end(struct rf_format *format, const struct rf_view *view, uint32_t number,
                       struct rf_buf *key, struct rf_buf *value)
{
    struct rf_error err = {0};
    struct rf_encoding out = {.key = key, .value = value, .terminator = RF_STR("\n")};
    size_t key_start = key ? key->size : 0, value_start = value->size;
    if (format->type->end != NULL) {
        assert_int_equal(
            format->type->end(format->state, view, &view->transactions[number], &out, &err), RF_OK);
        check_frame(&out, key_start, value_start);
    }
}

static struct rf_view whole(const struct rf_batch *batch)
{
    return rf_test_view(batch, 0, UINT32_MAX);
}

static void test_every_kind_of_event_and_value_has_a_form(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "all", all_columns);
    struct rf_table *keyless = rf_test_table("shop", "log", "a:text b:text");
    for (each_variant(variant)) {
        struct rf_format format;
        struct rf_batch batch;
        struct rf_buf keys = {0}, values = {0}, alone = {0};
        fill(&batch, table, keyless);
        struct rf_view view = whole(&batch);
        open_format(&format, variant);
        for (uint32_t i = 0; i < view.count; i++) {
            struct rf_buf before = {0};
            rf_buf_set(&before, rf_buf_str(&values));
            encode(&format, &view, &view.events[i], &keys, &values, "\n");
            /* Nothing that was there before is touched. */
            assert_true(rf_str_starts(rf_buf_str(&values), rf_buf_str(&before)));
            rf_buf_deinit(&before);
            if (rf_view_ends(&view, &view.events[i])) {
                encode_end(&format, &view, view.events[i].transaction, &keys, &values);
            }
        }
        /* Without keys the values are the same. */
        close_format(&format);
        open_format(&format, variant);
        for (uint32_t i = 0; i < view.count; i++) {
            encode(&format, &view, &view.events[i], NULL, &alone, "\n");
            if (rf_view_ends(&view, &view.events[i])) {
                encode_end(&format, &view, view.events[i].transaction, NULL, &alone);
            }
        }
        assert_true(rf_str_equal(rf_buf_str(&values), rf_buf_str(&alone)));
        close_format(&format);
        rf_batch_deinit(&batch);
        rf_buf_deinit(&keys);
        rf_buf_deinit(&values);
        rf_buf_deinit(&alone);
    }
    rf_table_release(table);
    rf_table_release(keyless);
}

static void test_an_event_reads_the_same_whatever_came_before(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "all", all_columns);
    struct rf_table *keyless = rf_test_table("shop", "log", "a:text b:text");
    for (each_variant(variant)) {
        struct rf_format old, fresh;
        struct rf_batch batch;
        if (variant->counts) {
            continue;
        }
        fill(&batch, table, keyless);
        struct rf_view view = whole(&batch);
        open_format(&old, variant);
        for (uint32_t round = 0; round < 2; round++) {
            for (uint32_t i = view.count; i-- > 0;) {
                struct rf_buf keys[2] = {{0}}, values[2] = {{0}};
                open_format(&fresh, variant);
                encode(&old, &view, &view.events[i], &keys[0], &values[0], "");
                encode(&fresh, &view, &view.events[i], &keys[1], &values[1], "");
                assert_true(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[1])));
                assert_true(rf_str_equal(rf_buf_str(&values[0]), rf_buf_str(&values[1])));
                close_format(&fresh);
                for (int j = 0; j < 2; j++) {
                    rf_buf_deinit(&keys[j]);
                    rf_buf_deinit(&values[j]);
                }
            }
        }
        close_format(&old);
        rf_batch_deinit(&batch);
    }
    rf_table_release(table);
    rf_table_release(keyless);
}

/* Documents have a form, the same whatever came before, or are refused by name; and a document's
 * _id is the key of all of its messages. */
static void test_documents_have_a_form_or_are_refused_by_name(void **state)
{
    (void)state;
    struct rf_table *posts = rf_test_collection("shop", "posts");
    for (each_variant(variant)) {
        struct rf_format format, fresh;
        struct rf_batch batch = {.bytes_max = 1 << 20};
        struct rf_buf key = {0}, first_key = {0};
        rf_test_begin(&batch, 1);
        rf_test_document_create(&batch, posts, "{\"_id\":7,\"a\":\"x\\n\",\"b\":[{\"c\":null}]}");
        rf_test_document_update(&batch, posts, "{\"_id\":7}", NULL, "{\"_id\":7,\"a\":1}",
                                "{\"updatedFields\":{\"a\":1},\"removedFields\":[\"b\"]}");
        rf_test_document_replace(&batch, posts, "{\"_id\":7}", "{\"_id\":7,\"a\":2}");
        rf_test_document_delete(&batch, posts, "{\"_id\":7}", NULL);
        struct rf_view view = whole(&batch);
        open_format(&format, variant);
        for (uint32_t i = 0; i < view.count; i++) {
            struct rf_buf value = {0}, again = {0};
            struct rf_error err = {0};
            struct rf_encoding out = {.key = &key, .value = &value};
            rf_buf_reset(&key);
            enum rf_status status =
                format.type->encode(format.state, &view, &view.events[i], &out, &err);
            if (status != RF_OK) {
                assert_int_equal(status, RF_CONFIG);
                assert_int_equal(value.size + key.size, 0);
                assert_non_null(strstr(err.message, "posts"));
                assert_true(err.hint[0] != '\0');
                continue;
            }
            check_frame(&out, 0, 0);
            uint32_t last = out.count - 1; /* the message, or the tombstone behind it */
            struct rf_str text = {key.data + out.messages[last].key_start,
                                  out.messages[last].key_size};
            if (i == 0) {
                rf_buf_set(&first_key, text);
            }
            assert_true(text.size > 0 && rf_str_equal(text, rf_buf_str(&first_key)));
            if (!variant->counts) {
                open_format(&fresh, variant);
                encode(&fresh, &view, &view.events[i], NULL, &again, "");
                assert_true(rf_str_equal(rf_buf_str(&value), rf_buf_str(&again)));
                close_format(&fresh);
            }
            rf_buf_deinit(&value);
            rf_buf_deinit(&again);
        }
        close_format(&format);
        rf_buf_deinit(&key);
        rf_buf_deinit(&first_key);
        rf_batch_deinit(&batch);
    }
    rf_table_release(posts);
}

static void test_rows_with_one_key_have_one_message_key(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "t", "a:text! x:text b:int!");
    for (each_variant(variant)) {
        struct rf_format format;
        struct rf_batch batch = {.bytes_max = 1 << 20};
        struct rf_buf keys[4] = {{0}}, values = {0};
        rf_test_begin(&batch, 1);
        rf_test_create(&batch, table, "k|one|1");
        rf_test_update(&batch, table, "k|one|1", "k|two|1");
        rf_test_delete(&batch, table, "k|two|1");
        rf_test_create(&batch, table, "k|one|2");
        struct rf_view view = whole(&batch);
        open_format(&format, variant);
        for (uint32_t i = 0; i < view.count; i++) {
            struct rf_buf all = {0};
            struct rf_encoding out = {.key = &all, .value = &values};
            struct rf_error err = {0};
            assert_int_equal(format.type->encode(format.state, &view, &view.events[i], &out, &err),
                             RF_OK);
            uint32_t at = 0; /* BEGIN may stand in front, a tombstone behind */
            while (at + 1 < out.count && !out.messages[at + 1].tombstone) {
                at++;
            }
            rf_buf_add(&keys[i], all.data + out.messages[at].key_start, out.messages[at].key_size);
            assert_true(keys[i].size > 0);
            rf_buf_deinit(&all);
        }
        assert_true(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[1])));
        assert_true(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[2])));
        assert_false(rf_str_equal(rf_buf_str(&keys[0]), rf_buf_str(&keys[3])));
        close_format(&format);
        for (int i = 0; i < 4; i++) {
            rf_buf_deinit(&keys[i]);
        }
        rf_buf_deinit(&values);
        rf_batch_deinit(&batch);
    }
    rf_table_release(table);
}

/* Thousands of tables, whose memory is given back and taken again, and versions that alternate: no
 * name of another table or version may show up. */
static void test_names_are_those_of_the_events_own_table(void **state)
{
    (void)state;
    for (each_variant(variant)) {
        struct rf_format format;
        open_format(&format, variant);
        for (uint32_t i = 0; i < 3000; i++) {
            char name[32], columns[64], column[32];
            struct rf_batch batch = {.bytes_max = 1 << 20};
            struct rf_buf value = {0};
            snprintf(name, sizeof name, "table_%u", i / 2);
            snprintf(column, sizeof column, "column_%u_%s", i / 2, i % 2 ? "new" : "old");
            snprintf(columns, sizeof columns, "id:int! %s:text", column);
            struct rf_table *table = rf_test_table("shop", name, columns);
            rf_test_begin(&batch, 1);
            rf_test_create(&batch, table, "1|x");
            rf_table_release(table);
            struct rf_view view = whole(&batch);
            encode(&format, &view, &view.events[0], NULL, &value, "");
            assert_non_null(memmem(value.data, value.size, name, strlen(name)));
            assert_non_null(memmem(value.data, value.size, column, strlen(column)));
            rf_buf_deinit(&value);
            rf_batch_deinit(&batch);
        }
        close_format(&format);
    }
}

static void test_closing_accepts_what_was_never_opened(void **state)
{
    (void)state;
    for (const struct rf_registry_format *entry = rf_registry_formats(); entry->name; entry++) {
        void *zeroed = rf_alloc_zero(1, entry->type->state_size);
        entry->type->close(zeroed);
        free(zeroed);
    }
}

/* A format that nobody thought of here would be shown by none of the other tests. */
static void test_every_format_of_this_build_is_shown(void **state)
{
    (void)state;
    for (const struct rf_registry_format *entry = rf_registry_formats(); entry->name; entry++) {
        size_t found = 0;
        for (each_variant(variant)) {
            found += strcmp(variant->format, entry->name) == 0;
        }
        assert_non_null(entry->type);
        assert_string_equal(entry->type->name, entry->name);
        if (found == 0) {
            fail_msg("no variant of the format %s", entry->name);
        }
    }
}

/* The lines of a transaction that comes in one piece, or in two whose memory is not the same. */
static void test_a_transaction_reads_the_same_in_pieces(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "t", "a:int! b:text");
    for (each_variant(variant)) {
        struct rf_buf lines[3] = {{0}};
        for (uint32_t cut = 0; cut <= 2; cut++) {
            struct rf_format format;
            struct rf_buf *out = &lines[cut];
            open_format(&format, variant);
            for (uint32_t piece = 0; piece < 2; piece++) {
                struct rf_batch batch = {.bytes_max = 1 << 20};
                uint32_t first = piece == 0 ? 0 : cut, last = piece == 0 ? cut : 2;
                (piece == 0 ? rf_test_begin : rf_test_resume)(&batch, 7);
                for (uint32_t i = first; i < last; i++) {
                    struct rf_event *event = i == 0 ? rf_test_create(&batch, table, "1|x")
                                                    : rf_test_update(&batch, table, "1|x", "2|y");
                    event->ordinal = i + 1;
                }
                if (piece == 1) {
                    rf_test_commit(&batch);
                }
                struct rf_view view = whole(&batch);
                for (uint32_t i = 0; i < view.count; i++) {
                    encode(&format, &view, &view.events[i], NULL, out, "\n");
                }
                if (piece == 1) {
                    encode_end(&format, &view, 0, NULL, out);
                }
                rf_batch_deinit(&batch);
            }
            close_format(&format);
        }
        assert_true(rf_str_equal(rf_buf_str(&lines[0]), rf_buf_str(&lines[1])));
        /* In the last one the end has no event, so that no row can say that it is the last. */
        if (strcmp(variant->format, "maxwell") != 0) {
            assert_true(rf_str_equal(rf_buf_str(&lines[0]), rf_buf_str(&lines[2])));
        }
        for (int i = 0; i < 3; i++) {
            rf_buf_deinit(&lines[i]);
        }
    }
    rf_table_release(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_event_and_value_has_a_form),
        cmocka_unit_test(test_an_event_reads_the_same_whatever_came_before),
        cmocka_unit_test(test_documents_have_a_form_or_are_refused_by_name),
        cmocka_unit_test(test_rows_with_one_key_have_one_message_key),
        cmocka_unit_test(test_names_are_those_of_the_events_own_table),
        cmocka_unit_test(test_closing_accepts_what_was_never_opened),
        cmocka_unit_test(test_every_format_of_this_build_is_shown),
        cmocka_unit_test(test_a_transaction_reads_the_same_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
