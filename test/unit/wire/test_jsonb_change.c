#include "wire/jsonb_change.h"

#include "lib/binlog.h"
#include "lib/json.h"
#include "wire/jsonb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define count_of(array) (sizeof(array) / sizeof *(array))

/* {"a": [1, 2], "bb": 3} */
static const char object[] = "00 02 00 1f 00 12 00 01 00 13 00 02 00 02 15 00 05 03 00 61 62 62 "
                             "02 00 0a 00 05 01 00 05 02 00";

struct change {
    uint8_t op;
    const char *path;
    const char *value; /* hex; NULL: none */
};

static void put_change(struct rf_buf *out, const struct change *change)
{
    struct rf_buf value = {0};
    test_put(out, change->op, 1);
    test_put_packed(out, strlen(change->path));
    rf_buf_add(out, change->path, strlen(change->path));
    if (change->value != NULL) {
        test_put_hex(&value, change->value);
        test_put_packed(out, value.size);
        rf_buf_add_str(out, rf_buf_str(&value));
    }
    rf_buf_deinit(&value);
}

/* Everything lies in memory of exactly its size. */
static const char *print(struct rf_buf *out, struct rf_str document, struct rf_str changes)
{
    struct rf_arena scratch = {0};
    char *first = malloc(document.size ? document.size : 1);
    char *second = malloc(changes.size ? changes.size : 1);
    memcpy(first, document.data ? document.data : "", document.size);
    memcpy(second, changes.data ? changes.data : "", changes.size);
    const char *why = rf_jsonb_print_changed(out, (struct rf_str){first, document.size},
                                             (struct rf_str){second, changes.size}, &scratch);
    rf_arena_deinit(&scratch);
    free(first);
    free(second);
    return why;
}

/* `wanted` is the text, or with an op of none a part of why not. */
static void expect(const char *hex, const struct change *changes, size_t count, bool good,
                   const char *wanted)
{
    struct rf_buf document = {0}, bytes = {0}, out = {0};
    test_put_hex(&document, hex);
    for (size_t i = 0; i < count; i++) {
        put_change(&bytes, &changes[i]);
    }
    rf_buf_add_byte(&out, '!');
    const char *why = print(&out, rf_buf_str(&document), rf_buf_str(&bytes));
    if (good && (why != NULL || strcmp(rf_buf_cstr(&out) + 1, wanted) != 0)) {
        fail_msg("%s: %s, wanted %s", count > 0 ? changes[0].path : "", why ? why : out.data,
                 wanted);
    } else if (good) {
        assert_true(test_json_is_valid((struct rf_str){out.data + 1, out.size - 1}));
    } else if (why == NULL || strstr(why, wanted) == NULL || out.size != 1) {
        fail_msg("%s: %s", changes[0].path, why ? why : rf_buf_cstr(&out));
    }
    rf_buf_deinit(&document);
    rf_buf_deinit(&bytes);
    rf_buf_deinit(&out);
}

static void expect_text(const char *hex, struct change change, const char *wanted)
{
    expect(hex, &change, 1, true, wanted);
}

static void expect_refusal(const char *hex, struct change change, const char *wanted)
{
    expect(hex, &change, 1, false, wanted);
}

static void test_each_operation_changes_what_its_path_leads_to(void **state)
{
    (void)state;
    expect(object, NULL, 0, true, "{\"a\": [1, 2], \"bb\": 3}");
    expect_text(object, (struct change){0, "$", "04 01"}, "true");
    expect_text(object, (struct change){0, "$.a[1]", "04 00"}, "{\"a\": [1, null], \"bb\": 3}");
    expect_text(object, (struct change){0, "$.a", "05 09 00"}, "{\"a\": 9, \"bb\": 3}");
    expect_text(object, (struct change){0, "$.\"a\"", "05 09 00"}, "{\"a\": 9, \"bb\": 3}");
    expect_text(object, (struct change){1, "$.a[0]", "05 09 00"}, "{\"a\": [9, 1, 2], \"bb\": 3}");
    expect_text(object, (struct change){1, "$.a[2]", "05 09 00"}, "{\"a\": [1, 2, 9], \"bb\": 3}");
    expect_text(object, (struct change){1, "$.a[7]", "05 09 00"}, "{\"a\": [1, 2, 9], \"bb\": 3}");
    expect_text(object, (struct change){2, "$.a", NULL}, "{\"bb\": 3}");
    expect_text(object, (struct change){2, "$.a[0]", NULL}, "{\"a\": [2], \"bb\": 3}");
    /* A member comes to where its key is in order: shorter ones first, then by bytes. */
    expect_text(object, (struct change){1, "$.b", "04 00"},
                "{\"a\": [1, 2], \"b\": null, \"bb\": 3}");
    expect_text(object, (struct change){1, "$.\"\"", "04 00"},
                "{\"\": null, \"a\": [1, 2], \"bb\": 3}");
    expect_text(object, (struct change){1, "$.aaa", "04 00"},
                "{\"a\": [1, 2], \"bb\": 3, \"aaa\": null}");
    /* A container may be put in, and what is in it stays what it is. */
    expect_text(object, (struct change){0, "$.bb", "02 01 00 0a 00 0c 07 00 02 68 69"},
                "{\"a\": [1, 2], \"bb\": [\"hi\"]}");
    /* The empty document of old servers is null. */
    expect("", NULL, 0, true, "null");
    expect_text("", (struct change){0, "$", "05 01 00"}, "1");
}

static void test_changes_go_one_behind_the_other(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {2, "$.bb", NULL},           {1, "$.c", "00 00 00 04 00"}, {1, "$.c.d", "02 00 00 04 00"},
        {1, "$.c.d[0]", "05 01 00"}, {1, "$.c.d[0]", "05 02 00"},  {0, "$.c.d[1]", "04 01"},
        {2, "$.a[0]", NULL},         {2, "$.a[0]", NULL},
    };
    expect(object, changes, count_of(changes), true, "{\"a\": [], \"c\": {\"d\": [2, true]}}");
    static const struct change emptied[] = {{2, "$.bb", NULL}, {2, "$.a", NULL}};
    expect(object, emptied, count_of(emptied), true, "{}");
}

static void test_names_in_paths_are_json(void **state)
{
    (void)state;
    expect_text("00 00 00 04 00", (struct change){1, "$.\"a b\"", "04 00"}, "{\"a b\": null}");
    expect_text("00 00 00 04 00", (struct change){1, "$.\"\\\"\\\\\\n\\u0001\"", "04 00"},
                "{\"\\\"\\\\\\n\\u0001\": null}");
    expect_text("00 00 00 04 00", (struct change){1, "$.\"x.y[0]\"", "04 00"},
                "{\"x.y[0]\": null}");
    expect_text("00 00 00 04 00", (struct change){1, "$.é", "04 00"}, "{\"é\": null}");
}

static void test_a_change_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct change change;
        const char *why;
    } cases[] = {
        {{0, "$.c", "04 00"}, "does not fit"},
        {{0, "$.a[2]", "04 00"}, "does not fit"},
        {{2, "$.c", NULL}, "does not fit"},
        {{2, "$.a[2]", NULL}, "does not fit"},
        {{2, "$", NULL}, "does not fit"},
        {{1, "$", "04 00"}, "does not fit"},
        {{1, "$.a", "04 00"}, "does not fit"}, /* is there already */
        {{1, "$.a.b", "04 00"}, "does not fit"},
        {{1, "$[0]", "04 00"}, "does not fit"},
        {{1, "$.bb[0]", "04 00"}, "does not fit"},
        {{0, "$.c.d", "04 00"}, "does not fit"},
        {{0, "", "04 00"}, "damaged"},
        {{0, "a", "04 00"}, "damaged"},
        {{0, "$a", "04 00"}, "damaged"},
        {{0, "$.", "04 00"}, "damaged"},
        {{0, "$[", "04 00"}, "damaged"},
        {{0, "$[]", "04 00"}, "damaged"},
        {{0, "$[x]", "04 00"}, "damaged"},
        {{0, "$[1", "04 00"}, "damaged"},
        {{0, "$.\"a", "04 00"}, "damaged"},
        {{0, "$.\"a\\", "04 00"}, "damaged"},
        {{0, "$.\"\\u00", "04 00"}, "damaged"},
        {{0, "$.\"\\x\"", "04 00"}, "damaged"},
        {{3, "$.a", "04 00"}, "damaged"},
        {{0, "$.a", NULL}, "damaged"},
        {{0, "$.a", ""}, "damaged"},
        {{0, "$.a", "0d"}, "unknown type"},
        {{0, "$.a", "02 01 00"}, "too early"},
        {{1, "$.\xff", "04 00"}, "not UTF-8"},
    };
    for (size_t i = 0; i < count_of(cases); i++) {
        expect_refusal(object, cases[i].change, cases[i].why);
    }
    struct change deep = {0, "$", "04 00"};
    struct rf_buf path = {0};
    rf_buf_add_byte(&path, '$');
    for (int i = 0; i <= RF_JSONB_DEPTH_MAX; i++) {
        rf_buf_add_str(&path, RF_STR("[0]"));
    }
    deep.path = rf_buf_cstr(&path);
    expect_refusal(object, deep, "damaged");
    rf_buf_deinit(&path);
}

static void test_changes_cut_anywhere_are_refused(void **state)
{
    (void)state;
    struct rf_buf document = {0}, changes = {0}, out = {0};
    const struct change change = {0, "$.a[1]", "0c 02 68 69"};
    test_put_hex(&document, object);
    put_change(&changes, &change);
    for (size_t size = 1; size < changes.size; size++) {
        assert_non_null(print(&out, rf_buf_str(&document), (struct rf_str){changes.data, size}));
        assert_int_equal(out.size, 0);
    }
    for (size_t size = 2; size < document.size; size++) {
        assert_non_null(print(&out, (struct rf_str){document.data, size}, rf_buf_str(&changes)));
        assert_int_equal(out.size, 0);
    }
    rf_buf_deinit(&document);
    rf_buf_deinit(&changes);
    rf_buf_deinit(&out);
}

/* Sixty thousand elements, which are all the same long text. */
static void test_a_document_that_repeats_itself_is_refused_before_it_grows(void **state)
{
    (void)state;
    enum { COUNT = 15000, TEXT = 15000, ENTRIES = 4 + COUNT * 3, SIZE = ENTRIES + 3 + TEXT };
    struct rf_buf document = {0}, changes = {0}, out = {0};
    const struct change change = {0, "$[0]", "04 00"};
    test_put(&document, 2, 1);
    test_put(&document, COUNT, 2);
    test_put(&document, SIZE, 2);
    for (int i = 0; i < COUNT; i++) {
        test_put(&document, 0x0c, 1);
        test_put(&document, ENTRIES, 2);
    }
    test_put_hex(&document, "98 75"); /* 15,000 */
    for (int i = 0; i <= TEXT; i++) {
        rf_buf_add_byte(&document, 'x');
    }
    put_change(&changes, &change);
    const char *why = print(&out, rf_buf_str(&document), rf_buf_str(&changes));
    assert_non_null(why);
    assert_non_null(strstr(why, "lie in each other"));
    assert_true(out.capacity < 32 * document.size);
    rf_buf_deinit(&document);
    rf_buf_deinit(&changes);
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_operation_changes_what_its_path_leads_to),
        cmocka_unit_test(test_changes_go_one_behind_the_other),
        cmocka_unit_test(test_names_in_paths_are_json),
        cmocka_unit_test(test_a_change_that_does_not_fit_is_refused),
        cmocka_unit_test(test_changes_cut_anywhere_are_refused),
        cmocka_unit_test(test_a_document_that_repeats_itself_is_refused_before_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
