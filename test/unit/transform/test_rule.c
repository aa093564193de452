#include "lib/transform.h"
#include "transform/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_a_rule_says_what_becomes_of_which_column(void **state)
{
    static const struct {
        const char *text;
        enum rf_rule_action action;
        const char *database, *table, *column;
        uint32_t characters;
        bool exact;
    } cases[] = {
        {"email", RF_RULE_KEEP, "", "", "email", 0, false},
        {"users.email", RF_RULE_KEEP, "", "users", "email", 0, true},
        {"Shop.Users.E-Mail", RF_RULE_KEEP, "shop", "users", "e-mail", 0, true},
        {"-password", RF_RULE_LEAVE_OUT, "", "", "password", 0, false},
        {"- password", RF_RULE_LEAVE_OUT, "", "", "password", 0, false},
        {"-shop.users.pass*", RF_RULE_LEAVE_OUT, "shop", "users", "pass*", 0, false},
        {"mask(email)", RF_RULE_MASK, "", "", "email", 0, false},
        {"mask(*.users.email)", RF_RULE_MASK, "*", "users", "email", 0, false},
        {"mask(email,4)", RF_RULE_MASK, "", "", "email", 4, false},
        {" mask ( shop.users.email , 4 ) ", RF_RULE_MASK, "shop", "users", "email", 4, true},
        {"hash(Email)", RF_RULE_HASH, "", "", "email", 0, false},
        {"truncate(note,100)", RF_RULE_TRUNCATE, "", "", "note", 100, false},
        {"truncate(t.n,1000000000)", RF_RULE_TRUNCATE, "", "t", "n", 1000000000, true},
        {"mask", RF_RULE_KEEP, "", "", "mask", 0, false},
        {"a b", RF_RULE_KEEP, "", "", "a b", 0, false},
        {"\xc3\x84rger", RF_RULE_KEEP, "", "", "\xc3\xa4rger", 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_arena arena = {0};
        struct rf_error err = {0};
        struct rf_rules rules;
        enum rf_status status =
            rf_rules_read(rf_test_list(&arena, cases[i].text), &arena, &rules, &err);
        if (status != RF_OK || rules.count != 1) {
            fail_msg("'%s': %s", cases[i].text, err.message);
        }
        const struct rf_rule *rule = &rules.items[0];
        bool same = rule->action == cases[i].action &&
                    rf_str_equal(rule->database, rf_str_of(cases[i].database)) &&
                    rf_str_equal(rule->table, rf_str_of(cases[i].table)) &&
                    rf_str_equal(rule->column, rf_str_of(cases[i].column)) &&
                    rule->characters == cases[i].characters && rule->exact == cases[i].exact;
        if (!same) {
            fail_msg("'%s' was read otherwise", cases[i].text);
        }
        assert_int_equal(rules.keeps, rule->action == RF_RULE_KEEP);
        assert_int_equal(rules.hashes, rule->action == RF_RULE_HASH);
        rf_arena_deinit(&arena);
    }
}

static void test_a_rule_is_whole_though_its_list_was_split_at_commas(void **state)
{
    struct rf_arena arena = {0};
    struct rf_error err = {0};
    struct rf_rules rules;
    (void)state;
    struct rf_list list =
        rf_test_list(&arena, "-password,mask(email,4),truncate(note, 100),hash(name)");
    assert_int_equal(list.count, 6);
    assert_int_equal(rf_rules_read(list, &arena, &rules, &err), RF_OK);
    assert_int_equal(rules.count, 4);
    assert_int_equal(rules.items[1].characters, 4);
    assert_int_equal(rules.items[2].characters, 100);
    assert_int_equal(rules.items[3].action, RF_RULE_HASH);
    /* A file's list may have it in one piece. */
    const char *items[] = {"mask(email,4)", "-password"};
    assert_int_equal(rf_rules_read((struct rf_list){items, 2}, &arena, &rules, &err), RF_OK);
    assert_int_equal(rules.count, 2);
    assert_int_equal(rules.items[0].characters, 4);
    rf_arena_deinit(&arena);
}

static void test_what_is_no_rule_is_refused_with_what_was_meant(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"-", "a name is missing: \"-\""},
        {"mask()", "a name is missing: \"mask()\""},
        {"a..b", "a name is missing: \"a..b\""},
        {".a", "a name is missing: \".a\""},
        {"a.", "a name is missing: \"a.\""},
        {"a.b.c.d", "a name with more than three parts: \"a.b.c.d\""},
        {"maks(email)", "not a rule: \"maks(email)\"; did you mean \"mask(...)\"?"},
        {"Mask(email)", "not a rule: \"Mask(email)\"; did you mean \"mask(...)\"?"},
        {"trunc(note,9)", "not a rule: \"trunc(note,9)\""},
        {"encrypt(email)", "not a rule: \"encrypt(email)\""},
        {"(email)", "not a rule: \"(email)\""},
        {"-mask(email)", "not a rule: \"-mask(email)\"; did you mean \"mask(...)\"?"},
        {"mask(email", "no ) at the end: \"mask(email\""},
        {"mask(email,4", "no ) at the end: \"mask(email,4\""},
        {"mask(email)x", "no ) at the end: \"mask(email)x\""},
        {"mask(email,0)", "not how this rule is written: \"mask(email,0)\""},
        {"mask(email,-4)", "not how this rule is written: \"mask(email,-4)\""},
        {"mask(email,four)", "not how this rule is written: \"mask(email,four)\""},
        {"mask(email,4,5)", "not how this rule is written: \"mask(email,4,5)\""},
        {"mask(email,)", "not how this rule is written: \"mask(email,)\""},
        {"hash(email,4)", "not how this rule is written: \"hash(email,4)\""},
        {"truncate(note)", "not how this rule is written: \"truncate(note)\""},
        {"truncate(note,1000000001)",
         "not how this rule is written: \"truncate(note,1000000001)\""},
        {"truncate(note,99999999999999999999)",
         "not how this rule is written: \"truncate(note,99999999999999999999)\""},
        {"mask(mask(email))", "not a column's name: \"mask(mask(email))\""},
        {"email)", "not a column's name: \"email)\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_arena arena = {0};
        struct rf_error err = {0};
        struct rf_rules rules;
        enum rf_status status =
            rf_rules_read(rf_test_list(&arena, cases[i].text), &arena, &rules, &err);
        assert_int_equal(status, RF_CONFIG);
        if (strncmp(err.message, "columns: ", 9) != 0 ||
            strncmp(err.message + 9, cases[i].message, strlen(cases[i].message)) != 0) {
            fail_msg("'%s': %s", cases[i].text, err.message);
        }
        assert_true(err.hint[0] != '\0');
        rf_arena_deinit(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_says_what_becomes_of_which_column),
        cmocka_unit_test(test_a_rule_is_whole_though_its_list_was_split_at_commas),
        cmocka_unit_test(test_what_is_no_rule_is_refused_with_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
