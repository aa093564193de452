#include "lib/events.h"
#include "lib/transform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

extern const struct rf_transform_type rf_transform_tables;

enum verdict { GETS, DROPS, STOPS };

static enum verdict verdict_on(struct rf_test_transform *transform, const struct rf_event *event,
                               struct rf_buf *text)
{
    enum rf_status status = rf_test_transform_apply(transform, event, text);
    if (status != RF_OK) {
        assert_int_equal(status, RF_CONFIG);
        return STOPS;
    }
    return strcmp(rf_buf_cstr(text), "dropped") == 0 ? DROPS : GETS;
}

static enum verdict verdict_of(const char *patterns, int which, const char *database,
                               const char *name)
{
    struct rf_test_transform transform = {.type = &rf_transform_tables};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_table *table = rf_test_table(database, name, "id:int!");
    struct rf_buf text = {0};
    struct rf_error err = {0};
    assert_int_equal(rf_test_transform_open(&transform, patterns, NULL, &err), RF_OK);
    rf_test_begin(&batch, 1);
    const struct rf_event *event = which == 0   ? rf_test_create(&batch, table, "1")
                                   : which == 1 ? rf_test_truncate(&batch, database, name)
                                                : rf_test_ddl(&batch, database, "ALTER ...");
    enum verdict verdict = verdict_on(&transform, event, &text);
    assert_int_equal(verdict_on(&transform, event, &text), verdict); /* remembered, and the same */
    rf_test_transform_close(&transform);
    rf_batch_deinit(&batch);
    rf_table_release(table);
    rf_buf_deinit(&text);
    return verdict;
}

static void test_a_sink_gets_rows_and_truncates_of_its_tables(void **state)
{
    static const struct {
        const char *patterns, *database, *table;
        enum verdict verdict;
    } cases[] = {
        {"", "shop", "orders", GETS},
        {"shop.*", "shop", "orders", GETS},
        {"shop", "shop", "orders", GETS},
        {"shop.*", "other", "orders", DROPS},
        {"shop.orders,shop.items", "shop", "items", GETS},
        {"shop.*,-shop.audit_*", "shop", "audit_log", DROPS},
        {"-shop.audit_*", "other", "thing", GETS},
        {"-shop.audit_*", "shop", "audit_log", DROPS},
        {"shop.or*", "shop", "orders", GETS},
        /* Where nothing but the case of letters decides, nothing is guessed. */
        {"shop.Orders", "shop", "orders", STOPS},
        {"shop.*,-shop.Secret", "shop", "secret", STOPS},
        {"SHOP", "shop", "orders", STOPS},
        {"shop.Orders,shop.orders", "shop", "orders", GETS},
        {"shop.Orders,-shop.orders", "shop", "orders", DROPS},
        {"shop.Orders,-shop.orders", "shop", "Orders", GETS},
        {"shop.*,-shop.Secret,shop.secret", "shop", "secret", GETS},
        {"shop.*,-shop.Secret,shop.secret", "shop", "Secret", DROPS},
        {"Shop.orders,shop.*", "shop", "orders", GETS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int truncates = 0; truncates < 2; truncates++) {
            enum verdict verdict =
                verdict_of(cases[i].patterns, truncates, cases[i].database, cases[i].table);
            if (verdict != cases[i].verdict) {
                fail_msg("'%s' on %s.%s: %d", cases[i].patterns, cases[i].database, cases[i].table,
                         verdict);
            }
        }
    }
}

static void test_a_sink_gets_ddl_of_databases_with_tables_of_its_own(void **state)
{
    static const struct {
        const char *patterns, *database;
        enum verdict verdict;
    } cases[] = {
        {"shop.orders", "shop", GETS},
        {"shop.orders", "other", DROPS},
        {"-shop", "shop", DROPS},
        {"-shop.audit", "shop", GETS},
        {"Shop.orders", "shop", GETS},
        {"shop.orders", "", DROPS},
        {"-shop.orders", "", GETS},
        {"", "shop", GETS},
        {"", "", GETS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum verdict verdict = verdict_of(cases[i].patterns, 2, cases[i].database, "");
        if (verdict != cases[i].verdict) {
            fail_msg("'%s' on %s: %d", cases[i].patterns, cases[i].database, verdict);
        }
    }
}

static void test_a_sink_gets_drops_and_renames_of_its_collections(void **state)
{
    static const struct {
        const char *patterns, *collection, *to;
        enum verdict verdict;
    } cases[] = {
        {"shop.posts", "posts", "", GETS},
        {"shop.posts", "notes", "", DROPS},
        {"shop.posts", "notes", "shop.posts", GETS},
        {"shop.posts", "posts", "shop.old", GETS},
        {"shop.posts", "notes", "shop.old", DROPS},
        {"shop.posts", "", "", GETS},
        {"other.posts", "", "", DROPS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_transform transform = {.type = &rf_transform_tables};
        struct rf_batch batch = {.bytes_max = 1 << 20};
        struct rf_document_change change = {.type = RF_STR("drop"), .to = rf_str_of(cases[i].to)};
        struct rf_buf text = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_test_transform_open(&transform, cases[i].patterns, NULL, &err), RF_OK);
        rf_test_begin(&batch, 1);
        struct rf_event *event = rf_test_ddl(&batch, "shop", "{}");
        event->object = rf_str_of(cases[i].collection);
        event->change = &change;
        assert_int_equal(verdict_on(&transform, event, &text), cases[i].verdict);
        rf_test_transform_close(&transform);
        rf_batch_deinit(&batch);
        rf_buf_deinit(&text);
    }
}

static void test_doubt_about_case_is_said_with_what_to_write(void **state)
{
    struct rf_test_transform transform = {.type = &rf_transform_tables};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_table *table = rf_test_table("shop", "orders", "id:int!");
    struct rf_error err = {0};
    bool drop = false;
    (void)state;
    assert_int_equal(rf_test_transform_open(&transform, "Shop.Orders", NULL, &err), RF_OK);
    rf_test_begin(&batch, 1);
    struct rf_event event = *rf_test_create(&batch, table, "1");
    assert_int_equal(transform.type->apply(transform.state, &event, &drop, &transform.arena, &err),
                     RF_CONFIG);
    assert_string_equal(err.message, "tables: the case of letters alone decides whether this sink "
                                     "gets shop.orders");
    assert_non_null(strstr(err.hint, "\"-shop.orders\""));
    rf_test_transform_close(&transform);
    rf_batch_deinit(&batch);
    rf_table_release(table);
}

static void test_a_pattern_that_matches_nothing_is_refused(void **state)
{
    static const char *const patterns[] = {"-", ".", "shop.", ".orders", "shop.*,-.x"};
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct rf_test_transform transform = {.type = &rf_transform_tables};
        struct rf_error err = {0};
        assert_int_equal(rf_test_transform_open(&transform, patterns[i], NULL, &err), RF_CONFIG);
        assert_true(err.hint[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sink_gets_rows_and_truncates_of_its_tables),
        cmocka_unit_test(test_a_sink_gets_ddl_of_databases_with_tables_of_its_own),
        cmocka_unit_test(test_a_sink_gets_drops_and_renames_of_its_collections),
        cmocka_unit_test(test_doubt_about_case_is_said_with_what_to_write),
        cmocka_unit_test(test_a_pattern_that_matches_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
