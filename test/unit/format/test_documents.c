/* Documents of collections, in each format. */
#include "lib/json.h"
#include "lib/messages.h"
#include "lib/mongo_documents.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct rf_format_type rf_format_json, rf_format_flat, rf_format_debezium,
    rf_format_maxwell, rf_format_canal;

struct bench {
    struct rf_test_messages messages;
    struct rf_table *posts;
};

#define OID "{\"$oid\":\"56e1fc72e0c917e9c4714161\"}"
#define KEY "{\"_id\":" OID "}"
#define WHAT                                                                                    \
    "{\"updatedFields\":{\"n\":{\"$numberLong\":\"5\"},\"a.0\":true},\"removedFields\":[\"x\"," \
    "\"y\"],\"truncatedArrays\":[{\"field\":\"b\",\"newSize\":2}]}"
#define FIRST \
    "{\"_id\":" OID ",\"n\":{\"$numberLong\":\"4\"},\"d\":{\"$date\":{\"$numberLong\":\"0\"}}}"
#define LAST "{\"_id\":" OID ",\"n\":{\"$numberLong\":\"5\"}}"

static void bench_open(struct bench *bench, const struct rf_format_type *type,
                       const struct rf_test_setting *settings)
{
    *bench = (struct bench){.posts = rf_test_collection("shop", "posts")};
    rf_test_messages_open(&bench->messages, type, settings);
    struct rf_batch *batch = &bench->messages.batch;
    rf_test_begin(batch, 42);
    batch->bytes_max = 1 << 20;
}

static void bench_close(struct bench *bench)
{
    rf_test_messages_close(&bench->messages);
    rf_table_release(bench->posts);
}

static struct rf_batch *batch_of(struct bench *bench)
{
    return &bench->messages.batch;
}

static void expect(struct bench *bench, const struct rf_event *event, const char *expected)
{
    assert_string_equal(rf_test_messages_of(&bench->messages, event, NULL), expected);
}

static void expect_status(struct bench *bench, const struct rf_event *event, enum rf_status status,
                          const char *words, const char *hint)
{
    struct rf_error err = {0};
    (void)rf_test_messages_of(&bench->messages, event, &err);
    assert_int_equal(err.status, status);
    assert_ptr_equal(err.event, event);
    assert_non_null(strstr(err.message, words));
    assert_non_null(strstr(err.hint, hint));
}

/* ----------------------------------------------------------------------------------------- json */

#define BEHIND   ",\"ts\":\"2023-11-14T22:14:02Z\",\"position\":\"0-1-42\",\"id\":\"0-1-42:"
#define HEAD(op) KEY " {\"op\":\"" op "\",\"table\":\"shop.posts\",\"key\":" KEY

static void test_json_has_documents_as_images(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_json, NULL);
    struct rf_batch *batch = batch_of(&bench);
    expect(&bench, rf_test_document_create(batch, bench.posts, FIRST),
           HEAD("create") ",\"before\":null,\"after\":{\"_id\":" OID ",\"n\":4,"
                          "\"d\":{\"$date\":\"1970-01-01T00:00:00Z\"}}" BEHIND "1:0\"}\n");
    expect(&bench, rf_test_document_replace(batch, bench.posts, FIRST, LAST),
           HEAD("update") ",\"before\":{\"_id\":" OID ",\"n\":4,"
                          "\"d\":{\"$date\":\"1970-01-01T00:00:00Z\"}},\"after\":{\"_id\":" OID
                          ",\"n\":5}" BEHIND "2:0\"}\n");
    expect(&bench, rf_test_document_delete(batch, bench.posts, KEY, LAST),
           HEAD("delete") ",\"before\":{\"_id\":" OID ",\"n\":5},\"after\":null" BEHIND "3:0\"}\n");
    expect(&bench, rf_test_document_delete(batch, bench.posts, KEY, NULL),
           HEAD("delete") ",\"before\":null,\"after\":null" BEHIND "4:0\"}\n");
    bench_close(&bench);
}

static void test_json_tells_what_an_update_changed_where_the_document_is_not_told(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_json, NULL);
    struct rf_batch *batch = batch_of(&bench);
    const char *update = ",\"update\":{\"updatedFields\":{\"n\":5,\"a.0\":true},\"removedFields\":"
                         "[\"x\",\"y\"],\"truncatedArrays\":[{\"field\":\"b\",\"newSize\":2}]}";
    char expected[512];
    snprintf(expected, sizeof expected, "%s%s%s", HEAD("update") ",\"before\":null,\"after\":null",
             update, BEHIND "1:0\"}\n");
    expect(&bench, rf_test_document_update(batch, bench.posts, KEY, NULL, NULL, WHAT), expected);
    snprintf(expected, sizeof expected, "%s%s%s", HEAD("update") ",\"before\":null,\"after\":null",
             update, BEHIND "2:0\"}\n");
    expect(&bench, rf_test_document_update(batch, bench.posts, KEY, NULL, "null", WHAT), expected);
    expect(&bench, rf_test_document_update(batch, bench.posts, KEY, NULL, LAST, WHAT),
           HEAD("update") ",\"before\":null,\"after\":{\"_id\":" OID ",\"n\":5}" BEHIND "3:0\"}\n");
    bench_close(&bench);
}

static void test_json_is_canonical_when_it_is_asked_for(void **state)
{
    (void)state;
    static const struct rf_test_setting settings[] = {{"documents", "canonical"}, {NULL, NULL}};
    struct bench bench;
    bench_open(&bench, &rf_format_json, settings);
    expect(&bench, rf_test_document_create(batch_of(&bench), bench.posts, "{\"_id\":7,\"n\":1.5}"),
           "{\"_id\":{\"$numberInt\":\"7\"}} {\"op\":\"create\",\"table\":\"shop.posts\",\"key\":"
           "{\"_id\":{\"$numberInt\":\"7\"}},\"before\":null,\"after\":{\"_id\":{\"$numberInt\":"
           "\"7\"},\"n\":{\"$numberDouble\":\"1.5\"}}" BEHIND "1:0\"}\n");
    bench_close(&bench);
}

static void test_json_tells_a_drop_as_a_statement(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_json, NULL);
    expect(&bench, rf_test_document_drop(batch_of(&bench), "drop", "shop", "posts"),
           " {\"op\":\"ddl\",\"database\":\"shop\",\"table\":\"shop.posts\",\"statement\":"
           "\"{\\\"operationType\\\":\\\"drop\\\",\\\"ns\\\":{\\\"db\\\":\\\"shop\\\","
           "\\\"coll\\\":\\\"posts\\\"}}\"" BEHIND "1:0\"}\n");
    bench_close(&bench);
}

static void test_an_id_that_only_its_text_tells_is_that_text(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_json, NULL);
    struct rf_event *event =
        rf_test_document_delete(batch_of(&bench), bench.posts, "{\"_id\":7}", NULL);
    event->change = NULL;
    expect(&bench, event,
           "{\"_id\":\"7\"} {\"op\":\"delete\",\"table\":\"shop.posts\",\"key\":{\"_id\":\"7\"},"
           "\"before\":null,\"after\":null" BEHIND "1:0\"}\n");
    bench_close(&bench);
}

/* ----------------------------------------------------------------------------------------- flat */

#define FLAT_BEHIND \
    ",\"__database\":\"shop\",\"__table\":\"posts\",\"__ts_ms\":1700000042000,\"__id\":\"0-1-42:"

static void test_flat_has_fields_at_the_top(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_flat, NULL);
    struct rf_batch *batch = batch_of(&bench);
    expect(&bench, rf_test_document_create(batch, bench.posts, LAST),
           KEY " {\"_id\":" OID ",\"n\":5,\"__op\":\"c\",\"__deleted\":false" FLAT_BEHIND
               "1:0\"}\n");
    expect(&bench, rf_test_document_delete(batch, bench.posts, KEY, LAST),
           KEY " {\"_id\":" OID ",\"n\":5,\"__op\":\"d\",\"__deleted\":true" FLAT_BEHIND
               "2:0\"}\n");
    expect(&bench, rf_test_document_delete(batch, bench.posts, KEY, NULL),
           KEY " {\"_id\":" OID ",\"__op\":\"d\",\"__deleted\":true" FLAT_BEHIND "3:0\"}\n");
    /* Gone when it was looked up: nothing, as the delete follows. */
    expect(&bench, rf_test_document_update(batch, bench.posts, KEY, NULL, "null", WHAT), "");
    expect_status(&bench, rf_test_document_update(batch, bench.posts, KEY, NULL, NULL, WHAT),
                  RF_REJECT, "does not tell the document", "update_lookup");
    expect_status(&bench, rf_test_document_create(batch, bench.posts, "{\"_id\":1,\"__op\":\"x\"}"),
                  RF_REJECT, "__op", "prefix=");
    bench_close(&bench);
}

static void test_flat_has_the_document_as_it_was_when_it_is_asked_for(void **state)
{
    (void)state;
    static const struct rf_test_setting settings[] = {{"old", "on"}, {NULL, NULL}};
    struct bench bench;
    bench_open(&bench, &rf_format_flat, settings);
    expect(&bench,
           rf_test_document_replace(batch_of(&bench), bench.posts, "{\"_id\":1,\"a\":1}",
                                    "{\"_id\":1,\"a\":2}"),
           "{\"_id\":1} {\"_id\":1,\"a\":2,\"__old\":{\"_id\":1,\"a\":1},\"__op\":\"u\","
           "\"__deleted\":false" FLAT_BEHIND "1:0\"}\n");
    bench_close(&bench);
}

/* ------------------------------------------------------------------------------------- debezium */

#define SOURCE(number)                                                                      \
    "\"source\":{\"version\":\"" ROWFERRY_VERSION "\",\"connector\":\"mongodb\","           \
    "\"name\":\"rowferry\",\"ts_ms\":1700000042000,\"snapshot\":\"false\",\"db\":\"shop\"," \
    "\"sequence\":null,\"ts_us\":1700000042000000,\"ts_ns\":1700000042000000000,"           \
    "\"collection\":\"posts\",\"ord\":" number
#define NO_SESSION ",\"lsid\":null,\"txnNumber\":null,\"wallTime\":1700000042000}"
#define END(op)                                                              \
    ",\"op\":\"" op "\",\"ts_ms\":1700000042000,\"ts_us\":1700000042000000," \
    "\"ts_ns\":1700000042000000000,\"transaction\":null}"
#define ID_KEY  "{\"id\":\"{\\\"$oid\\\": \\\"56e1fc72e0c917e9c4714161\\\"}\"}"
#define ID_TEXT "{\\\"$oid\\\": \\\"56e1fc72e0c917e9c4714161\\\"}"

static const struct rf_test_setting commit_clock[] = {{"clock", "commit"}, {NULL, NULL}};

static void test_debezium_has_documents_as_its_connector_writes_them(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_debezium, commit_clock);
    struct rf_batch *batch = batch_of(&bench);
    expect(&bench, rf_test_document_create(batch, bench.posts, FIRST),
           ID_KEY " {\"before\":null,\"after\":\"{\\\"_id\\\": " ID_TEXT
                  ",\\\"n\\\": {\\\"$numberLong\\\": \\\"4\\\"},\\\"d\\\": {\\\"$date\\\": 0}}\","
                  "\"updateDescription\":null," SOURCE("1") NO_SESSION END("c") "\n");
    expect(&bench, rf_test_document_update(batch, bench.posts, KEY, NULL, NULL, WHAT),
           ID_KEY " {\"before\":null,\"after\":null,\"updateDescription\":{\"removedFields\":"
                  "[\"x\",\"y\"],\"updatedFields\":\"{\\\"n\\\": 5, \\\"a.0\\\": true}\","
                  "\"truncatedArrays\":[{\"field\":\"b\",\"size\":2}]}," SOURCE("2")
                      NO_SESSION END("u") "\n");
    expect(&bench,
           rf_test_document_update(batch, bench.posts, KEY, LAST, LAST,
                                   "{\"updatedFields\":{},\"removedFields\":[]}"),
           ID_KEY
           " {\"before\":\"{\\\"_id\\\": " ID_TEXT
           ",\\\"n\\\": {\\\"$numberLong\\\": \\\"5\\\"}}\",\"after\":\"{\\\"_id\\\": " ID_TEXT
           ",\\\"n\\\": {\\\"$numberLong\\\": \\\"5\\\"}}\",\"updateDescription\":"
           "{\"removedFields\":null,\"updatedFields\":\"{}\",\"truncatedArrays\":null}," SOURCE("3")
               NO_SESSION END("u") "\n");
    bench_close(&bench);
}

static void test_debezium_puts_a_tombstone_behind_a_deletion(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_debezium, commit_clock);
    expect(&bench, rf_test_document_delete(batch_of(&bench), bench.posts, KEY, NULL),
           ID_KEY " {\"before\":null,\"after\":null,\"updateDescription\":null," SOURCE("1")
               NO_SESSION END("d") "\n" ID_KEY " TOMBSTONE\n");
    bench_close(&bench);
}

static void test_debezium_tells_the_session_of_a_transaction(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_debezium, commit_clock);
    struct rf_batch *batch = batch_of(&bench);
    struct rf_event *event = rf_test_document_create(batch, bench.posts, "{\"_id\":\"a\"}");
    struct rf_document_change *change = (struct rf_document_change *)event->change;
    change->lsid = rf_test_bson(batch, "{\"id\":1}");
    change->txn_number = 9;
    expect(&bench, event,
           "{\"id\":\"\\\"a\\\"\"} {\"before\":null,\"after\":\"{\\\"_id\\\": \\\"a\\\"}\","
           "\"updateDescription\":null," SOURCE(
               "1") ",\"lsid\":\"{\\\"id\\\": 1}\","
                    "\"txnNumber\":9,\"wallTime\":1700000042000}" END("c") "\n");
    bench_close(&bench);
}

static void test_debezium_says_nothing_of_a_drop(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, &rf_format_debezium, commit_clock);
    expect(&bench, rf_test_document_drop(batch_of(&bench), "drop", "shop", "posts"), "");
    bench_close(&bench);
}

static void test_debezium_has_schemas_of_documents(void **state)
{
    (void)state;
    static const struct rf_test_setting settings[] = {
        {"clock", "commit"}, {"schemas", "on"}, {NULL, NULL}};
    struct bench bench;
    struct rf_error err = {0};
    bench_open(&bench, &rf_format_debezium, settings);
    const char *got = rf_test_messages_of(
        &bench.messages, rf_test_document_create(batch_of(&bench), bench.posts, LAST), &err);
    assert_non_null(got);
    static const char key[] =
        "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":false,"
        "\"field\":\"id\"}],\"optional\":false,\"name\":\"rowferry.shop.posts.Key\"},"
        "\"payload\":" ID_KEY "} ";
    assert_int_equal(strncmp(got, key, sizeof key - 1), 0);
    static const char *const pieces[] = {
        "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":true,"
        "\"name\":\"io.debezium.data.Json\",\"version\":1,\"field\":\"before\"},{\"type\":"
        "\"string\",\"optional\":true,\"name\":\"io.debezium.data.Json\",\"version\":1,\"field\":"
        "\"after\"},{\"type\":\"struct\",\"fields\":[{\"type\":\"array\",\"items\":{\"type\":"
        "\"string\",\"optional\":false},\"optional\":true,\"field\":\"removedFields\"},",
        "\"name\":\"io.debezium.connector.mongodb.changestream.truncatedarray\",\"version\":1}",
        "\"name\":\"io.debezium.connector.mongodb.changestream.updatedescription\",\"version\":1,"
        "\"field\":\"updateDescription\"}",
        "{\"type\":\"int32\",\"optional\":false,\"field\":\"ord\"},{\"type\":\"string\","
        "\"optional\":true,\"field\":\"lsid\"},{\"type\":\"int64\",\"optional\":true,\"field\":"
        "\"txnNumber\"},{\"type\":\"int64\",\"optional\":true,\"field\":\"wallTime\"}],"
        "\"optional\":false,\"name\":\"io.debezium.connector.mongo.Source\",\"field\":\"source\"}",
        "\"name\":\"event.block\",\"version\":1,\"field\":\"transaction\"}],\"optional\":false,"
        "\"name\":\"rowferry.shop.posts.Envelope\"},\"payload\":{\"before\":null,\"after\":",
    };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_non_null(strstr(got, pieces[i]));
    }
    const char *value = got + sizeof key - 1;
    assert_true(test_json_is_valid((struct rf_str){value, strlen(value) - 1}));
    bench_close(&bench);
}

/* --------------------------------------------------------------------------------------- others */

static void test_formats_of_rows_alone_refuse_documents_by_name(void **state)
{
    (void)state;
    const struct rf_format_type *const types[] = {&rf_format_maxwell, &rf_format_canal};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        bench_open(&bench, types[i], NULL);
        expect_status(&bench, rf_test_document_create(batch_of(&bench), bench.posts, LAST),
                      RF_CONFIG, types[i]->name, "json, debezium and flat");
        expect_status(&bench, rf_test_document_drop(batch_of(&bench), "drop", "shop", "posts"),
                      RF_CONFIG, "posts is a collection", "json, debezium and flat");
        bench_close(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_has_documents_as_images),
        cmocka_unit_test(test_json_tells_what_an_update_changed_where_the_document_is_not_told),
        cmocka_unit_test(test_json_is_canonical_when_it_is_asked_for),
        cmocka_unit_test(test_json_tells_a_drop_as_a_statement),
        cmocka_unit_test(test_an_id_that_only_its_text_tells_is_that_text),
        cmocka_unit_test(test_flat_has_fields_at_the_top),
        cmocka_unit_test(test_flat_has_the_document_as_it_was_when_it_is_asked_for),
        cmocka_unit_test(test_debezium_has_documents_as_its_connector_writes_them),
        cmocka_unit_test(test_debezium_puts_a_tombstone_behind_a_deletion),
        cmocka_unit_test(test_debezium_tells_the_session_of_a_transaction),
        cmocka_unit_test(test_debezium_says_nothing_of_a_drop),
        cmocka_unit_test(test_debezium_has_schemas_of_documents),
        cmocka_unit_test(test_formats_of_rows_alone_refuse_documents_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
