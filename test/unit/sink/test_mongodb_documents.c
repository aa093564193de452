/* The sink `mongodb`, documents of collections, against a real server. */

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_documents.h"
#include "lib/mongo_server.h"
#include "lib/sink_subject.h"

extern const struct rf_sink_type rf_sink_mongodb;

static struct rf_test_mongo server;
static struct rf_table *posts;
static uint32_t written; /* events of the batch */

static int start_server(void **state)
{
    (void)state;
    rf_test_mongo_start(&server, NULL);
    posts = rf_test_collection("shop", "posts");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    rf_table_release(posts);
    rf_test_mongo_destroy(&server);
    return 0;
}

/* An open sink with this option beside those of the server. */
static void setup(const char *name, const char *value)
{
    struct rf_test_setting given[SETTINGS_MAX];
    uint32_t count = rf_test_mongo_settings(&server, given, SETTINGS_MAX - 1);
    given[count] = (struct rf_test_setting){name, value};
    given[count + (name != NULL)] = (struct rf_test_setting){0};
    begin_sink(&rf_sink_mongodb, given, 64 << 20);
    written = 0;
    rf_test_mongo_wipe(&server);
    rf_test_begin(&batch, 1);
    open_sink();
}

/* Everything in the batch that was not written yet. */
static enum rf_status write_rest(void)
{
    uint32_t first = written;
    written = batch.count;
    return write_some(first, UINT32_MAX);
}

static void expect_content(const char *expected)
{
    struct rf_buf content = {0};
    rf_test_mongo_dump(&server, &content);
    assert_string_equal(rf_buf_cstr(&content), expected);
    rf_buf_deinit(&content);
}

#define WHAT "{\"updatedFields\":{\"a\":1},\"removedFields\":[]}"

static void test_documents_are_written_as_they_came_with_all_their_types(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rf_test_document_create(&batch, posts,
                            "{\"_id\":{\"$oid\":\"56e1fc72e0c917e9c4714161\"},\"z\":1,\"a\":"
                            "{\"$numberLong\":\"1\"},\"m\":{\"b\":[1.5,{\"$date\":{\"$numberLong\":"
                            "\"-1\"}}],\"r\":{\"$regularExpression\":{\"pattern\":\"^a\","
                            "\"options\":\"i\"}}}}");
    rf_test_document_create(&batch, posts, "{\"a\":1,\"_id\":\"x\"}");
    expect_status(write_rest(), RF_OK);
    expect_content(
        "shop.posts { \"_id\" : \"x\", \"a\" : { \"$numberInt\" : \"1\" } }\n"
        "shop.posts { \"_id\" : { \"$oid\" : \"56e1fc72e0c917e9c4714161\" }, \"z\" : "
        "{ \"$numberInt\" : \"1\" }, \"a\" : { \"$numberLong\" : \"1\" }, \"m\" : { \"b\" : [ "
        "{ \"$numberDouble\" : \"1.5\" }, { \"$date\" : { \"$numberLong\" : \"-1\" } } ], \"r\" : "
        "{ \"$regularExpression\" : { \"pattern\" : \"^a\", \"options\" : \"i\" } } } }\n");
    end_sink();
}

static void test_the_last_state_of_each_document_remains(void **state)
{
    (void)state;
    static const char *const folds[] = {"on", "off"};
    for (size_t i = 0; i < 2; i++) {
        setup("fold", folds[i]);
        rf_test_document_create(&batch, posts, "{\"_id\":1,\"a\":1,\"b\":2}");
        rf_test_document_create(&batch, posts, "{\"_id\":2}");
        rf_test_document_update(&batch, posts, "{\"_id\":1}", NULL, "{\"_id\":1,\"a\":3}", WHAT);
        rf_test_document_delete(&batch, posts, "{\"_id\":2}", NULL);
        rf_test_document_create(&batch, posts, "{\"_id\":3}");
        rf_test_document_replace(&batch, posts, "{\"_id\":3}", "{\"_id\":3,\"c\":null}");
        rf_test_document_delete(&batch, posts, "{\"_id\":4}", NULL);
        expect_status(write_rest(), RF_OK);
        expect_content("shop.posts { \"_id\" : { \"$numberInt\" : \"1\" }, \"a\" : "
                       "{ \"$numberInt\" : \"3\" } }\n"
                       "shop.posts { \"_id\" : { \"$numberInt\" : \"3\" }, \"c\" : null }\n");
        end_sink();
    }
}

/* 1 and 1.0 are one _id to MongoDB. */
static void test_an_id_may_come_back_as_a_number_of_another_type(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rf_test_document_create(&batch, posts, "{\"_id\":1,\"a\":1}");
    rf_test_document_delete(&batch, posts, "{\"_id\":1}", NULL);
    rf_test_document_create(&batch, posts, "{\"_id\":{\"$numberDouble\":\"1.0\"},\"a\":2}");
    rf_test_document_create(&batch, posts, "{\"_id\":{\"$numberLong\":\"2\"},\"a\":1}");
    rf_test_document_delete(&batch, posts, "{\"_id\":{\"$numberLong\":\"2\"}}", NULL);
    rf_test_document_create(&batch, posts, "{\"_id\":2,\"a\":2}");
    rf_test_document_delete(&batch, posts, "{\"_id\":2}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_content("shop.posts { \"_id\" : { \"$numberDouble\" : \"1.0\" }, \"a\" : "
                   "{ \"$numberInt\" : \"2\" } }\n");
    end_sink();
}

static void test_an_update_without_its_document_is_a_matter_of_configuration(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rf_test_document_create(&batch, posts, "{\"_id\":1,\"a\":0}");
    rf_test_document_update(&batch, posts, "{\"_id\":1}", NULL, NULL, WHAT);
    expect_status(write_rest(), RF_CONFIG);
    expect_said("shop.posts tells what it changed");
    assert_non_null(strstr(err.hint, "update_lookup"));
    end_sink();
}

static void test_a_document_that_was_gone_when_it_was_looked_up_waits_for_its_delete(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rf_test_document_create(&batch, posts, "{\"_id\":1,\"a\":0}");
    rf_test_document_update(&batch, posts, "{\"_id\":1}", NULL, "null", WHAT);
    expect_status(write_rest(), RF_OK);
    expect_content("shop.posts { \"_id\" : { \"$numberInt\" : \"1\" }, \"a\" : "
                   "{ \"$numberInt\" : \"0\" } }\n");
    rf_test_document_delete(&batch, posts, "{\"_id\":1}", NULL);
    expect_status(write_rest(), RF_OK);
    expect_content("");
    end_sink();
}

static void test_a_drop_changes_nothing_and_is_a_barrier(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rf_test_document_create(&batch, posts, "{\"_id\":1}");
    rf_test_document_drop(&batch, "drop", "shop", "posts");
    rf_test_document_drop(&batch, "dropDatabase", "shop", "");
    rf_test_document_drop(&batch, "invalidate", "shop", "posts");
    rf_test_document_create(&batch, posts, "{\"_id\":2}");
    expect_status(write_rest(), RF_OK);
    expect_content("shop.posts { \"_id\" : { \"$numberInt\" : \"1\" } }\n"
                   "shop.posts { \"_id\" : { \"$numberInt\" : \"2\" } }\n");
    end_sink();
}

static void test_collections_go_where_the_templates_say_and_never_to_our_own(void **state)
{
    (void)state;
    setup("collection", "copy_{collection}");
    rf_test_document_create(&batch, posts, "{\"_id\":1}");
    expect_status(write_rest(), RF_OK);
    expect_content("shop.copy_posts { \"_id\" : { \"$numberInt\" : \"1\" } }\n");
    end_sink();

    setup(NULL, NULL);
    struct rf_table *own = rf_test_collection("rowferry", "positions");
    rf_test_document_create(&batch, own, "{\"_id\":1}");
    expect_status(write_rest(), RF_CONFIG);
    expect_said("rowferry's own");
    rf_table_release(own);
    end_sink();
}

static void test_a_large_document_is_written(void **state)
{
    (void)state;
    enum { SIZE = 3000000 };
    setup(NULL, NULL);
    char *json = malloc(SIZE + 64);
    assert_non_null(json);
    int head = snprintf(json, 64, "{\"_id\":1,\"a\":\"");
    memset(json + head, 'x', SIZE);
    memcpy(json + head + SIZE, "\"}", 3);
    for (int i = 0; i < 4; i++) {
        json[7] = (char)('1' + i);
        rf_test_document_create(&batch, posts, json);
    }
    expect_status(write_rest(), RF_OK);
    struct rf_buf content = {0};
    rf_test_mongo_dump(&server, &content);
    assert_in_range(content.size, 4 * SIZE, 4 * SIZE + 1000);
    rf_buf_deinit(&content);
    free(json);
    end_sink();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_are_written_as_they_came_with_all_their_types),
        cmocka_unit_test(test_the_last_state_of_each_document_remains),
        cmocka_unit_test(test_an_id_may_come_back_as_a_number_of_another_type),
        cmocka_unit_test(test_an_update_without_its_document_is_a_matter_of_configuration),
        cmocka_unit_test(test_a_document_that_was_gone_when_it_was_looked_up_waits_for_its_delete),
        cmocka_unit_test(test_a_drop_changes_nothing_and_is_a_barrier),
        cmocka_unit_test(test_collections_go_where_the_templates_say_and_never_to_our_own),
        cmocka_unit_test(test_a_large_document_is_written),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
