#include "lib/events.h"
#include "lib/transform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct rf_transform_type rf_transform_columns;

static const char salt[] = "pepper and salt";
static const char shape[] = "id:int! email:text note:text price:decimal born:date raw:bytes";
static const char row[] = "7|anna@example.org|gr\xc3\xbc\xc3\x9f dich|12.50|2024-02-29|\x01";

/* SHA-256 of the salt with the text behind it, by another program. */
#define HASH_OF_ANNA  "431006f56e4cb376d09012c297a680aabb671e1ae496dccf79dde2cbddbd01a7"
#define HASH_OF_7     "8793bb04f0dabd68e57e13f114c8197d463cca4d0947287dfdf41e246360147b"
#define HASH_OF_MINUS "0906a993d237eddc601bb37eca735b29b089222bacc59f730a16a86b7205a4db"
#define HASH_OF_TIME  "25fa4aa2eca481d0ae0d9a789eae66ec2d2982af117de992bd05fa5152266ac3"
#define HASH_OF_NONE  "3c4c3d6835daaaa0400740a412ab16cb3924a5e9f8280efcae078f01c49615d8"

/* What a sink sees of one row, or the message. */
static enum rf_status shown(const char *rules, const char *columns, const char *values,
                            struct rf_buf *out)
{
    struct rf_test_transform transform = {.type = &rf_transform_columns};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_table *table = rf_test_table("shop", "users", columns);
    struct rf_error err = {0};
    enum rf_status status = rf_test_transform_open(&transform, rules, salt, &err);
    if (status != RF_OK) {
        fail_msg("%s: %s", rules, err.message);
    }
    rf_test_begin(&batch, 1);
    status = rf_test_transform_apply(&transform, rf_test_create(&batch, table, values), out);
    rf_test_transform_close(&transform);
    rf_batch_deinit(&batch);
    rf_table_release(table);
    return status;
}

static void test_each_rule_does_what_it_says(void **state)
{
    static const struct {
        const char *rules, *columns, *row, *shown;
    } cases[] = {
        {"-email,-note,-raw", shape, row, " id=7 price=12.50 born=2024-02-29"},
        {"-*a*", shape, row, " id=7 note=gr\xc3\xbc\xc3\x9f dich price=12.50 born=2024-02-29"},
        {"-users.email,-shop.users.raw,-other.note,-*.*.price", shape, row,
         " id=7 note=gr\xc3\xbc\xc3\x9f dich born=2024-02-29"},
        {"price", shape, row, " id=7 price=12.50"},
        {"price,id,born", shape, row, " id=7 price=12.50 born=2024-02-29"},
        {"*,-born,-raw,-price", shape, row,
         " id=7 email=anna@example.org "
         "note=gr\xc3\xbc\xc3\x9f dich"},
        {"email,-email", shape, row, " id=7"},
        {"other.price", shape, row, " id=7"},
        {"email,mask(email)", shape, row, " id=7 email=****************"},
        {"mask(EMAIL,4),email", shape, row, " id=7 email=************.org"},
        {"mask(shop.users.note),note", shape, row, " id=7 note=*********"},
        {"mask(note,6),note", shape, row, " id=7 note=***\xc3\x9f dich"},
        /* What may be seen must not be all there is. */
        {"mask(note,9),note", shape, row, " id=7 note=*********"},
        {"mask(note,8),note", shape, row, " id=7 note=*r\xc3\xbc\xc3\x9f dich"},
        {"truncate(note,3),note", shape, row, " id=7 note=gr\xc3\xbc"},
        {"truncate(note,9),note", shape, row, " id=7 note=gr\xc3\xbc\xc3\x9f dich"},
        {"truncate(note,1000),note", shape, row, " id=7 note=gr\xc3\xbc\xc3\x9f dich"},
        {"hash(email),email", shape, row, " id=7 email=" HASH_OF_ANNA},
        {"hash(id),-*e*,-no*,-*a*,-born", "id:int! email:text", "7|x", " id=" HASH_OF_7},
        {"hash(p)", "id:int! p:decimal", "1|-12.50", " id=1 p=" HASH_OF_MINUS},
        {"hash(t)", "id:int! t:datetime", "1|2024-02-29 12:00:00", " id=1 t=" HASH_OF_TIME},
        {"hash(t)", "id:int! t:text", "1|", " id=1 t=" HASH_OF_NONE},
        {"mask(t)", "id:int! t:text", "1|", " id=1 t="},
        /* In their order. */
        {"hash(email),truncate(email,8),email", shape, row, " id=7 email=431006f5"},
        {"truncate(email,6),mask(email,2),email", shape, row, " id=7 email=****@e"},
        {"mask(email,2),truncate(email,6),email", shape, row, " id=7 email=******"},
        {"hash(price),mask(price,4),price", shape, "7|x|x|-12.50|2024-02-29|x",
         " id=7 price=************************************************************a4db"},
        /* Nothing there is nothing to hide. */
        {"mask(a),hash(b),truncate(c,1)", "id:int! a:text b:text c:text", "1|NULL|NULL|NULL",
         " id=1 a=NULL b=NULL c=NULL"},
        {"mask(a),hash(b),truncate(c,1)", "id:int! a:text b:text c:text", "1|?|?|?", " id=1"},
        {"nothing.of.this", "a:int b:text", "1|x", ""},
        {"-nothing.of.this", "a:int b:text", "1|x", " a=1 b=x"},
    };
    struct rf_buf text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum rf_status status = shown(cases[i].rules, cases[i].columns, cases[i].row, &text);
        const char *found = rf_buf_cstr(&text);
        const size_t head = sizeof "create shop.users" - 1;
        if (status != RF_OK || strncmp(found, "create shop.users", head) != 0 ||
            strcmp(found + head, cases[i].shown) != 0) {
            fail_msg("%s: %s", cases[i].rules, found);
        }
    }
    rf_buf_deinit(&text);
}

static void test_rules_that_do_not_fit_a_table_are_refused_by_name(void **state)
{
    static const struct {
        const char *rules, *columns, *message;
    } cases[] = {
        {"-id", shape,
         "columns: \"-id\" names id of shop.users, a column of the primary key: rows would be "
         "mixed up"},
        {"-*", shape,
         "columns: \"-*\" names id of shop.users, a column of the primary key: rows would be "
         "mixed up"},
        {"mask(code)", "code:text! x:int",
         "columns: \"mask(code)\" names code of shop.users, a column of the primary key: rows "
         "would be mixed up"},
        {"hash(code),truncate(code,8)", "code:text! x:int",
         "columns: \"truncate(code,8)\" names code of shop.users, a column of the primary key: "
         "rows would be mixed up"},
        {"mask(price)", shape,
         "columns: \"mask(price)\" names price of shop.users, which is not a column of characters"},
        {"truncate(raw,4)", shape,
         "columns: \"truncate(raw,4)\" names raw of shop.users, which is not a column of "
         "characters"},
        {"mask(b*)", shape,
         "columns: \"mask(b*)\" names born of shop.users, which is not a column of characters"},
        {"mask(j)", "id:int! j:json",
         "columns: \"mask(j)\" names j of shop.users, which is not a column of characters"},
        {"mask(e)", "id:int! e:enum",
         "columns: \"mask(e)\" names e of shop.users, which is not a column of characters"},
        /* A misspelt name must not show what was to be hidden. */
        {"mask(shop.users.emial)", shape,
         "columns: \"mask(shop.users.emial)\": shop.users has no column emial; did you mean "
         "\"email\"?"},
        {"-Users.Passwort", shape,
         "columns: \"-Users.Passwort\": shop.users has no column "
         "passwort"},
        {"hash(users.emails)", shape,
         "columns: \"hash(users.emails)\": shop.users has no column emails; did you mean "
         "\"email\"?"},
        {"shop.users.nmae", shape, "columns: \"shop.users.nmae\": shop.users has no column nmae"},
    };
    struct rf_buf text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *values = strncmp(cases[i].columns, "id:int! email", 13) == 0 ? row : "1|x";
        enum rf_status status = shown(cases[i].rules, cases[i].columns, values, &text);
        assert_int_equal(status, RF_CONFIG);
        if (strncmp(rf_buf_cstr(&text), cases[i].message, strlen(cases[i].message)) != 0) {
            fail_msg("%s: %s", cases[i].rules, rf_buf_cstr(&text));
        }
    }
    rf_buf_deinit(&text);
}

static void test_a_rule_about_a_collection_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        enum rf_status status;
    } cases[] = {
        {"-email", RF_CONFIG},
        {"mask(*.email)", RF_CONFIG},
        {"-shop.posts.email", RF_CONFIG},
        {"-users.email", RF_OK},
        {"id", RF_CONFIG},
        {"hash(shop.u*.email)", RF_OK},
    };
    struct rf_table *posts = rf_test_table("shop", "posts", "_id:text! document:json");
    posts->documents = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_test_transform transform = {.type = &rf_transform_columns};
        struct rf_batch batch = {.bytes_max = 1 << 20};
        struct rf_buf out = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_test_transform_open(&transform, cases[i].rules, salt, &err), RF_OK);
        rf_test_begin(&batch, 1);
        struct rf_event *event = rf_test_create(&batch, posts, "1|{}");
        enum rf_status status = rf_test_transform_apply(&transform, event, &out);
        assert_int_equal(status, cases[i].status);
        assert_true(status == RF_OK || strstr(rf_buf_cstr(&out), "shop.posts") != NULL);
        rf_test_transform_close(&transform);
        rf_buf_deinit(&out);
        rf_batch_deinit(&batch);
    }
    rf_table_release(posts);
}

static void test_a_rule_for_another_table_or_with_a_star_need_not_find_its_column(void **state)
{
    static const char *const rules[] = {
        "mask(shop.orders.email2)", "mask(other.users.email2)", "mask(email2)",
        "mask(*.users.email2)",     "mask(shop.users.email2*)", "mask(shop.user?.email2)",
    };
    struct rf_buf text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (shown(rules[i], "id:int! email:text", "1|x", &text) != RF_OK) {
            fail_msg("%s: %s", rules[i], rf_buf_cstr(&text));
        }
        assert_string_equal(rf_buf_cstr(&text), "create shop.users id=1 email=x");
    }
    rf_buf_deinit(&text);
}

static void test_hash_without_a_salt_is_refused_and_says_why(void **state)
{
    static const char *const salts[] = {NULL, "", "1234567"};
    (void)state;
    for (size_t i = 0; i < sizeof salts / sizeof *salts; i++) {
        struct rf_test_transform transform = {.type = &rf_transform_columns};
        struct rf_error err = {0};
        assert_int_equal(rf_test_transform_open(&transform, "hash(email)", salts[i], &err),
                         RF_CONFIG);
        assert_string_equal(err.message,
                            "columns: hash(...) needs a salt of at least 8 characters");
        assert_non_null(strstr(err.hint, "everybody can hash"));
        assert_non_null(strstr(err.hint, "salt_file"));
        assert_int_equal(rf_test_transform_open(&transform, "mask(email)", salts[i], &err), RF_OK);
        rf_test_transform_close(&transform);
    }
}

/* Everything of a table, so that nothing of it can be wrong unseen. */
static void print_table(const struct rf_table *table, struct rf_buf *out)
{
    rf_buf_printf(out, "%.*s %.*s %.*s v%u:", RF_STR_ARG(table->database), RF_STR_ARG(table->name),
                  RF_STR_ARG(table->full_name), table->version);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct rf_column *column = &table->columns[i];
        rf_buf_printf(out, " %.*s/%d/%d/%u%s%s", RF_STR_ARG(column->name), column->type,
                      column->charset, column->length, column->nullable ? "?" : "",
                      column->key ? "!" : "");
        for (uint32_t j = 0; j < column->member_count; j++) {
            rf_buf_printf(out, "<%.*s>", RF_STR_ARG(column->members[j]));
        }
    }
    rf_buf_printf(out, " key");
    for (uint32_t i = 0; i < table->key_count; i++) {
        rf_buf_printf(out, " %.*s", RF_STR_ARG(table->columns[table->key_columns[i]].name));
    }
}

static void test_the_shown_table_is_whole_and_outlives_the_sources(void **state)
{
    struct rf_test_transform transform = {.type = &rf_transform_columns};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_table *table =
        rf_test_table("shop", "pairs", "x:int a:int! note:text b:text! e:enum p:decimal");
    struct rf_str members[] = {RF_STR("red"), RF_STR("green")};
    struct rf_column *columns = (struct rf_column *)table->columns;
    columns[4].members = members;
    columns[4].member_count = 2;
    uint32_t *keys = (uint32_t *)table->key_columns;
    keys[0] = 3; /* the key's order is its own */
    keys[1] = 1;
    struct rf_error err = {0};
    struct rf_buf text = {0};
    bool drop = false;
    (void)state;
    assert_int_equal(
        rf_test_transform_open(&transform, "-x,hash(b),hash(p),truncate(note,2)", salt, &err),
        RF_OK);
    rf_test_begin(&batch, 1);
    struct rf_event event = *rf_test_create(&batch, table, "1|2|abc|key|red|9.5");
    assert_int_equal(transform.type->apply(transform.state, &event, &drop, &transform.arena, &err),
                     RF_OK);
    assert_false(drop);
    assert_ptr_not_equal(event.table, table);
    /* A format may keep it longer than everybody else. */
    struct rf_table *kept = rf_table_retain((struct rf_table *)event.table);
    rf_test_transform_close(&transform);
    rf_batch_deinit(&batch);
    rf_table_release(table);
    members[0] = members[1] = RF_STR("gone");
    print_table(kept, &text);
    assert_string_equal(rf_buf_cstr(&text),
                        "shop pairs shop.pairs v1: a/4/0/0! note/19/3/0? b/15/1/64! "
                        "e/21/0/0?<red><green> p/15/1/64? key b a");
    rf_table_release(kept);
    rf_buf_deinit(&text);
}

static void test_both_images_change_and_the_event_of_the_others_does_not(void **state)
{
    struct rf_test_transform transform = {.type = &rf_transform_columns};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_table *table = rf_test_table("shop", "users", "id:int! email:text secret:text");
    struct rf_table *other = rf_test_table("shop", "orders", "id:int! total:decimal");
    struct rf_buf text = {0};
    struct rf_error err = {0};
    (void)state;
    assert_int_equal(rf_test_transform_open(&transform, "-secret,mask(email,1)", NULL, &err),
                     RF_OK);
    rf_test_begin(&batch, 1);
    const struct rf_event *update = rf_test_update(&batch, table, "1|abc|x", "1|NULL|y");
    const struct rf_value *before = update->before, *after = update->after;
    assert_int_equal(rf_test_transform_apply(&transform, update, &text), RF_OK);
    assert_string_equal(rf_buf_cstr(&text), "update shop.users id=1 email=**c id=1 email=NULL");
    assert_true(update->table == table && update->before == before && update->after == after);
    assert_true(rf_str_equal(rf_value_str(before[1]), RF_STR("abc")));

    assert_int_equal(
        rf_test_transform_apply(&transform, rf_test_delete(&batch, table, "1|abc|x"), &text),
        RF_OK);
    assert_string_equal(rf_buf_cstr(&text), "delete shop.users id=1 email=**c");

    struct rf_event event = *rf_test_create(&batch, other, "1|2.5");
    after = event.after;
    bool drop = false;
    assert_int_equal(transform.type->apply(transform.state, &event, &drop, &transform.arena, &err),
                     RF_OK);
    assert_true(event.table == other && event.after == after && !drop);

    assert_int_equal(
        rf_test_transform_apply(&transform, rf_test_truncate(&batch, "shop", "users"), &text),
        RF_OK);
    assert_string_equal(rf_buf_cstr(&text), "truncate shop");
    rf_test_transform_close(&transform);
    rf_batch_deinit(&batch);
    rf_table_release(table);
    rf_table_release(other);
    rf_buf_deinit(&text);
}

static void test_bytes_that_are_no_text_are_hidden_whole(void **state)
{
    struct rf_test_transform transform = {.type = &rf_transform_columns};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_table *table = rf_test_table("shop", "users", "id:int! a:text b:text c:text");
    struct rf_value values[] = {
        {.kind = RF_INT, .i = 1},
        {.kind = RF_BYTES, .size = 3, .text = "\xff\xfe\xfd"},
        {.kind = RF_BYTES, .size = 3, .text = "\xff\xfe\xfd"},
        {.kind = RF_BYTES, .size = 3, .text = "\xff\xfe\xfd"},
    };
    struct rf_event event = {.op = RF_CREATE, .table = table, .after = values};
    struct rf_error err = {0};
    bool drop = false;
    (void)state;
    assert_int_equal(
        rf_test_transform_open(&transform, "mask(a,1),truncate(b,2),hash(c)", salt, &err), RF_OK);
    assert_int_equal(transform.type->apply(transform.state, &event, &drop, &transform.arena, &err),
                     RF_OK);
    assert_int_equal(event.after[1].kind, RF_TEXT);
    assert_true(rf_str_equal(rf_value_str(event.after[1]), RF_STR("***")));
    assert_int_equal(event.after[2].kind, RF_BYTES);
    assert_true(rf_str_equal(rf_value_str(event.after[2]), RF_STR("\xff\xfe")));
    assert_int_equal(event.after[3].kind, RF_TEXT);
    assert_int_equal(event.after[3].size, 64);
    rf_test_transform_close(&transform);
    rf_batch_deinit(&batch);
    rf_table_release(table);
}

/* The source describes a table again whenever it is opened, and after each ALTER. */
static void test_a_table_described_again_is_not_kept_twice_and_an_altered_one_is_judged_anew(
    void **state)
{
    struct rf_test_transform transform = {.type = &rf_transform_columns};
    struct rf_batch batch = {.bytes_max = 1 << 20};
    struct rf_error err = {0};
    struct rf_buf text = {0};
    const struct rf_table *first = NULL;
    bool drop = false;
    (void)state;
    assert_int_equal(rf_test_transform_open(&transform, "mask(users.email)", NULL, &err), RF_OK);
    rf_test_begin(&batch, 1);
    for (int i = 0; i < 5; i++) {
        struct rf_table *table = rf_test_table("shop", "users", "id:int! email:text");
        struct rf_event event = *rf_test_create(&batch, table, "1|x");
        assert_int_equal(
            transform.type->apply(transform.state, &event, &drop, &transform.arena, &err), RF_OK);
        first = first != NULL ? first : event.table;
        assert_ptr_equal(event.table, first);
        rf_table_release(table);
    }
    struct rf_table *wider = rf_test_table("shop", "users", "id:int! x:int email:text");
    wider->version = 2;
    assert_int_equal(
        rf_test_transform_apply(&transform, rf_test_create(&batch, wider, "1|2|abc"), &text),
        RF_OK);
    assert_string_equal(rf_buf_cstr(&text), "create shop.users id=1 x=2 email=***");
    struct rf_table *renamed = rf_test_table("shop", "users", "id:int! x:int mail:text");
    renamed->version = 3;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            rf_test_transform_apply(&transform, rf_test_create(&batch, renamed, "1|2|abc"), &text),
            RF_CONFIG);
        assert_string_equal(rf_buf_cstr(&text),
                            "columns: \"mask(users.email)\": shop.users has no column email; did "
                            "you mean \"mail\"?");
    }
    rf_test_transform_close(&transform);
    rf_batch_deinit(&batch);
    rf_table_release(wider);
    rf_table_release(renamed);
    rf_buf_deinit(&text);
}

static void test_closing_accepts_what_was_never_opened(void **state)
{
    _Alignas(16) char zeroed[1024] = {0};
    (void)state;
    assert_true(rf_transform_columns.state_size <= sizeof zeroed);
    rf_transform_columns.close(zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule_does_what_it_says),
        cmocka_unit_test(test_rules_that_do_not_fit_a_table_are_refused_by_name),
        cmocka_unit_test(test_a_rule_about_a_collection_is_refused_by_name),
        cmocka_unit_test(test_a_rule_for_another_table_or_with_a_star_need_not_find_its_column),
        cmocka_unit_test(test_hash_without_a_salt_is_refused_and_says_why),
        cmocka_unit_test(test_the_shown_table_is_whole_and_outlives_the_sources),
        cmocka_unit_test(test_both_images_change_and_the_event_of_the_others_does_not),
        cmocka_unit_test(test_bytes_that_are_no_text_are_hidden_whole),
        cmocka_unit_test(
            test_a_table_described_again_is_not_kept_twice_and_an_altered_one_is_judged_anew),
        cmocka_unit_test(test_closing_accepts_what_was_never_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
