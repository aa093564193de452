#include "event/template.h"

#include "lib/events.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* A template bound to a table, and one row rendered. */
static void render(const char *text, enum rf_template_use use, struct rf_table *table,
                   const char *row, struct rf_buf *out)
{
    struct rf_error err = {0};
    struct rf_template template = {0};
    struct rf_binding binding = {0};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    assert_int_equal(rf_template_parse(&template, use, text, &err), RF_OK);
    assert_int_equal(rf_template_bind(&template, table, &binding, &err), RF_OK);
    rf_test_begin(&batch, 1);
    struct rf_event *event = rf_test_create(&batch, table, row);
    assert_int_equal(rf_binding_render(&binding, event, batch.transactions[0].commit_us,
                                       event->after, NULL, out, &err),
                     RF_OK);
    rf_batch_deinit(&batch);
    rf_binding_deinit(&binding);
    rf_template_deinit(&template);
}

static void expect(const char *text, enum rf_template_use use, struct rf_table *table,
                   const char *row, const char *expected)
{
    struct rf_buf out = {0};
    render(text, use, table, row, &out);
    assert_string_equal(rf_buf_cstr(&out), expected);
    rf_buf_deinit(&out);
}

static void test_a_template_is_filled_from_the_row(void **state)
{
    (void)state;
    struct rf_table *orders =
        rf_test_table("shop", "orders", "id:bigint! name:text price:decimal at:datetime op:int");
    const char *row = "7|anna|9.50|2024-02-29 12:00:00|5";
    static const struct {
        const char *template;
        enum rf_template_use use;
        const char *expected;
    } cases[] = {
        {"{database}:{table}:{key}", RF_TEMPLATE_KEY, "shop:orders:7"},
        {"LastInsertDate", RF_TEMPLATE_KEY, "LastInsertDate"},
        {"customer:{id}", RF_TEMPLATE_KEY, "customer:7"},
        {"{{{id}}}", RF_TEMPLATE_KEY, "{7}"},
        {"a{{b}}c", RF_TEMPLATE_KEY, "a{b}c"},
        {"x{column:op}", RF_TEMPLATE_KEY, "x5"},
        {"{at}", RF_TEMPLATE_VALUE, "2024-02-29 12:00:00"},
        {"{name}{price}", RF_TEMPLATE_VALUE, "anna9.50"},
        {"{op} {ts}", RF_TEMPLATE_VALUE, "create 2023-11-14 22:13:21.000000"},
        {"{table}/{database}", RF_TEMPLATE_VALUE, "orders/shop"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        expect(cases[i].template, cases[i].use, orders, row, cases[i].expected);
    }
    rf_table_release(orders);
}

static void test_a_collection_is_named_unless_a_column_is_called_so(void **state)
{
    (void)state;
    struct rf_table *posts = rf_test_table("shop", "po:sts", "id:int!");
    struct rf_table *other = rf_test_table("shop", "orders", "id:int! collection:text");
    expect("mongo:{database}:{collection}:{id}", RF_TEMPLATE_KEY, posts, "7",
           "mongo:shop:po\\:sts:7");
    expect("{id}:{collection}", RF_TEMPLATE_KEY, other, "7|stamps", "7:stamps");
    rf_table_release(posts);
    rf_table_release(other);
}

static void test_the_columns_that_a_template_names_can_be_listed(void **state)
{
    (void)state;
    struct rf_error err = {0};
    struct rf_template template = {0};
    struct rf_str name;
    uint32_t at = 0;
    assert_int_equal(rf_template_parse(&template, RF_TEMPLATE_VALUE,
                                       "{database}{a}-{collection}{key}{column:op}{ts}", &err),
                     RF_OK);
    assert_true(rf_template_next_column(&template, &at, &name));
    assert_true(rf_str_equal(name, RF_STR("a")));
    assert_true(rf_template_next_column(&template, &at, &name));
    assert_true(rf_str_equal(name, RF_STR("op")));
    assert_false(rf_template_next_column(&template, &at, &name));
    rf_template_deinit(&template);
}

static void test_parts_with_text_behind_them_are_escaped_in_keys_only(void **state)
{
    (void)state;
    struct rf_table *one = rf_test_table("a", "b:c", "id:text! x:text");
    struct rf_table *two = rf_test_table("d", "t", "x:text! y:text!");
    expect("{database}:{table}:{key}", RF_TEMPLATE_KEY, one, "d:e\\|", "a:b\\:c:d:e\\");
    expect("{database}:{table}:{key}", RF_TEMPLATE_KEY, two, "p:q\\r|s:t", "d:t:p\\:q\\\\r:s:t");
    expect("{x}-{y}", RF_TEMPLATE_KEY, two, "1-2:3|4-5", "1\\-2:3-4-5");
    expect("{x}-{y}.", RF_TEMPLATE_KEY, two, "-|..", "\\--\\.\\..");
    expect("{x}:{y}", RF_TEMPLATE_VALUE, two, "a:b|c\\d", "a:b:c\\d");
    rf_table_release(one);
    rf_table_release(two);
}

/* Every pair of short texts over the bytes that could go wrong gives a key of its own, and each
 * key is recognised. */
static void test_different_keys_give_different_texts(void **state)
{
    (void)state;
    static const char *const words[] = {"",     ":",    "\\",     "::",   ":\\", "\\:",
                                        "\\\\", "a",    "a:",     ":a",   "a\\", "\\a",
                                        "a:a",  "a\\:", "a\\\\:", ":\\:", "-",   "-:"};
    static const char *const templates[] = {"{database}:{table}:{key}", "k-{y}:-{x}",
                                            "{key}:", "q{x}:{y}"};
    enum { WORDS = sizeof words / sizeof *words };
    struct rf_table *table = rf_test_table("d", "t", "x:text! y:text!");
    for (size_t t = 0; t < count_of(templates); t++) {
        struct rf_buf texts[WORDS * WORDS] = {{0}};
        struct rf_template template = {0};
        struct rf_binding binding = {0};
        assert_int_equal(rf_template_parse(&template, RF_TEMPLATE_KEY, templates[t], NULL), RF_OK);
        assert_int_equal(rf_template_bind(&template, table, &binding, NULL), RF_OK);
        for (size_t i = 0; i < WORDS * WORDS; i++) {
            char row[64];
            snprintf(row, sizeof row, "%s|%s", words[i / WORDS], words[i % WORDS]);
            render(templates[t], RF_TEMPLATE_KEY, table, row, &texts[i]);
            assert_true(rf_binding_matches(&binding, rf_buf_str(&texts[i])));
            for (size_t j = 0; j < i; j++) {
                assert_false(rf_str_equal(rf_buf_str(&texts[i]), rf_buf_str(&texts[j])));
            }
        }
        for (size_t i = 0; i < WORDS * WORDS; i++) {
            rf_buf_deinit(&texts[i]);
        }
        rf_binding_deinit(&binding);
        rf_template_deinit(&template);
    }
    rf_table_release(table);
}

static void test_null_adds_nothing_and_an_untold_column_is_refused(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("d", "t", "id:int! x:text");
    struct rf_error err = {0};
    struct rf_template template = {0};
    struct rf_binding binding = {0};
    struct rf_buf out = {0};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    assert_int_equal(rf_template_parse(&template, RF_TEMPLATE_KEY, "k:{id}:{x}", &err), RF_OK);
    assert_int_equal(rf_template_bind(&template, table, &binding, &err), RF_OK);
    rf_test_begin(&batch, 1);
    struct rf_event *event = rf_test_update(&batch, table, "1|old", "?|NULL");
    assert_int_equal(rf_binding_render(&binding, event, 0, event->after, event->before, &out, &err),
                     RF_OK);
    assert_string_equal(rf_buf_cstr(&out), "k:1:");
    event = rf_test_update(&batch, table, "1|?", "?|new");
    assert_true(rf_binding_changes(&binding, event));
    assert_int_equal(rf_binding_render(&binding, event, 0, event->before, NULL, &out, &err),
                     RF_REJECT);
    assert_ptr_equal(err.event, event);
    assert_non_null(strstr(err.message, "'x'"));
    assert_string_equal(rf_buf_cstr(&out), "k:1:");
    event = rf_test_update(&batch, table, "1|a", "?|?");
    assert_false(rf_binding_changes(&binding, event));
    event = rf_test_update(&batch, table, "1|a", "2|a");
    assert_true(rf_binding_changes(&binding, event));
    event = rf_test_update(&batch, table, "1|a", "1|NULL");
    assert_true(rf_binding_changes(&binding, event));
    rf_buf_deinit(&out);
    rf_batch_deinit(&batch);
    rf_binding_deinit(&binding);
    rf_template_deinit(&template);
    rf_table_release(table);
}

static void test_a_template_knows_whether_it_holds_the_whole_key(void **state)
{
    (void)state;
    struct rf_table *pair = rf_test_table("d", "t", "x:text! z:int y:text!");
    struct rf_table *keyless = rf_test_table("d", "log", "x:text y:text");
    static const struct {
        const char *template;
        bool whole, whole_keyless;
        const char *prefix;
    } cases[] = {
        {"p:{key}", true, false, "p:"}, {"{database}.{table}/{y}:{x}", true, false, "d.t/"},
        {"p:{x}", false, false, "p:"},  {"Last", false, false, "Last"},
        {"{y}:{x}", true, false, ""},   {"{x}:{z}:{y}", true, false, ""},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_template template = {0};
        struct rf_binding binding = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_template_parse(&template, RF_TEMPLATE_KEY, cases[i].template, &err),
                         RF_OK);
        assert_int_equal(rf_template_bind(&template, pair, &binding, &err), RF_OK);
        assert_int_equal(binding.whole_key, cases[i].whole);
        assert_true(rf_str_equal(binding.prefix, rf_str_of(cases[i].prefix)));
        rf_binding_deinit(&binding);
        if (i >= 2 && i <= 4) {
            assert_int_equal(rf_template_bind(&template, keyless, &binding, &err), RF_OK);
            assert_int_equal(binding.whole_key, cases[i].whole_keyless);
            rf_binding_deinit(&binding);
        }
        rf_template_deinit(&template);
    }
    rf_table_release(pair);
    rf_table_release(keyless);
}

static void test_what_cannot_be_a_template_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rf_template_use use;
        const char *said;
    } cases[] = {
        {"", RF_TEMPLATE_VALUE, "empty"},
        {"{id", RF_TEMPLATE_VALUE, "without its '}'"},
        {"id}", RF_TEMPLATE_VALUE, "without its '{'"},
        {"a}b", RF_TEMPLATE_KEY, "without its '{'"},
        {"{}", RF_TEMPLATE_VALUE, "no name"},
        {"x{column:}", RF_TEMPLATE_KEY, "no name"},
        {"x{op}", RF_TEMPLATE_KEY, "{op}"},
        {"x{ts}", RF_TEMPLATE_KEY, "{ts}"},
        {"x{a}{b}", RF_TEMPLATE_KEY, "in front of {b}"},
        {"x{a}\\{b}", RF_TEMPLATE_KEY, "backslash"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_template template = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_template_parse(&template, cases[i].use, cases[i].text, &err),
                         RF_CONFIG);
        assert_non_null(strstr(err.message, cases[i].said));
        assert_int_not_equal(err.hint[0], '\0');
        rf_template_deinit(&template);
    }
}

static void expect_unbound(const char *text, struct rf_table *table, const char *said,
                           const char *hint)
{
    struct rf_template template = {0};
    struct rf_binding binding = {0};
    struct rf_error err = {0};
    assert_int_equal(rf_template_parse(&template, RF_TEMPLATE_KEY, text, &err), RF_OK);
    assert_int_equal(rf_template_bind(&template, table, &binding, &err), RF_CONFIG);
    assert_non_null(strstr(err.message, said));
    assert_non_null(strstr(err.hint, hint));
    rf_binding_deinit(&binding);
    rf_template_deinit(&template);
}

static void test_an_unknown_column_names_the_table_and_the_nearest(void **state)
{
    (void)state;
    struct rf_table *table = rf_test_table("shop", "log", "customer_id:int name:text");
    expect_unbound("k:{custmer_id}", table, "shop.log has no column 'custmer_id'", "{customer_id}");
    expect_unbound("k:{NAME}", table, "no column 'NAME'", "{name}");
    expect_unbound("k:{something}", table, "no column 'something'", "leave the table out");
    expect_unbound("k:{key}", table, "shop.log has no primary key", "give the table a primary key");
    rf_table_release(table);
}

static void test_a_pattern_recognises_exactly_the_keys_of_its_template(void **state)
{
    (void)state;
    static const struct {
        const char *template, *columns, *pattern;
        const char *keys[6], *others[8];
    } cases[] = {
        {"{database}:{table}:{key}",
         "id:int! x:text",
         "s*:o{{:{i}",
         {"s*:o{:1", "s*:o{:-1", "s*:o{:0", "s*:o{:18446744073709551615"},
         {"s*:o{:", "s*:o{:by_date", "s*:o{:01", "s*:o{:-0", "s*:o{:1:2", "s:o{:1", "x", ""}},
        {"{database}:{table}:{key}",
         "id:text! x:int!",
         "s*:o{{:{t}:{i}",
         {"s*:o{:a:1", "s*:o{::1", "s*:o{:\\::1", "s*:o{:\\\\:1"},
         {"s*:o{:a:b", "s*:o{:a", "s*:o{:a:b:1", "s*:o{:\\a:1", "s*:o{:a\\:1", "s*:o{:\\"}},
        {"Last", "id:int! x:text", "Last", {"Last"}, {"Last1", "Las", ""}},
        {"k-{id}-", "id:int! x:text", "k-{i}-", {"k-5-"}, {"k-5", "k--5-", "k-5-5-", "k-5-x"}},
        {"k:{x}", "id:int! x:text", "k:{t}", {"k:", "k:a:b"}, {"k", "K:a"}},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        struct rf_table *table = rf_test_table("s*", "o{", cases[i].columns);
        struct rf_template template = {0};
        struct rf_binding bindings[2] = {{0}};
        struct rf_buf pattern = {0}, glob = {0};
        assert_int_equal(rf_template_parse(&template, RF_TEMPLATE_KEY, cases[i].template, NULL),
                         RF_OK);
        assert_int_equal(rf_template_bind(&template, table, &bindings[0], NULL), RF_OK);
        rf_binding_pattern(&bindings[0], &pattern);
        assert_string_equal(rf_buf_cstr(&pattern), cases[i].pattern);
        assert_int_equal(rf_binding_of_pattern(rf_buf_str(&pattern), &bindings[1], NULL), RF_OK);
        for (size_t b = 0; b < 2; b++) {
            for (size_t k = 0; k < count_of(cases[i].keys) && cases[i].keys[k]; k++) {
                assert_true(rf_binding_matches(&bindings[b], rf_str_of(cases[i].keys[k])));
            }
            for (size_t k = 0; k < count_of(cases[i].others) && cases[i].others[k]; k++) {
                assert_false(rf_binding_matches(&bindings[b], rf_str_of(cases[i].others[k])));
            }
            assert_true(rf_str_equal(bindings[0].prefix, bindings[b].prefix));
        }
        rf_binding_glob(&bindings[1], &glob);
        if (i == 0) {
            assert_string_equal(rf_buf_cstr(&glob), "s\\*:o{:*");
        }
        rf_buf_deinit(&glob);
        rf_buf_deinit(&pattern);
        rf_binding_deinit(&bindings[0]);
        rf_binding_deinit(&bindings[1]);
        rf_template_deinit(&template);
        rf_table_release(table);
    }
}

static void test_damaged_patterns_are_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {"{", "a}", "{x}", "{i}{t}", "{i", "a{{{", "}"};
    for (size_t i = 0; i < count_of(patterns); i++) {
        struct rf_binding binding = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_binding_of_pattern(rf_str_of(patterns[i]), &binding, &err), RF_FATAL);
        rf_binding_deinit(&binding);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_template_is_filled_from_the_row),
        cmocka_unit_test(test_a_collection_is_named_unless_a_column_is_called_so),
        cmocka_unit_test(test_the_columns_that_a_template_names_can_be_listed),
        cmocka_unit_test(test_parts_with_text_behind_them_are_escaped_in_keys_only),
        cmocka_unit_test(test_different_keys_give_different_texts),
        cmocka_unit_test(test_null_adds_nothing_and_an_untold_column_is_refused),
        cmocka_unit_test(test_a_template_knows_whether_it_holds_the_whole_key),
        cmocka_unit_test(test_what_cannot_be_a_template_says_why),
        cmocka_unit_test(test_an_unknown_column_names_the_table_and_the_nearest),
        cmocka_unit_test(test_a_pattern_recognises_exactly_the_keys_of_its_template),
        cmocka_unit_test(test_damaged_patterns_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
