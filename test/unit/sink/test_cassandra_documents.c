/* The sink `cassandra`, documents of collections, against a real node. */

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/cassandra_subject.h"
#include "lib/mongo_documents.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_cassandra;

static struct rf_table *notes;
static uint32_t written; /* events of the batch */

/* An open sink with these options beside the port. */
static void setup(const char *collection, const char *name1, const char *value1, const char *name2,
                  const char *value2)
{
    const struct rf_test_setting given[] = {
        {"port", server.port}, {"path", "/unit"}, {name1, value1}, {name2, value2}, {NULL, NULL}};
    begin_sink(&rf_sink_cassandra, given, 16 << 20);
    notes = rf_test_collection("pluto", collection);
    written = 0;
    free(rf_test_cassandra_ask(&server, "TRUNCATE unit.rowferry_positions"));
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

static void test_documents_become_rows_of_their_id_and_their_json(void **state)
{
    (void)state;
    static const char *const folds[] = {"on", "off"};
    static const char *const names[] = {"notes_on", "notes_off"};
    for (size_t i = 0; i < 2; i++) {
        char query[128];
        setup(names[i], "fold", folds[i], NULL, NULL);
        rf_test_document_create(&batch, notes, "{\"_id\":" OID ",\"n\":[1,{\"$minKey\":1}]}");
        rf_test_document_create(&batch, notes, "{\"_id\":\"x\",\"a\":1}");
        rf_test_document_update(&batch, notes, "{\"_id\":\"x\"}", NULL, "{\"_id\":\"x\",\"b\":2}",
                                WHAT);
        rf_test_document_create(&batch, notes, "{\"_id\":5}");
        rf_test_document_update(&batch, notes, "{\"_id\":5}", NULL, "null", WHAT);
        rf_test_document_delete(&batch, notes, "{\"_id\":5}", NULL);
        expect_status(write_rest(), RF_OK);
        snprintf(query, sizeof query,
                 "SELECT \"_id\", document FROM unit.%s WHERE \"_id\" IN ('5', "
                 "'56e1fc72e0c917e9c4714161', 'x')",
                 names[i]);
        expect_answer(query, "56e1fc72e0c917e9c4714161 {\"_id\":" OID
                             ",\"n\":[1,{\"$minKey\":1}]}\nx {\"_id\":\"x\",\"b\":2}");
        teardown();
    }
}

static void test_values_are_made_of_the_fields_that_templates_name(void **state)
{
    (void)state;
    setup("notes_values", "values", "id={_id},stamp={at},all={title}/{tags}", NULL, NULL);
    rf_test_document_create(&batch, notes,
                            "{\"_id\":1,\"title\":\"t\",\"tags\":[\"a\"],\"at\":"
                            "{\"$date\":{\"$numberLong\":\"1356351330501\"}}}");
    rf_test_document_create(&batch, notes, "{\"_id\":2,\"at\":\"text\"}");
    rf_test_document_create(&batch, notes, "{\"_id\":3}");
    rf_test_document_delete(&batch, notes, "{\"_id\":3}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_answer("SELECT id, stamp, \"all\" FROM unit.notes_values WHERE id IN ('1', '2', '3')",
                  "1 2012-12-24 12:15:30.501 t/[\"a\"]\n2 text /");
    teardown();
}

static void test_an_update_without_its_document_is_a_matter_of_configuration(void **state)
{
    (void)state;
    setup("notes_untold", NULL, NULL, NULL, NULL);
    rf_test_document_update(&batch, notes, "{\"_id\":1}", NULL, NULL, WHAT);
    expect_status(write_rest(), RF_CONFIG);
    expect_said("notes_untold tells what it changed");
    assert_non_null(strstr(err.hint, "update_lookup"));
    teardown();
}

/* Rows are needed until the node has said that it has them, long behind the window's end. */
static void test_many_documents_end_in_their_last_states(void **state)
{
    (void)state;
    enum { KEYS = 3000, ROUNDS = 2 };
    setup("notes_many", NULL, NULL, NULL, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        for (int key = 0; key < KEYS; key++) {
            char json[128];
            snprintf(json, sizeof json, "{\"_id\":%d,\"r\":%d}", key, round);
            rf_test_document_replace(&batch, notes, NULL, json);
        }
    }
    expect_status(write_rest(), RF_OK);
    flush("1");
    expect_answer("SELECT COUNT(*) FROM unit.notes_many", "3000");
    expect_answer("SELECT document FROM unit.notes_many WHERE \"_id\" IN ('0', '2999')",
                  "{\"_id\":0,\"r\":1}\n{\"_id\":2999,\"r\":1}");
    teardown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_become_rows_of_their_id_and_their_json),
        cmocka_unit_test(test_values_are_made_of_the_fields_that_templates_name),
        cmocka_unit_test(test_an_update_without_its_document_is_a_matter_of_configuration),
        cmocka_unit_test(test_many_documents_end_in_their_last_states),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
