/* The source `mongodb`: what it hands over, and where it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mongo_source.h"
#include "wire/bson_read.h"

#define count_of(array) (sizeof(array) / sizeof *(array))

/* -------------------------------------------------------------------------------------- changes */

static void test_each_change_is_handed_over_as_what_it_is(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    tell("shop", "{\"insert\": \"orders\", \"documents\": [{\"_id\": 1, \"v\": \"tea\"}]}");
    tell("shop", "{\"insert\": \"other\", \"documents\": [{\"_id\": 9}]}");
    tell("shop", "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": "
                 "{\"$set\": {\"v\": \"milk\"}}}]}");
    tell("shop", "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": "
                 "{\"w\": 5}}]}");
    tell("shop", "{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": 1}, \"limit\": 1}]}");
    until("delete");
    assert_true(has("1.0 create shop.orders 1|{\"_id\":1,\"v\":\"tea\"}\n"));
    assert_true(has("1.0 update shop.orders 1|? > 1|?\n"));
    assert_true(has("1.0 update shop.orders 1|? > 1|{\"_id\":1,\"w\":5}\n"));
    assert_true(has("1.0 delete shop.orders 1|?\n"));
    assert_false(has("other"));
    assert_int_equal(source.transactions, 4);
}

static void test_an_update_without_an_image_has_its_description(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    tell("shop", "{\"insert\": \"orders\", \"documents\": [{\"_id\": 1, \"v\": \"tea\"}]}");
    until("create");
    tell("shop", "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": "
                 "{\"$set\": {\"n\": 5}}}]}");
    until("update");
    assert_int_equal(source.batch.count, 1);
    const struct rf_document_change *change = source.batch.events[0].change;
    struct rf_bson_element field;
    assert_true(rf_str_equal(change->type, RF_STR("update")));
    assert_true(rf_bson_is_sound(change->update) && rf_bson_is_sound(change->key));
    assert_true(rf_bson_find(change->update, RF_STR("updatedFields"), &field));
    assert_true(rf_bson_find(rf_bson_document(&field), RF_STR("n"), &field));
    assert_int_equal(rf_bson_int32(&field), 5);
    assert_true(change->wall_us > 0 && change->cluster_time > 0 && change->cluster_increment > 0);
    assert_true(source.batch.events[0].origin->raw.size > 0);
}

static bool update_has(const char *name)
{
    struct rf_bson_element field;
    return source.batch.count == 1 &&
           rf_bson_find(source.batch.events[0].change->update, rf_str_of(name), &field);
}

static void test_a_server_is_asked_for_all_that_it_can_tell_of_an_update(void **state)
{
    (void)state;
    static const int32_t wires[] = {17, 21, 13};
    for (size_t i = 0; i < 2 * count_of(wires); i++) {
        begin_with(&(struct rf_mongo_script_options){.set_name = "rs",
                                                     .streams = true,
                                                     .wire_version_max = wires[i / 2]},
                   "shop.orders");
        if (i % 2 == 1) { /* what speaks the protocol, and has not heard of it */
            rf_mongo_script_rule(
                script,
                &(struct rf_mongo_script_rule){
                    .command = "aggregate",
                    .act = RF_MONGO_SCRIPT_ANSWER,
                    .json = i == 1 ? "{\"ok\": 0, \"code\": 40415, \"errmsg\": \"field\"}"
                                   : "{\"ok\": 0, \"code\": 6188501, \"errmsg\": \"flag\"}"});
        }
        bool expanded = wires[i / 2] >= 17 && i % 2 == 0;
        if (wires[i / 2] < 17 && i % 2 == 1) {
            rf_mongo_script_clear(script);
        }
        open_source();
        tell("shop", "{\"create\": \"orders\"}");
        insert("orders", 1);
        until("create shop.orders 1|");
        tell("shop", "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": "
                     "{\"$set\": {\"n\": 5}}}]}");
        until("update");
        assert_true(update_has("updatedFields"));
        assert_int_equal(update_has("disambiguatedPaths"), expanded);
        assert_false(has("ddl"));
        assert_int_equal(source.skipped, 0);
        end(state);
    }
    begin("shop.orders");
}

static void test_what_changes_no_document_is_passed_and_the_place_moves(void **state)
{
    (void)state;
    static const char *const types[] = {
        "create",
        "createIndexes",
        "dropIndexes",
        "modify",
        "shardCollection",
        "reshardCollection",
        "refineCollectionShardKey",
        "migrateLastChunkFromShard",
        "endOfTransaction",
    };
    for (size_t i = 0; i < count_of(types); i++) {
        struct rf_buf json = {0};
        begin("shop.orders");
        open_source();
        rf_buf_printf(&json,
                      "{\"cursor\": {\"nextBatch\": [{\"_id\": {\"_data\": "
                      "\"826922A0700000000900000000AA\"}, \"operationType\": \"%s\", "
                      "\"clusterTime\": {\"$timestamp\": {\"t\": 1763876976, \"i\": 9}}%s, "
                      "\"operationDescription\": {\"a\": 1}}], \"id\": {\"$numberLong\": \"%d\"}}, "
                      "\"ok\": 1}",
                      types[i],
                      i + 1 < count_of(types)
                          ? ", \"ns\": {\"db\": \"shop\", \"coll\": \"orders\"}"
                          : ", \"lsid\": {\"id\": 7}, \"txnNumber\": {\"$numberLong\": \"1\"}",
                      5);
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "getMore",
                                                                    .act = RF_MONGO_SCRIPT_ANSWER,
                                                                    .json = rf_buf_cstr(&json)});
        enum rf_status status = until_failed(); /* the cursor is no cursor of the server */
        assert_int_equal(status, RF_RETRY);
        assert_int_equal(source.events, 0);
        bool moved = strstr(rf_buf_cstr(&source.position), "826922A0700000000900000000AA") != NULL;
        assert_int_equal(moved, i + 1 < count_of(types)); /* a transaction may go on */
        rf_buf_deinit(&json);
        end(state);
    }
    begin("shop.orders");
}

static void test_a_document_is_looked_up_where_that_is_wanted_and_may_be_gone(void **state)
{
    (void)state;
    begin("shop.orders");
    set("images", "update_lookup");
    open_source();
    insert("orders", 1);
    insert("orders", 2);
    tell("shop", "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": "
                 "{\"$set\": {\"v\": 1}}}, {\"q\": {\"_id\": 2}, \"u\": {\"$set\": {\"v\": 2}}}]}");
    tell("shop", "{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": 2}, \"limit\": 1}]}");
    until("delete");
    assert_true(has("update shop.orders 1|? > 1|{\"_id\":1,\"v\":1}\n"));
    assert_true(has("update shop.orders 2|? > 2|NULL\n"));
    assert_int_equal(source.gone, 1); /* `rowferry status` counts them */
}

static void test_images_come_where_collections_keep_them(void **state)
{
    (void)state;
    static const char *const images[] = {"when_available", "required"};
    for (size_t i = 0; i < count_of(images); i++) {
        begin_with(
            &(struct rf_mongo_script_options){.set_name = "rs", .streams = true, .images = true},
            "shop.orders");
        set("images", images[i]);
        open_source();
        insert("orders", 1);
        tell("shop", "{\"update\": \"orders\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": "
                     "{\"$set\": {\"v\": 1}}}]}");
        tell("shop", "{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": 1}, "
                     "\"limit\": 1}]}");
        until("delete");
        assert_true(has("update shop.orders 1|{\"_id\":1} > 1|{\"_id\":1,\"v\":1}\n"));
        assert_true(has("delete shop.orders 1|{\"_id\":1,\"v\":1}\n"));
        end(state);
    }
    begin("shop.orders");
}

static void test_a_required_image_that_is_missing_stops_it(void **state)
{
    (void)state;
    begin("shop.orders");
    set("images", "required");
    open_source();
    insert("orders", 1);
    tell("shop", "{\"delete\": \"orders\", \"deletes\": [{\"q\": {\"_id\": 1}, \"limit\": 1}]}");
    assert_int_equal(until_failed(), RF_FATAL);
    assert_int_equal(err.code, 47);
    assert_non_null(strstr(err.hint, "images=when_available"));
}

static void test_streams_of_databases_and_deployments_have_what_the_patterns_pick(void **state)
{
    (void)state;
    static const struct {
        const char *path, *tables;
        bool shop_orders, shop_other, park;
    } cases[] = {
        {NULL, NULL, true, true, true},
        {"shop", NULL, true, true, false},
        {"shop.o*,park", NULL, true, true, true},
        {NULL, "-shop.other", true, false, true},
        {NULL, "shop.orders", true, false, false},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        begin(cases[i].path);
        if (cases[i].tables != NULL) {
            set("tables", cases[i].tables);
        }
        open_source();
        insert("orders", 1);
        insert("other", 1);
        tell("park", "{\"insert\": \"trees\", \"documents\": [{\"_id\": 1}]}");
        tell("rowferry", "{\"insert\": \"positions\", \"documents\": [{\"_id\": 1}]}");
        insert("orders", 2);
        until("create shop.orders 2");
        assert_int_equal(has("shop.orders 1"), cases[i].shop_orders);
        assert_int_equal(has("shop.other"), cases[i].shop_other);
        assert_int_equal(has("park.trees"), cases[i].park);
        assert_false(has("rowferry"));
        end(state);
    }
    begin("shop");
}

static void test_what_is_not_captured_does_not_leave_the_server(void **state)
{
    (void)state;
    static const struct {
        const char *path, *tables;
        const char *database; /* that is watched */
        int sent;             /* of what is not captured */
    } cases[] = {
        {"shop.orders,shop.items", NULL, "shop", 0},
        {"shop.*", "-shop.other", "shop", 0},
        {"shop.ord*,shop.it?ms", NULL, "shop", 0},
        {"shop.orders,park.trees", NULL, "admin", 0},
        {"sh*.orders", NULL, "admin", 1}, /* shop.other */
        {"*.orders", NULL, "admin", 3},   /* and park's */
        {NULL, "-shop.other,-park", "admin", 0},
        {"shop", "-shop.other", "shop", 0},
        {"shop", "-shop.oth*", "shop", 1},
        {NULL, "-park.*,-*.other", "admin", 1},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        begin(cases[i].path);
        if (cases[i].tables != NULL) {
            set("tables", cases[i].tables);
        }
        open_source();
        insert("other", 1);
        tell("park", "{\"insert\": \"bushes\", \"documents\": [{\"_id\": 1}]}");
        tell("park", "{\"insert\": \"orders.x\", \"documents\": [{\"_id\": 1}]}");
        tell("rowferry", "{\"insert\": \"positions\", \"documents\": [{\"_id\": 1}]}");
        tell("rowferry", "{\"drop\": \"positions\"}");
        insert("orders", 2);
        until("create shop.orders 2|");
        assert_false(has("other") || has("park") || has("rowferry"));
        if ((int)source.skipped != cases[i].sent) {
            fail_msg("%s: %d were sent", cases[i].path, (int)source.skipped);
        }
        char *command = rf_mongo_script_command(script, "aggregate", 1);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "\"$db\" : \"%s\"", cases[i].database);
        assert_non_null(strstr(command, wanted));
        free(command);
        end(state);
    }
    begin("shop");
}

static void test_collections_of_others_need_no_images(void **state)
{
    (void)state;
    static const char *const paths[] = {"shop.orders,shop.items", "shop.orders,park.trees", NULL};
    for (size_t i = 0; i < count_of(paths); i++) {
        begin(paths[i]);
        if (paths[i] == NULL) {
            set("tables", "-shop.other");
        }
        set("images", "required");
        open_source();
        insert("other", 1);
        tell("shop", "{\"delete\": \"other\", \"deletes\": [{\"q\": {\"_id\": 1}, \"limit\": 1}]}");
        tell("rowferry", "{\"insert\": \"positions\", \"documents\": [{\"_id\": 1}]}");
        tell("rowferry", "{\"update\": \"positions\", \"updates\": [{\"q\": {\"_id\": 1}, \"u\": "
                         "{\"$set\": {\"v\": 1}}}]}");
        insert("orders", 2);
        until("create shop.orders 2|");
        end(state);
    }
    begin("shop");
}

static void test_names_with_points_and_the_ends_of_databases_are_not_left_out(void **state)
{
    (void)state;
    begin("*.orders,shop.a?b");
    open_source();
    tell("shop", "{\"insert\": \"old.orders\", \"documents\": [{\"_id\": 1}]}");
    tell("shop", "{\"insert\": \"a.b\", \"documents\": [{\"_id\": 1}]}");
    tell("shop", "{\"insert\": \"axb\", \"documents\": [{\"_id\": 1}]}");
    tell("shop", "{\"dropDatabase\": 1}");
    until("dropDatabase");
    assert_true(has("create shop.old.orders 1|"));
    assert_true(has("create shop.a.b 1|"));
    assert_true(has("create shop.axb 1|"));
}

/* --------------------------------------------------------------------------------- transactions */

static void bundle_of(int first, int count)
{
    rf_mongo_script_bundle(script, true);
    for (int i = 0; i < count; i++) {
        insert("orders", first + i);
    }
    rf_mongo_script_bundle(script, false);
}

static uint32_t times(const char *part)
{
    uint32_t count = 0;
    for (const char *at = text(); (at = strstr(at, part)) != NULL; at++) {
        count++;
    }
    return count;
}

static void test_what_has_one_session_and_number_is_one_transaction(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    insert("orders", 1);
    bundle_of(10, 3);
    bundle_of(20, 2);
    insert("orders", 2);
    until("shop.orders 2|");
    assert_int_equal(source.transactions, 4);
    assert_true(has("3.0 create shop.orders 12|"));
    assert_true(has("2.0 create shop.orders 21|"));
}

static void test_a_transaction_ends_when_nothing_comes_behind_it(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    bundle_of(10, 3);
    until("end ");
    assert_int_equal(times("begin "), 1);
    assert_int_equal(times("end "), 1);
    struct rf_buf position = {0};
    rf_buf_set(&position, rf_buf_str(&source.position));
    rf_buf_reset(&source.text);
    reopen();
    insert("orders", 1);
    until("shop.orders 1|");
    assert_false(has("shop.orders 12|"));
    rf_buf_deinit(&position);
}

static void test_a_transaction_larger_than_a_batch_has_one_position_behind_it(void **state)
{
    (void)state;
    begin("shop.orders");
    source.batch_bytes_max = 1;
    set("batch_size", "2");
    open_source();
    insert("orders", 1);
    until("end ");
    bundle_of(10, 5);
    insert("orders", 2);
    until("shop.orders 12|");
    /* Inside it: going on here begins with all of it. */
    rf_buf_reset(&source.text);
    reopen();
    until("shop.orders 2|");
    assert_int_equal(times("begin "), 2);
    assert_int_equal(times("shop.orders 10|"), 1);
    assert_int_equal(times("shop.orders 14|"), 1);
    assert_false(has("shop.orders 1|"));
}

/* ------------------------------------------------------------------------------------ positions */

static void test_it_goes_on_from_every_position_ever_given(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    struct rf_buf positions[COUNT] = {{0}};
    uint32_t had[COUNT] = {0}, count = 0;
    begin("shop.orders");
    source.batch_bytes_max = 1;
    open_source();
    for (int i = 0; i < 4; i++) {
        insert("orders", i);
        insert("other", i);
        bundle_of(10 * (i + 1), 2);
    }
    insert("orders", 99);
    while (!has("shop.orders 99|")) {
        must(rf_test_source_read(&source, LIMIT_MS, &err));
        if (count == 0 ||
            !rf_str_equal(rf_buf_str(&source.position), rf_buf_str(&positions[count - 1]))) {
            rf_assert(count < COUNT);
            rf_buf_set(&positions[count], rf_buf_str(&source.position));
            had[count++] = times("create");
        }
    }
    uint32_t all = times("create");
    assert_true(count >= 8);
    for (uint32_t i = 0; i < count; i++) {
        rf_test_source_close(&source);
        rf_buf_set(&source.position, rf_buf_str(&positions[i]));
        rf_buf_reset(&source.text);
        open_source();
        if (had[i] < all) {
            until("shop.orders 99|");
        }
        assert_int_equal(times("create"), all - had[i]);
        for (uint32_t k = 0; k < count; k++) {
            assert_int_equal(
                rf_source_mongodb.contains(rf_buf_str(&positions[i]), rf_buf_str(&positions[k])),
                k <= i);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        rf_buf_deinit(&positions[i]);
    }
}

static void test_the_size_of_batches_changes_nothing(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 600, 1 << 20};
    struct rf_buf first = {0};
    begin("shop.orders");
    open_source();
    struct rf_buf position = {0};
    rf_buf_set(&position, rf_buf_str(&source.position));
    bundle_of(10, 3);
    insert("orders", 1);
    bundle_of(20, 7);
    insert("orders", 2);
    for (size_t i = 0; i < count_of(sizes); i++) {
        rf_test_source_close(&source);
        rf_buf_set(&source.position, rf_buf_str(&position));
        rf_buf_reset(&source.text);
        source.batch_bytes_max = sizes[i];
        open_source();
        until("shop.orders 2|");
        if (i == 0) {
            rf_buf_set(&first, rf_buf_str(&source.text));
        }
        assert_string_equal(text(), rf_buf_cstr(&first));
    }
    rf_buf_deinit(&first);
    rf_buf_deinit(&position);
}

static void test_a_quiet_collection_keeps_its_place_while_others_are_busy(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    struct rf_buf before = {0};
    rf_buf_set(&before, rf_buf_str(&source.position));
    for (int i = 0; i < 20; i++) {
        insert("other", i);
    }
    for (int i = 0; i < 100 && rf_str_equal(rf_buf_str(&before), rf_buf_str(&source.position));
         i++) {
        enum rf_status status = rf_test_source_read(&source, 500, &err);
        assert_true(status == RF_OK || status == RF_AGAIN);
    }
    assert_true(rf_source_mongodb.contains(rf_buf_str(&source.position), rf_buf_str(&before)));
    assert_false(rf_source_mongodb.contains(rf_buf_str(&before), rf_buf_str(&source.position)));
    /* What is lost now is behind it. */
    rf_mongo_script_lose_history(script);
    reopen();
    insert("orders", 1);
    until("shop.orders 1|");
    rf_buf_deinit(&before);
}

static void test_it_begins_at_a_time_or_a_token_that_a_person_names(void **state)
{
    (void)state;
    begin("shop.orders");
    insert("orders", 1);
    source.from = "1763830000.1";
    open_source();
    until("shop.orders 1|");
    insert("orders", 2);
    until("shop.orders 2|");
    const char *token = strstr(rf_buf_cstr(&source.position), ";token=");
    assert_non_null(token);
    char copy[128];
    token += strlen(";token=");
    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(token, ";"), token);
    rf_test_source_deinit(&source);
    source =
        (struct rf_test_source){.type = &rf_source_mongodb, .settings = settings, .from = copy};
    insert("orders", 3);
    open_source();
    until("shop.orders 3|");
    assert_false(has("shop.orders 2|"));
}

/* MongoDB goes on behind an event only in a stream that has it. */
static void test_other_patterns_lose_and_double_nothing(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        {"shop", "shop.orders,shop.items"}, {"shop.orders,shop.items", "shop"},
        {NULL, "shop.orders,shop.items"},   {"shop.o*", "shop.orders,park.trees"},
        {"shop,park", "shop.orders"},       {"shop.orders", "shop.orders,shop.items"},
        {"shop.other", "shop.orders"},
    };
    for (size_t i = 0; i < count_of(paths); i++) {
        begin(paths[i][0]);
        source.batch_bytes_max = 1; /* a place behind each */
        open_source();
        insert("orders", 1);
        rf_mongo_script_bundle(script, true);
        insert("orders", 2);
        insert("other", 2);
        rf_mongo_script_bundle(script, false);
        insert("other", 3);
        insert("orders", 3);
        if (i == 4) { /* of one collection again: not behind an event of another one */
            until("shop.orders 3|");
        } else {
            until(i == 5 || i == 1 ? "shop.orders 2|" : "shop.other 3|");
        }
        rf_buf_reset(&source.text);
        rf_test_source_close(&source);
        memset(settings, 0, sizeof settings);
        set("port", port_text);
        set("path", paths[i][1]);
        insert("orders", 4);
        for (int k = 0; k < 3; k++) { /* also when it never read in between */
            open_source();
            rf_test_source_close(&source);
        }
        open_source();
        until("shop.orders 4|");
        assert_false(has("shop.orders 1|"));
        assert_int_equal(times("shop.orders 3|"), i != 4);
        assert_int_equal(times("shop.orders 4|"), 1);
        end(state);
    }
    begin("shop");
}

/* Also where the old one has ended: the server goes on behind its end only in that stream. */
static void test_another_collection_goes_on_behind_the_end_of_the_old_one(void **state)
{
    (void)state;
    static const char *const ends[] = {"{\"drop\": \"other\"}", "{\"dropDatabase\": 1}"};
    for (size_t i = 0; i < count_of(ends); i++) {
        begin("shop.other");
        open_source();
        insert("orders", 1);
        insert("other", 1);
        tell("shop", ends[i]);
        until("\"operationType\":\"invalidate\"");
        rf_buf_reset(&source.text);
        rf_test_source_close(&source);
        set("path", "shop.orders");
        for (int k = 0; k < 3; k++) {
            open_source();
            rf_test_source_close(&source);
        }
        insert("orders", 2);
        open_source();
        until("shop.orders 2|");
        assert_false(has("shop.orders 1|"));
        assert_int_equal(times("shop.orders 2|"), 1);
        end(state);
    }
    begin("shop");
}

/* Older versions did not say of which collection a stream was. */
static void forget_picks(void)
{
    char *picks = strstr(rf_buf_cstr(&source.position), ";picks=");
    assert_non_null(picks);
    size_t size = strlen(";picks=00000000");
    memmove(picks, picks + size, strlen(picks + size) + 1);
    source.position.size -= size;
}

static void test_a_position_that_says_of_no_stream_goes_on_where_it_was(void **state)
{
    (void)state;
    static const int32_t wires[] = {17, 6}; /* MongoDB 6.0, 3.6 */
    for (size_t i = 0; i < 2 * count_of(wires); i++) {
        bool ends = i % 2 != 0, old = wires[i / 2] == 6;
        begin_with(&(struct rf_mongo_script_options){.set_name = "rs",
                                                     .streams = true,
                                                     .wire_version_max = wires[i / 2]},
                   "shop.orders");
        source.batch_bytes_max = 1;
        open_source();
        insert("orders", 1);
        rf_mongo_script_bundle(script, true);
        insert("orders", 2);
        insert("orders", 3);
        rf_mongo_script_bundle(script, false);
        insert("other", 1);
        insert("orders", 4);
        if (ends) {
            tell("shop", "{\"drop\": \"orders\"}");
        }
        insert("orders", 5);
        until(ends ? "invalidate" : "shop.orders 3|");
        rf_buf_reset(&source.text);
        if (!ends) {
            until("end ");
            rf_buf_reset(&source.text);
        }
        rf_test_source_close(&source);
        forget_picks();
        for (int k = 0; k < 3; k++) {
            open_source();
            rf_test_source_close(&source);
        }
        open_source();
        char *command = rf_mongo_script_command(script, "aggregate",
                                                rf_mongo_script_count(script, "aggregate"));
        assert_int_equal(strstr(command, "startAtOperationTime") == NULL, old && !ends);
        free(command);
        until("shop.orders 5|");
        assert_false(has("shop.orders 3|") || has("invalidate"));
        assert_int_equal(times("shop.orders 4|"), !ends);
        assert_int_equal(times("shop.orders 5|"), 1);
        end(state);
    }
    begin("shop");
}

static void test_a_server_without_tokens_of_batches_goes_by_its_events(void **state)
{
    (void)state;
    begin_with(
        &(struct rf_mongo_script_options){
            .set_name = "rs", .streams = true, .tokenless = true, .wire_version_max = 6},
        "shop.orders");
    insert("orders", 1);
    open_source();
    insert("orders", 2);
    until("shop.orders 2|");
    assert_false(has("shop.orders 1|"));
    insert("orders", 3);
    rf_buf_reset(&source.text);
    reopen();
    until("shop.orders 3|");
    assert_false(has("shop.orders 2|"));
}

/* ------------------------------------------------------------------------------ ends of streams */

static void test_behind_a_drop_it_goes_on_with_what_is_made_anew(void **state)
{
    (void)state;
    static const char *const ends[] = {"{\"drop\": \"orders\"}", "{\"dropDatabase\": 1}"};
    static const int32_t wires[] = {17, 7};
    for (size_t i = 0; i < count_of(ends) * count_of(wires); i++) {
        begin_with(&(struct rf_mongo_script_options){.set_name = "rs",
                                                     .streams = true,
                                                     .wire_version_max = wires[i / 2]},
                   "shop.orders");
        open_source();
        insert("orders", 1);
        tell("shop", ends[i % 2]);
        insert("orders", 2);
        until("shop.orders 2|");
        assert_true(has("ddl shop/orders {\"_id\""));
        assert_true(has("\"operationType\":\"invalidate\""));
        assert_int_equal(times("shop.orders 1|"), 1);
        end(state);
    }
    begin("shop.orders");
}

static void test_a_restart_at_an_invalidate_goes_on_behind_it(void **state)
{
    (void)state;
    begin("shop.orders");
    source.batch_bytes_max = 1;
    open_source();
    insert("orders", 1);
    tell("shop", "{\"drop\": \"orders\"}");
    until("\"operationType\":\"drop\"");
    rf_buf_reset(&source.text);
    reopen();
    until("invalidate");
    assert_false(has("\"operationType\":\"drop\""));
    assert_non_null(strstr(rf_buf_cstr(&source.position), ";after=invalidate"));
    rf_buf_reset(&source.text);
    reopen();
    reopen();
    insert("orders", 2);
    until("shop.orders 2|");
    assert_false(has("invalidate"));
    char *command =
        rf_mongo_script_command(script, "aggregate", rf_mongo_script_count(script, "aggregate"));
    assert_non_null(strstr(command, "startAfter"));
    free(command);
}

static void test_a_rename_says_to_what(void **state)
{
    (void)state;
    begin("shop.orders");
    open_source();
    insert("orders", 1);
    until("create");
    tell("admin", "{\"renameCollection\": \"shop.orders\", \"to\": \"shop.old\"}");
    until("\"operationType\":\"rename\"");
    const struct rf_event *event = &source.batch.events[0];
    assert_int_equal(event->op, RF_DDL);
    assert_true(rf_str_equal(event->change->to, RF_STR("shop.old")));
    insert("orders", 2);
    until("shop.orders 2|");
}

/* As $out does: a collection is filled under another name, and takes the place of one. */
static void replace_orders(void)
{
    tell("shop", "{\"insert\": \"tmp.5\", \"documents\": [{\"_id\": 7}]}");
    tell("admin", "{\"renameCollection\": \"shop.tmp.5\", \"to\": \"shop.orders\", "
                  "\"dropTarget\": true}");
}

static void test_a_collection_that_another_one_replaces_is_told_of(void **state)
{
    (void)state;
    static const char *const paths[] = {"shop.orders", "shop.orders,shop.other", "shop.ord*",
                                        "shop", NULL};
    for (size_t i = 0; i < count_of(paths); i++) {
        begin(paths[i]);
        open_source();
        insert("orders", 1);
        replace_orders();
        tell("shop", "{\"insert\": \"elsewhere\", \"documents\": [{\"_id\": 1}]}");
        tell("admin", "{\"renameCollection\": \"shop.elsewhere\", \"to\": \"shop.away\"}");
        insert("orders", 2);
        until("shop.orders 2|");
        assert_true(has("ddl shop/tmp.5 {"));
        assert_true(has("\"to\":{\"db\":\"shop\",\"coll\":\"orders\"}"));
        assert_int_equal(has("invalidate"), i == 0);
        assert_int_equal(has("away"), i > 2);
        end(state);
    }
    begin(NULL);
}

/* As before MongoDB 4.0, which has no other events of it. */
static void test_an_end_without_a_reason_is_warned_of_by_name(void **state)
{
    (void)state;
    static const char end_alone[] =
        "{\"cursor\": {\"nextBatch\": [{\"_id\": {\"_data\": \"826922A0700000000229000004F0\"}, "
        "\"operationType\": \"invalidate\"}], \"id\": {\"$numberLong\": \"0\"}}, \"ok\": 1}";
    begin("shop.orders");
    open_source();
    rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "getMore",
                                                                .act = RF_MONGO_SCRIPT_ANSWER,
                                                                .json = end_alone});
    listen_to_log();
    until("invalidate");
    assert_true(said("the stream of shop.orders ended, and not why"));
    end(state);
    begin("shop.orders");
    open_source();
    insert("orders", 1);
    replace_orders();
    listen_to_log();
    until("invalidate");
    assert_false(said("not why")); /* the rename before it says it */
}

static void test_a_stream_of_all_outlives_a_database(void **state)
{
    (void)state;
    begin(NULL);
    open_source();
    insert("orders", 1);
    tell("shop", "{\"dropDatabase\": 1}");
    insert("orders", 2);
    until("shop.orders 2|");
    assert_true(has("ddl shop/ {"));
    assert_false(has("invalidate"));
    assert_int_equal(rf_mongo_script_count(script, "aggregate"), 1);
}

/* ---------------------------------------------------------------------------------------- split */

static void test_a_split_event_is_put_together(void **state)
{
    (void)state;
    begin_with(
        &(struct rf_mongo_script_options){
            .set_name = "rs", .streams = true, .wire_version_max = 21, .split_bytes = 400},
        "shop.orders");
    struct rf_buf command = {0};
    open_source();
    rf_buf_printf(&command,
                  "{\"insert\": \"orders\", \"documents\": [{\"_id\": 1, \"v\": \"%0500d\"}, "
                  "{\"_id\": 2}]}",
                  7);
    tell("shop", rf_buf_cstr(&command));
    until("shop.orders 2|");
    assert_true(has("00007\"}"));
    assert_int_equal(source.transactions, 2);
    rf_buf_reset(&source.text);
    reopen();
    insert("orders", 3);
    until("shop.orders 3|");
    assert_false(has("shop.orders 1|"));
    rf_buf_deinit(&command);
}

static void test_parts_that_do_not_fit_together_stop_it(void **state)
{
    (void)state;
    static const char *const parts[] = {"{\"fragment\": 2, \"of\": 2}", "{\"fragment\": 1}",
                                        "{\"fragment\": 3, \"of\": 2}"};
    for (size_t i = 0; i < count_of(parts); i++) {
        struct rf_buf json = {0};
        begin_with(&(struct rf_mongo_script_options){.set_name = "rs",
                                                     .streams = true,
                                                     .wire_version_max = 21},
                   "shop.orders");
        open_source();
        rf_buf_printf(&json,
                      "{\"cursor\": {\"nextBatch\": [{\"_id\": {\"_data\": \"82AA\"}, "
                      "\"splitEvent\": %s, \"operationType\": \"insert\"}], \"id\": 5}, "
                      "\"ok\": 1}",
                      parts[i]);
        rf_mongo_script_rule(script, &(struct rf_mongo_script_rule){.command = "getMore",
                                                                    .act = RF_MONGO_SCRIPT_ANSWER,
                                                                    .json = rf_buf_cstr(&json)});
        assert_int_equal(until_failed(), RF_FATAL);
        assert_non_null(strstr(err.message, "do not fit together"));
        rf_buf_deinit(&json);
        end(state);
    }
    begin("shop.orders");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(test_each_change_is_handed_over_as_what_it_is),
        TEST(test_an_update_without_an_image_has_its_description),
        TEST(test_a_server_is_asked_for_all_that_it_can_tell_of_an_update),
        TEST(test_what_changes_no_document_is_passed_and_the_place_moves),
        TEST(test_a_document_is_looked_up_where_that_is_wanted_and_may_be_gone),
        TEST(test_images_come_where_collections_keep_them),
        TEST(test_a_required_image_that_is_missing_stops_it),
        TEST(test_streams_of_databases_and_deployments_have_what_the_patterns_pick),
        TEST(test_what_is_not_captured_does_not_leave_the_server),
        TEST(test_collections_of_others_need_no_images),
        TEST(test_names_with_points_and_the_ends_of_databases_are_not_left_out),
        TEST(test_what_has_one_session_and_number_is_one_transaction),
        TEST(test_a_transaction_ends_when_nothing_comes_behind_it),
        TEST(test_a_transaction_larger_than_a_batch_has_one_position_behind_it),
        TEST(test_it_goes_on_from_every_position_ever_given),
        TEST(test_the_size_of_batches_changes_nothing),
        TEST(test_a_quiet_collection_keeps_its_place_while_others_are_busy),
        TEST(test_it_begins_at_a_time_or_a_token_that_a_person_names),
        TEST(test_other_patterns_lose_and_double_nothing),
        TEST(test_another_collection_goes_on_behind_the_end_of_the_old_one),
        TEST(test_a_position_that_says_of_no_stream_goes_on_where_it_was),
        TEST(test_a_server_without_tokens_of_batches_goes_by_its_events),
        TEST(test_behind_a_drop_it_goes_on_with_what_is_made_anew),
        TEST(test_a_restart_at_an_invalidate_goes_on_behind_it),
        TEST(test_a_rename_says_to_what),
        TEST(test_a_collection_that_another_one_replaces_is_told_of),
        TEST(test_an_end_without_a_reason_is_warned_of_by_name),
        TEST(test_a_stream_of_all_outlives_a_database),
        TEST(test_a_split_event_is_put_together),
        TEST(test_parts_that_do_not_fit_together_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
