/* The sink `redis`, documents of collections, against a real server. */

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_documents.h"
#include "lib/redis_subject.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_redis;

static struct rf_table *notes;
static uint32_t written; /* events of the batch */

/* An open sink with these options beside the port. */
static void setup(const char *name1, const char *value1, const char *name2, const char *value2,
                  const char *name3, const char *value3)
{
    const struct rf_test_setting given[] = {
        {"port", server.port}, {name1, value1}, {name2, value2}, {name3, value3}, {NULL, NULL}};
    begin_sink(&rf_sink_redis, given, 16 << 20);
    notes = rf_test_collection("pluto", "notes");
    written = 0;
    tell("FLUSHALL");
    rf_test_begin(&batch, 1);
    open_sink();
}

static void teardown(void)
{
    end_sink();
    rf_table_release(notes);
}

/* Everything in the batch that was not written yet. */
static enum rf_status write_rest(void)
{
    uint32_t first = written;
    written = batch.count;
    return write_some(first, UINT32_MAX);
}

#define OID  "{\"$oid\":\"56e1fc72e0c917e9c4714161\"}"
#define WHAT "{\"updatedFields\":{\"a\":1},\"removedFields\":[]}"

static void test_documents_become_hashes_of_their_fields(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    rf_test_document_create(&batch, notes,
                            "{\"_id\":" OID ",\"title\":\"a b\",\"n\":{\"$numberLong\":\"5\"},"
                            "\"x\":null,\"tags\":[1,\"y\"],\"in\":{\"z\":true},\"at\":"
                            "{\"$date\":{\"$numberLong\":\"1356351330501\"}}}");
    rf_test_document_create(&batch, notes, "{\"_id\":\"a:b\",\"gone\":1}");
    rf_test_document_replace(&batch, notes, NULL, "{\"_id\":\"a:b\",\"new\":\"\"}");
    rf_test_document_create(&batch, notes, "{\"_id\":7}");
    rf_test_document_delete(&batch, notes, "{\"_id\":7}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_content("mongo:pluto:notes:56e1fc72e0c917e9c4714161 hash _id=56e1fc72e0c917e9c4714161 "
                   "at=2012-12-24 12:15:30.501 in={\"z\":true} n=5 tags=[1,\"y\"] title=a b\n"
                   "mongo:pluto:notes:a:b hash _id=a:b new=\n");
    teardown();
}

/* What a later document has not is not there any more, whether both waited together or not. */
static void test_nothing_of_an_older_document_stays(void **state)
{
    (void)state;
    static const char *const folds[] = {"on", "off"};
    for (size_t i = 0; i < 4; i++) {
        setup("fold", folds[i % 2], NULL, NULL, NULL, NULL);
        rf_test_document_create(&batch, notes, "{\"_id\":1,\"a\":1,\"b\":2}");
        if (i < 2) {
            expect_status(write_rest(), RF_OK);
        }
        rf_test_document_update(&batch, notes, "{\"_id\":1}", NULL,
                                "{\"_id\":1,\"b\":null,\"c\":3}", WHAT);
        expect_status(write_rest(), RF_OK);
        expect_content("mongo:pluto:notes:1 hash _id=1 c=3\n");
        teardown();
    }
}

static void test_documents_become_json(void **state)
{
    (void)state;
    setup("as", "json", NULL, NULL, NULL, NULL);
    rf_test_document_create(&batch, notes, "{\"_id\":1,\"a\":[{\"b\":\"\\\"\"}],\"n\":1.5}");
    rf_test_document_create(&batch, notes, "{\"_id\":2}");
    rf_test_document_delete(&batch, notes, "{\"_id\":2}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_content("mongo:pluto:notes:1 string {\"_id\":1,\"a\":[{\"b\":\"\\\"\"}],\"n\":1.5}\n");
    teardown();
}

static void test_strings_are_made_of_the_fields_that_a_template_names(void **state)
{
    (void)state;
    setup("as", "string", "key", "note:{_id}", "value", "{op} {stamp}/{none} {document}");
    rf_test_document_create(&batch, notes, "{\"_id\":1,\"stamp\":\"s\"}");
    rf_test_document_replace(&batch, notes, NULL, "{\"_id\":2,\"stamp\":{\"a\":1}}");
    rf_test_document_create(&batch, notes, "{\"_id\":3}");
    rf_test_document_delete(&batch, notes, "{\"_id\":3}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_content("note:1 string create s/ {\"_id\":1,\"stamp\":\"s\"}\n"
                   "note:2 string update {\"a\":1}/ {\"_id\":2,\"stamp\":{\"a\":1}}\n");
    teardown();
}

static void test_a_key_without_the_id_is_shared_and_deletes_leave_it(void **state)
{
    (void)state;
    setup("as", "string", "key", "LastNote:{kind}", "value", "{stamp}");
    rf_test_document_create(&batch, notes, "{\"_id\":1,\"stamp\":\"a\",\"kind\":\"k\"}");
    rf_test_document_create(&batch, notes, "{\"_id\":2,\"stamp\":\"b\",\"kind\":\"k\"}");
    rf_test_document_delete(&batch, notes, "{\"_id\":2}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_content("LastNote:k string b\n");
    teardown();

    setup("key", "Shared", NULL, NULL, NULL, NULL);
    rf_test_document_create(&batch, notes, "{\"_id\":1,\"a\":1,\"b\":1}");
    expect_status(write_rest(), RF_OK);
    rf_test_document_create(&batch, notes, "{\"_id\":2,\"b\":null,\"c\":1}");
    expect_status(write_rest(), RF_OK);
    expect_content("Shared hash _id=2 a=1 c=1\n");
    teardown();
}

static void test_a_key_that_would_move_with_a_field_is_refused(void **state)
{
    (void)state;
    setup("key", "note:{kind}:{_id}", NULL, NULL, NULL, NULL);
    rf_test_document_create(&batch, notes, "{\"_id\":1,\"kind\":\"k\"}");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("{kind} beside the _id");
    teardown();
}

static void test_an_update_without_its_document_is_a_matter_of_configuration(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    rf_test_document_update(&batch, notes, "{\"_id\":1}", NULL, NULL, WHAT);
    expect_status(write_rest(), RF_CONFIG);
    expect_said("pluto.notes tells what it changed");
    assert_non_null(strstr(err.hint, "update_lookup"));
    teardown();
}

static void test_a_document_that_was_gone_when_it_was_looked_up_waits_for_its_delete(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    rf_test_document_create(&batch, notes, "{\"_id\":1,\"a\":0}");
    rf_test_document_update(&batch, notes, "{\"_id\":1}", NULL, "null", WHAT);
    expect_status(write_rest(), RF_OK);
    expect_content("mongo:pluto:notes:1 hash _id=1 a=0\n");
    rf_test_document_delete(&batch, notes, "{\"_id\":1}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_content("");
    teardown();
}

static void test_rows_of_tables_keep_their_own_key_beside_documents(void **state)
{
    (void)state;
    setup(NULL, NULL, NULL, NULL, NULL, NULL);
    struct rf_table *table = rf_test_table("shop", "orders", "id:int! a:text");
    rf_test_create(&batch, table, "1|x");
    rf_test_document_create(&batch, notes, "{\"_id\":1}");
    expect_status(write_rest(), RF_OK);
    expect_content("mongo:pluto:notes:1 hash _id=1\nshop:orders:1 hash a=x id=1\n");
    rf_table_release(table);
    teardown();
}

static void test_streams_have_documents_or_what_an_update_changed(void **state)
{
    (void)state;
    setup("as", "stream", NULL, NULL, NULL, NULL);
    rf_test_document_create(&batch, notes, "{\"_id\":" OID ",\"a\":1}");
    rf_test_document_update(&batch, notes, "{\"_id\":" OID "}", NULL, NULL, WHAT);
    rf_test_document_delete(&batch, notes, "{\"_id\":" OID "}", "{\"_id\":" OID "}");
    expect_status(write_rest(), RF_OK);
    char *all = rf_test_redis_ask(&server, "XRANGE pluto:notes - +");
    static const char *const pieces[] = {
        "op create table pluto.notes key {\"_id\":" OID "} after {\"_id\":" OID ",\"a\":1} ts ",
        "op update table pluto.notes key {\"_id\":" OID "} update {\"updatedFields\":{\"a\":1},"
        "\"removedFields\":[]} ts ",
        "op delete table pluto.notes key {\"_id\":" OID "} before {\"_id\":" OID "} ts ",
    };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        if (strstr(all, pieces[i]) == NULL) {
            fail_msg("'%s' is not in: %s", pieces[i], all);
        }
    }
    free(all);
    teardown();
}

/* More than any window takes, in every form, with keys that come again. */
static void test_many_documents_end_in_their_last_states(void **state)
{
    (void)state;
    enum { KEYS = 400, ROUNDS = 4 };
    static const char *const forms[] = {"hash", "json"};
    for (size_t form = 0; form < 2; form++) {
        setup("as", forms[form], NULL, NULL, NULL, NULL);
        for (int round = 0; round < ROUNDS; round++) {
            for (int key = 0; key < KEYS; key++) {
                char json[128];
                snprintf(json, sizeof json, "{\"_id\":%d,\"r%d\":%d}", key, round, key);
                if ((key + round) % 5 == 0) {
                    *strchr(json, ',') = '}';
                    *(strchr(json, '}') + 1) = '\0';
                    rf_test_document_delete(&batch, notes, json, NULL);
                } else {
                    rf_test_document_replace(&batch, notes, NULL, json);
                }
            }
        }
        expect_status(write_rest(), RF_OK);
        struct rf_buf content = {0};
        rf_test_redis_dump(&server, &content);
        size_t lines = 0;
        for (size_t i = 0; i < content.size; i++) {
            lines += content.data[i] == '\n';
        }
        assert_int_equal(lines, KEYS - KEYS / 5);
        rf_buf_cstr(&content);
        assert_non_null(strstr(content.data, "notes:18 "));
        assert_null(strstr(content.data, "notes:17 "));
        assert_null(strstr(content.data, "r2"));
        rf_buf_deinit(&content);
        teardown();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_become_hashes_of_their_fields),
        cmocka_unit_test(test_nothing_of_an_older_document_stays),
        cmocka_unit_test(test_documents_become_json),
        cmocka_unit_test(test_strings_are_made_of_the_fields_that_a_template_names),
        cmocka_unit_test(test_a_key_without_the_id_is_shared_and_deletes_leave_it),
        cmocka_unit_test(test_a_key_that_would_move_with_a_field_is_refused),
        cmocka_unit_test(test_an_update_without_its_document_is_a_matter_of_configuration),
        cmocka_unit_test(test_a_document_that_was_gone_when_it_was_looked_up_waits_for_its_delete),
        cmocka_unit_test(test_rows_of_tables_keep_their_own_key_beside_documents),
        cmocka_unit_test(test_streams_have_documents_or_what_an_update_changed),
        cmocka_unit_test(test_many_documents_end_in_their_last_states),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
