#include "lib/mongo_script.h"

#include "lib/mongo_server.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_client.h"

/* The scripted server where it tells the truth: other tests believe what it says. */

/* ------------------------------------------------------------------------------------ documents */

static void test_a_bulk_of_libmongoc_is_carried_out(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    begin(NULL, NULL);
    mongoc_collection_t *collection = mongoc_client_get_collection(client, "shop", "orders");
    bson_t *options = BCON_NEW("ordered", BCON_BOOL(false)), reply;
    bson_t *upsert = BCON_NEW("upsert", BCON_BOOL(true));
    mongoc_bulk_operation_t *bulk =
        mongoc_collection_create_bulk_operation_with_opts(collection, options);
    for (int32_t i = 0; i < COUNT; i++) {
        bson_t *filter = BCON_NEW("_id", BCON_INT32(i));
        bson_t *document = BCON_NEW("_id", BCON_INT32(i), "v", BCON_INT64(i));
        assert_true(
            mongoc_bulk_operation_replace_one_with_opts(bulk, filter, document, upsert, &refused));
        bson_destroy(filter);
        bson_destroy(document);
    }
    for (int32_t i = 0; i < COUNT; i += 2) {
        bson_t *filter = BCON_NEW("_id", BCON_INT32(i));
        assert_true(mongoc_bulk_operation_remove_one_with_opts(bulk, filter, NULL, &refused));
        bson_destroy(filter);
    }
    assert_true(mongoc_bulk_operation_execute(bulk, &reply, &refused));
    char *json = bson_as_relaxed_extended_json(&reply, NULL);
    assert_non_null(strstr(json, "\"nUpserted\" : 3000"));
    assert_non_null(strstr(json, "\"nRemoved\" : 1500"));
    bson_free(json);
    expect_done("shop", "{\"count\": \"orders\"}", "\"n\" : { \"$numberInt\" : \"1500\" }");
    expect_done("shop", "{\"find\": \"orders\", \"filter\": {\"_id\": 2999}}",
                "\"v\" : { \"$numberLong\" : \"2999\" }");
    /* As a client sends it, one document after the other, so two messages and not 4,500. */
    assert_int_equal(rf_mongo_script_count(script, "update"), 1);
    assert_int_equal(rf_mongo_script_count(script, "delete"), 1);
    mongoc_bulk_operation_destroy(bulk);
    mongoc_collection_destroy(collection);
    bson_destroy(&reply);
    bson_destroy(options);
    bson_destroy(upsert);
}

/* Of an answer, what does not depend on who it is: counts, codes of errors, documents. */
static void pick(const char *json, struct rf_buf *out)
{
    static const char *const paths[] = {"ok",
                                        "n",
                                        "nModified",
                                        "upserted",
                                        "code",
                                        "value",
                                        "cursor.firstBatch",
                                        "writeErrors.0.index",
                                        "writeErrors.0.code",
                                        "writeErrors.1"};
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, NULL);
    bson_iter_t field, part;
    bson_t picked = BSON_INITIALIZER;
    assert_non_null(document);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (bson_iter_init(&field, document) &&
            bson_iter_find_descendant(&field, paths[i], &part)) {
            bool is_ok = strcmp(paths[i], "ok") == 0; /* of any type of number */
            assert_true(is_ok ? BSON_APPEND_BOOL(&picked, "ok", bson_iter_as_bool(&part))
                              : bson_append_iter(&picked, paths[i], -1, &part));
        }
    }
    char *text = bson_as_relaxed_extended_json(&picked, NULL);
    rf_buf_add_str(out, rf_str_of(text));
    bson_free(text);
    bson_destroy(&picked);
    bson_destroy(document);
}

static void test_it_answers_as_a_real_server_does(void **state)
{
    (void)state;
    /* Each of these, one after the other, leaves both with the same answer and documents. */
    static const char *const conversation[] = {
        "{'insert': 'a', 'documents': [{'_id': 1, 'v': 'x'}, {'_id': '1'}, {'_id': 1.5}]}",
        "{'insert': 'a', 'documents': [{'_id': 2}, {'_id': null}]}",
        "{'insert': 'a', 'ordered': false, 'documents': [{'_id': 3}, {'_id': 4}, {'_id': 5}]}",
        "{'insert': 'a', 'documents': [{'_id': {'a': 1, 'b': 'x'}}]}",
        "{'insert': 'a', 'documents': [{'_id': {'b': 'x', 'a': 1}}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 1}, 'u': {'_id': 1, 'w': 2}}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 1}, 'u': {'w': 2}}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 1}, 'u': {'_id': 9, 'w': 2}}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 77}, 'u': {'w': 2}}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 77}, 'u': {'w': 2}, 'upsert': true},"
        " {'q': {'_id': 78}, 'u': {'$set': {'s': 'y'}}, 'upsert': true}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 78}, 'u': {'$set': {'s': 'z', 't': null}}}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 78},"
        " 'u': {'$unset': {'s': ''}, '$set': {'t': 5}}}]}",
        "{'update': 'a', 'updates': [{'q': {'_id': 78}, 'u': {'$set': {'t': 5}}}]}",
        "{'update': 'a', 'updates': [{'q': {'k': 'new'},"
        " 'u': {'$set': {'_id': 80}, '$setOnInsert': {'o': 1}}, 'upsert': true}]}",
        "{'update': 'a', 'updates': [{'q': {'k': 'new'},"
        " 'u': {'$set': {'v': 7}, '$setOnInsert': {'o': 2}}, 'upsert': true}]}",
        "{'update': 'a', 'updates': [{'q': {}, 'u': {'$set': {'all': true}}, 'multi': true}]}",
        "{'find': 'a', 'filter': {'_id': 78}}",
        "{'find': 'a', 'filter': {'_id': {'$numberLong': '78'}}}",
        "{'find': 'a', 'filter': {'_id': {'$gt': 3, '$lt': 78}}}",
        "{'find': 'a', 'filter': {'$or': [{'_id': 4}, {'t': {'$gte': 5}}]}}",
        "{'find': 'a', 'filter': {'$and': [{'_id': {'$ne': 4}}, {'t': {'$lte': 5}}]}}",
        "{'find': 'a', 'filter': {'$nor': [{'_id': 4}, {'t': 5}]}}",
        "{'find': 'a', 'filter': {'_id': {'$in': [4, 5, 6]}}}",
        "{'find': 'a', 'filter': {'k': {'$exists': true}}}",
        "{'find': 'a', 'filter': {'k': null, '_id': {'$gt': 4}}}",
        "{'find': 'a', 'filter': {'_id.a': 1}}",
        "{'find': 'a', 'filter': {'_id': null}}",
        "{'find': 'nothing', 'filter': {}}",
        "{'count': 'a', 'query': {'all': true}}",
        "{'findAndModify': 'a', 'query': {'_id': 78}, 'update': {'$set': {'t': 6}}}",
        "{'findAndModify': 'a', 'query': {'_id': 78}, 'update': {'$set': {'t': 7}}, 'new': true}",
        "{'findAndModify': 'a', 'query': {'_id': 90}, 'update': {'$set': {'t': 8}},"
        " 'upsert': true, 'new': true}",
        "{'findAndModify': 'a', 'query': {'_id': 91}, 'update': {'$set': {'t': 8}}}",
        "{'findAndModify': 'a', 'query': {'_id': 90}, 'remove': true}",
        "{'delete': 'a', 'deletes': [{'q': {'_id': 4}, 'limit': 1},"
        " {'q': {'_id': 4}, 'limit': 1}]}",
        "{'delete': 'a', 'deletes': [{'q': {'all': true}, 'limit': 1}]}",
        "{'delete': 'nothing', 'deletes': [{'q': {}, 'limit': 0}]}",
        "{'delete': 'a', 'deletes': [{'q': {}, 'limit': 0}]}",
        "{'create': 'b'}",
        "{'create': 'b'}",
        "{'drop': 'b'}",
        "{'insert': 'c', 'documents': [{'_id': 1}]}",
        "{'dropDatabase': 1}",
        "{'noSuchCommand': 1}",
    };
    struct rf_test_mongo server;
    struct rf_buf ours = {0}, theirs = {0};
    rf_test_mongo_start(&server, NULL);
    begin(NULL, NULL);
    for (size_t i = 0; i < sizeof conversation / sizeof *conversation; i++) {
        char command[256], *reply;
        in_json(conversation[i], command, sizeof command);
        reply = rf_test_mongo_ask(&server, "park", command);
        ask("park", conversation[i]);
        rf_buf_reset(&ours);
        rf_buf_reset(&theirs);
        rf_buf_printf(&ours, "%s\n", command);
        rf_buf_printf(&theirs, "%s\n", command);
        pick(answered.data, &ours);
        pick(reply, &theirs);
        rf_buf_add_byte(&ours, '\n');
        rf_buf_add_byte(&theirs, '\n');
        rf_mongo_script_dump(script, &ours);
        rf_test_mongo_dump(&server, &theirs);
        assert_string_equal(rf_buf_cstr(&ours), rf_buf_cstr(&theirs));
        free(reply);
    }
    rf_buf_deinit(&ours);
    rf_buf_deinit(&theirs);
    rf_test_mongo_destroy(&server);
}

/* Where mongo-java-server is not as MongoDB is: it goes on behind a failure in an ordered insert,
 * counts what it refused, and leaves an _id where it was. From the manual, "insert". */
static void test_inserts_are_those_of_mongodb(void **state)
{
    (void)state;
    begin(NULL, NULL);
    expect_done("shop", "{'insert': 't', 'documents': [{'_id': 1}]}", NULL);
    ask("shop", "{'insert': 't', 'documents': [{'_id': 2}, {'_id': 1}, {'_id': 3}]}");
    assert_non_null(strstr(answered.data, "\"n\" : { \"$numberInt\" : \"1\" }"));
    assert_non_null(strstr(answered.data, "\"index\" : { \"$numberInt\" : \"1\" }, \"code\" : "
                                          "{ \"$numberInt\" : \"11000\" }"));
    expect_dump("shop.t { \"_id\" : { \"$numberInt\" : \"1\" } }\n"
                "shop.t { \"_id\" : { \"$numberInt\" : \"2\" } }\n");
    ask("shop",
        "{'insert': 't', 'ordered': false, 'documents': [{'_id': 4}, {'_id': 1}, {'_id': 5}]}");
    assert_non_null(strstr(answered.data, "\"n\" : { \"$numberInt\" : \"2\" }"));
    expect_done("shop", "{'count': 't'}", "\"n\" : { \"$numberInt\" : \"4\" }");
    /* The same number, whatever its type. */
    ask("shop", "{'insert': 't', 'documents': [{'_id': {'$numberLong': '4'}}]}");
    assert_non_null(strstr(answered.data, "11000"));
    ask("shop", "{'insert': 't', 'documents': [{'_id': {'$numberDouble': '4.0'}}]}");
    assert_non_null(strstr(answered.data, "11000"));
    expect_refused("shop", "{'drop': 'nothing'}", 26);
    expect_done("shop", "{'insert': 'u', 'documents': [{'v': 1, '_id': 2}]}", NULL);
    expect_done("shop", "{'find': 'u'}", "[ { \"_id\" : { \"$numberInt\" : \"2\" }, \"v\"");
}

static void test_what_it_does_not_know_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        uint32_t code;
    } cases[] = {
        {"{'find': 't', 'filter': {'_id': {'$regex': 'x'}}}", 2},
        {"{'find': 't', 'filter': {'$nand': [{'a': 1}]}}", 2},
        {"{'find': 't', 'sort': {'a': 1}}", 2},
        {"{'find': 't', 'projection': {'a': 1}}", 2},
        {"{'find': 't', 'skip': 5}", 2},
        {"{'find': ''}", 73},
        {"{'find': 'a$b'}", 73},
        {"{'aggregate': 't', 'pipeline': [], 'cursor': {}}", 40324},
        {"{'createIndexes': 't', 'indexes': []}", 59},
        {"{'insert': 't', 'documents': [{'_id': 1}], 'autocommit': false}", 263},
        {"{'insert': 't'}", 9},
        {"{'insert': 't', 'documents': []}", 16},
        {"{'findAndModify': 't', 'query': {}}", 9},
    };
    static const struct {
        const char *operation;
        const char *code;
    } writes[] = {
        {"{'q': {'_id': 1}, 'u': {'$inc': {'a': 1}}, 'upsert': true}", "\"9\""},
        {"{'q': {'_id': 1}, 'u': [{'$set': {'a': 1}}], 'upsert': true}", "\"9\""},
        {"{'q': {'_id': 1}, 'u': {'$set': {'a.b': 1}}, 'upsert': true}", "\"9\""},
        {"{'q': {'_id': {'$mod': [1, 2]}}, 'u': {'a': 1}}", "\"2\""},
        {"{'q': {'_id': [1]}, 'u': {'a': 1}, 'upsert': true}", "\"53\""},
    };
    begin(NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_refused("shop", cases[i].command, cases[i].code);
    }
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        char command[256], code[64];
        snprintf(command, sizeof command, "{'update': 't', 'updates': [%s]}", writes[i].operation);
        snprintf(code, sizeof code, "\"code\" : { \"$numberInt\" : %s }", writes[i].code);
        ask("shop", command);
        if (strstr(answered.data, code) == NULL) {
            fail_msg("%s: %s", command, answered.data);
        }
    }
    expect_dump("");
}

static void test_limits_are_those_that_it_tells(void **state)
{
    (void)state;
    static const struct rf_mongo_script_options options = {.document_bytes_max = 100,
                                                           .batch_max = 2};
    begin(&options, NULL);
    expect_done("admin", "{'isMaster': 1}", "\"maxBsonObjectSize\" : { \"$numberInt\" : \"100\" }");
    assert_non_null(strstr(answered.data, "\"maxWriteBatchSize\" : { \"$numberInt\" : \"2\" }"));
    expect_refused("shop", "{'insert': 't', 'documents': [{'_id': 1}, {'_id': 2}, {'_id': 3}]}",
                   16);
    ask("shop",
        "{'insert': 't', 'documents': [{'_id': 1, 'v': '0123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890'}]}");
    assert_non_null(strstr(answered.data, "10334"));
    /* As it grows in an update, too. */
    expect_done("shop",
                "{'insert': 't', 'documents': [{'_id': 1, 'v': '01234567890123456789012345678901234"
                "5678901234567'}]}",
                NULL);
    ask("shop",
        "{'update': 't', 'updates': [{'q': {'_id': 1}, 'u': {'$set': {'w': '0123456789012345678901"
        "234567890123'}}}]}");
    assert_non_null(strstr(answered.data, "10334"));
    expect_done("shop", "{'find': 't', 'filter': {'w': {'$exists': true}}}",
                "\"firstBatch\" : [  ]");
}

static void test_a_crash_takes_what_no_journaled_write_covers(void **state)
{
    (void)state;
    begin(&(struct rf_mongo_script_options){.forgetful = true}, NULL);
    expect_done("shop", "{'insert': 't', 'documents': [{'_id': 1}, {'_id': 2}]}", NULL);
    expect_done("shop",
                "{'insert': 't', 'documents': [{'_id': 3}], 'writeConcern': {'w': "
                "1, \"j\": true}}",
                NULL);
    expect_done("shop", "{'update': 't', 'updates': [{'q': {'_id': 1}, 'u': {'v': 1}}]}", NULL);
    expect_done("shop", "{'update': 't', 'updates': [{'q': {'_id': 1}, 'u': {'v': 2}}]}", NULL);
    expect_done("shop", "{'delete': 't', 'deletes': [{'q': {'_id': 2}, 'limit': 1}]}", NULL);
    expect_done("shop", "{'insert': 'u', 'documents': [{'_id': 9}]}", NULL);
    expect_dump("shop.t { \"_id\" : { \"$numberInt\" : \"1\" }, \"v\" : "
                "{ \"$numberInt\" : \"2\" } }\n"
                "shop.t { \"_id\" : { \"$numberInt\" : \"3\" } }\n"
                "shop.u { \"_id\" : { \"$numberInt\" : \"9\" } }\n");
    rf_mongo_script_crash(script);
    rf_mongo_script_again(script);
    expect_dump("shop.t { \"_id\" : { \"$numberInt\" : \"1\" } }\n"
                "shop.t { \"_id\" : { \"$numberInt\" : \"2\" } }\n"
                "shop.t { \"_id\" : { \"$numberInt\" : \"3\" } }\n");
    /* An orderly stop takes nothing. */
    reconnect(NULL);
    expect_done("shop", "{'drop': 't'}", NULL);
    rf_mongo_script_stop(script);
    rf_mongo_script_again(script);
    expect_dump("");
}

int main(void)
{
    mongoc_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_bulk_of_libmongoc_is_carried_out, end),
        cmocka_unit_test_teardown(test_it_answers_as_a_real_server_does, end),
        cmocka_unit_test_teardown(test_inserts_are_those_of_mongodb, end),
        cmocka_unit_test_teardown(test_what_it_does_not_know_is_refused, end),
        cmocka_unit_test_teardown(test_limits_are_those_that_it_tells, end),
        cmocka_unit_test_teardown(test_a_crash_takes_what_no_journaled_write_covers, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
