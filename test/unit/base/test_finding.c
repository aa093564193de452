#include <rowferry/finding.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void test_findings_keep_their_own_copies_in_order(void **state)
{
    struct rf_findings findings = {0};
    char text[32];
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "number %d", i);
        rf_finding_add(&findings, (struct rf_finding){.what = text, .found = i % 2 ? text : NULL});
    }
    snprintf(text, sizeof text, "overwritten");
    assert_int_equal(findings.count, 100);
    assert_string_equal(findings.items[41].what, "number 41");
    assert_string_equal(findings.items[41].found, "number 41");
    assert_null(findings.items[42].found);
    rf_findings_deinit(&findings);
    assert_int_equal(findings.count, 0);
}

static void test_tables_keep_their_own_names_in_order(void **state)
{
    struct rf_findings findings = {0};
    char text[32];
    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof text, "t%d", i);
        rf_finding_add_table(&findings, RF_STR("d"), rf_str_of(text));
    }
    snprintf(text, sizeof text, "overwritten");
    assert_int_equal(findings.table_count, 40);
    assert_true(rf_str_equal(findings.tables[39].database, RF_STR("d")));
    assert_true(rf_str_equal(findings.tables[17].name, RF_STR("t17")));
    rf_findings_deinit(&findings);
    assert_int_equal(findings.table_count, 0);
}

static void test_the_first_that_is_wrong_is_found(void **state)
{
    struct rf_findings findings = {0};
    (void)state;
    assert_null(rf_findings_first_wrong(&findings));
    rf_finding_add(&findings, (struct rf_finding){.what = "a"});
    rf_finding_add(&findings, (struct rf_finding){.what = "b", .verdict = RF_FINDING_ADVICE});
    assert_null(rf_findings_first_wrong(&findings));
    rf_finding_add(&findings, (struct rf_finding){.what = "c", .verdict = RF_FINDING_WRONG});
    rf_finding_add(&findings, (struct rf_finding){.what = "d", .verdict = RF_FINDING_WRONG});
    assert_string_equal(rf_findings_first_wrong(&findings)->what, "c");
    assert_int_equal(rf_findings_count(&findings, RF_FINDING_WRONG), 2);
    assert_int_equal(rf_findings_count(&findings, RF_FINDING_UNKNOWN), 0);
    rf_findings_deinit(&findings);
}

static void test_an_error_becomes_a_finding_with_its_hint(void **state)
{
    struct rf_findings findings = {0};
    struct rf_error err = {0};
    (void)state;
    rf_finding_add_error(&findings, "mode", &err);
    assert_int_equal(findings.count, 0);
    rf_fail(&err, RF_CONFIG, "it runs in cluster mode");
    rf_error_hint(&err, "use another one");
    rf_finding_add_error(&findings, "mode", &err);
    assert_int_equal(findings.items[0].verdict, RF_FINDING_WRONG);
    assert_string_equal(findings.items[0].why, "it runs in cluster mode");
    assert_string_equal(findings.items[0].fix, "use another one");
    rf_findings_deinit(&findings);
}

static void test_encryption_is_judged_by_where_the_other_side_is(void **state)
{
    static const struct {
        bool encrypted, verified, local;
        enum rf_verdict verdict;
    } cases[] = {
        {true, true, false, RF_FINDING_FINE},
        {true, false, false, RF_FINDING_ADVICE},
        {false, true, true, RF_FINDING_FINE},
        {false, true, false, RF_FINDING_ADVICE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_findings findings = {0};
        rf_finding_add_encryption(&findings, cases[i].encrypted, cases[i].verified, cases[i].local);
        assert_int_equal(findings.items[0].verdict, cases[i].verdict);
        rf_findings_deinit(&findings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings_keep_their_own_copies_in_order),
        cmocka_unit_test(test_tables_keep_their_own_names_in_order),
        cmocka_unit_test(test_the_first_that_is_wrong_is_found),
        cmocka_unit_test(test_an_error_becomes_a_finding_with_its_hint),
        cmocka_unit_test(test_encryption_is_judged_by_where_the_other_side_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
