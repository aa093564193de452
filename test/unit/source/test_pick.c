#include "source/pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add_all(struct rf_pick *pick, const char *patterns)
{
    struct rf_str rest = rf_str_of(patterns), field;
    struct rf_error err = {0};
    while (rest.size > 0 && rf_str_split(&rest, ' ', &field)) {
        assert_int_equal(rf_pick_add(pick, field, &err), RF_OK);
    }
}

static void test_a_table_is_picked_by_its_patterns(void **context)
{
    static const struct {
        const char *patterns, *table;
        bool picked;
    } cases[] = {
        {"", "shop.orders", true},
        {"shop", "shop.orders", true},
        {"shop", "shop2.orders", false},
        {"shop", "myshop.orders", false},
        {"shop.*", "shop.orders", true},
        {"shop.orders", "shop.orders", true},
        {"shop.orders", "shop.orders2", false},
        {"shop.orders", "Shop.orders", false},
        {"shop.o*s", "shop.orders", true},
        {"shop.?rders", "shop.orders", true},
        {"*.orders", "any.orders", true},
        {"*", "any.thing", true},
        {"shop.* -shop.audit_*", "shop.audit_log", false},
        {"shop.* -shop.audit_*", "shop.orders", true},
        {"-shop.audit_* shop.*", "shop.audit_log", false},
        {"-shop.audit_*", "other.thing", true},
        {"-shop.audit_*", "shop.audit_log", false},
        {"-mysql", "mysql.user", false},
        {"a.x b.y", "b.y", true},
        {"a.x b.y", "b.x", false},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_pick pick = {0};
        add_all(&pick, cases[i].patterns);
        if (rf_pick_table(&pick, rf_str_of(cases[i].table)) != cases[i].picked) {
            fail_msg("'%s' on %s", cases[i].patterns, cases[i].table);
        }
        rf_pick_deinit(&pick);
    }
}

static void test_only_other_patterns_have_another_fingerprint(void **context)
{
    static const char *const others[] = {"shop.t", "shop.* shop.u", "shop.* -shop.t shop.u", ""};
    struct rf_pick pick = {0};
    (void)context;
    add_all(&pick, "shop.* -shop.t");
    /* It stands in positions: a later version has to make it, too. */
    assert_int_equal(rf_pick_fingerprint(&pick), UINT64_C(0x932a0788e983b945));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct rf_pick other = {0};
        add_all(&other, others[i]);
        assert_int_not_equal(rf_pick_fingerprint(&other), rf_pick_fingerprint(&pick));
        rf_pick_deinit(&other);
    }
    struct rf_pick same = {0};
    add_all(&same, "-shop.t shop");
    assert_int_equal(rf_pick_fingerprint(&same), rf_pick_fingerprint(&pick));
    rf_pick_fold(&same);
    assert_int_not_equal(rf_pick_fingerprint(&same), rf_pick_fingerprint(&pick));
    rf_pick_deinit(&same);
    rf_pick_deinit(&pick);
}

static void test_a_database_is_picked_when_a_table_of_it_may_be(void **context)
{
    static const struct {
        const char *patterns, *database;
        bool picked;
    } cases[] = {
        {"", "shop", true},          {"shop.orders", "shop", true},   {"shop.orders", "x", false},
        {"s*.orders", "shop", true}, {"-shop", "shop", false},        {"-shop.audit", "shop", true},
        {"-shop", "other", true},    {"shop -shop.*", "shop", false},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_pick pick = {0};
        add_all(&pick, cases[i].patterns);
        if (rf_pick_database(&pick, rf_str_of(cases[i].database)) != cases[i].picked) {
            fail_msg("'%s' on %s", cases[i].patterns, cases[i].database);
        }
        rf_pick_deinit(&pick);
    }
}

static void test_a_pattern_that_matches_nothing_is_refused(void **context)
{
    static const char *const patterns[] = {"", "-", ".", "shop.", ".orders", "-.x", "  "};
    (void)context;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct rf_pick pick = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_pick_add(&pick, rf_str_of(patterns[i]), &err), RF_CONFIG);
        assert_true(err.hint[0] != '\0');
        rf_pick_deinit(&pick);
    }
}

static void test_folded_patterns_match_any_spelling(void **context)
{
    static const struct {
        const char *pattern, *name;
        bool picked;
    } cases[] = {
        {"shop.orders", "Shop.ORDERS", true},
        {"SHOP.Ord*", "shop.orders", true},
        {"Shop", "sHOP.x", true},
        {"-Shop.A", "shop.a", false},
        {"Shop.\xc3\x84", "shop.\xc3\xa4", true},
        {"shop.a", "shop.b", false},
    };
    (void)context;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int late = 0; late < 2; late++) {
            struct rf_pick pick = {0};
            pick.folds = late == 0;
            add_all(&pick, cases[i].pattern);
            if (late) {
                rf_pick_fold(&pick);
            }
            if (rf_pick_table(&pick, rf_str_of(cases[i].name)) != cases[i].picked) {
                fail_msg("%s on %s", cases[i].pattern, cases[i].name);
            }
            rf_pick_deinit(&pick);
        }
    }
    struct rf_pick pick = {0};
    add_all(&pick, "Shop.Orders");
    assert_false(rf_pick_database(&pick, RF_STR("shop")));
    rf_pick_fold(&pick);
    assert_true(rf_pick_database(&pick, RF_STR("SHOP")));
    rf_pick_deinit(&pick);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_is_picked_by_its_patterns),
        cmocka_unit_test(test_only_other_patterns_have_another_fingerprint),
        cmocka_unit_test(test_a_database_is_picked_when_a_table_of_it_may_be),
        cmocka_unit_test(test_a_pattern_that_matches_nothing_is_refused),
        cmocka_unit_test(test_folded_patterns_match_any_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
