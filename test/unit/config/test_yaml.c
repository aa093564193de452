#include "config/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The tree on one line: maps in {}, lists in [], texts in "" when quoted, each with its line. */
static void print(const struct rf_yaml_node *node, struct rf_buf *out)
{
    switch (node->kind) {
    case RF_YAML_TEXT:
        rf_buf_printf(out, node->plain ? "%s" : "\"%s\"", node->text);
        rf_buf_printf(out, "@%u", node->line);
        break;
    case RF_YAML_LIST:
    case RF_YAML_MAP:
        rf_buf_add_byte(out, node->kind == RF_YAML_LIST ? '[' : '{');
        for (const struct rf_yaml_node *each = node->first; each != NULL; each = each->next) {
            rf_buf_printf(out, "%s", each == node->first ? "" : " ");
            if (each->key != NULL) {
                rf_buf_printf(out, "%s@%u=", each->key, each->key_line);
            }
            print(each, out);
        }
        rf_buf_add_byte(out, node->kind == RF_YAML_LIST ? ']' : '}');
        break;
    }
}

static void test_texts_lists_and_maps_keep_their_lines(void **state)
{
    static const struct {
        const char *text;
        const char *tree;
    } cases[] = {
        {"a: b", "{a@1=b@1}"},
        {"a:\n  b\n", "{a@1=b@2}"},
        {"# x\na: 'b'\nc: \"d\"  # e\n", "{a@2=\"b\"@2 c@3=\"d\"@3}"},
        {"a: [x, -y]\nb:\n  - z\n  - c: 1\n    d: 2\n",
         "{a@1=[x@1 -y@1] b@2=[z@3 {c@4=1@4 d@5=2@5}]}"},
        {"a: yes\nb: 0x10\nc: 1e3\nd: ~\ne:\n", "{a@1=yes@1 b@2=0x10@2 c@3=1e3@3 d@4=~@4 e@5=@5}"},
        {"a: redis://h:1/0?key={x}&y", "{a@1=redis://h:1/0?key={x}&y@1}"},
        {"\xef\xbb\xbf"
         "a: \xc3\xa9",
         "{a@1=\xc3\xa9@1}"},
        {"---\na: b\n...\n", "{a@2=b@2}"},
        {"a: b\r\nc: d\r\n", "{a@1=b@1 c@2=d@2}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_yaml yaml = {0};
        struct rf_problems problems = {.file = "f"};
        struct rf_buf tree = {0};
        rf_yaml_parse(&yaml, rf_str_of(cases[i].text), &problems);
        if (problems.count > 0) {
            fail_msg("%s: %s", cases[i].text, problems.items[0].err.message);
        }
        assert_false(yaml.broken);
        print(yaml.root, &tree);
        assert_string_equal(rf_buf_cstr(&tree), cases[i].tree);
        rf_buf_deinit(&tree);
        rf_yaml_deinit(&yaml);
    }
}

static void test_what_is_left_out_of_yaml_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *message; /* of the first problem */
        uint32_t count;
    } cases[] = {
        {"a: 1\na: 2\nb: 3\nb: 4", "f:2: \"a\" is here twice, first in line 1", 2},
        {"a: &x 1\nb: *x", "f:1: anchors and aliases are not supported", 2},
        {"a: !!str geheim", "f:1: tags are not supported", 1},
        {"a: !geheim x", "f:1: tags are not supported", 1},
        {"a: {<<: {b: 1}}", "f:1: merge keys are not supported", 1},
        {"a: 1\n---\nb: 2", "f:2: a second document begins here", 1},
        {"[a]: 1", "f:1: a key is a list", 1},
        {"{a:geheim}", "f:1: this is not the name of a key", 1},
        {"a: \"geheim\\0x\"", "f:1: a text has a line break or another control character in it", 1},
        {"a: |\n  geheim\n", "f:1: a text has a line break or another control character in it", 1},
        {"a: [[[[[[[[[1]]]]]]]]]", "f:1: more than 8 levels inside each other", 1},
        {"a:\n\tb: geheim", "f:2: this is no YAML: found character that cannot start any token", 1},
        {"a: 'geheim", NULL, 1},
        {"a: [geheim", NULL, 1},
        {"a: geheim\n b: c", NULL, 1},
        {"a: \xff\xfegeheim", NULL, 1},
        {"password geheim\nb: c", NULL, 1},
        {"a: geheim: b", NULL, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_yaml yaml = {0};
        struct rf_problems problems = {.file = "f"};
        rf_yaml_parse(&yaml, rf_str_of(cases[i].text), &problems);
        if (problems.count != cases[i].count) {
            fail_msg("%s: %u problems", cases[i].text, problems.count);
        }
        if (cases[i].message != NULL) {
            assert_string_equal(problems.items[0].err.message, cases[i].message);
        }
        for (uint32_t k = 0; k < problems.count; k++) {
            assert_null(strstr(problems.items[k].err.message, "geheim"));
            assert_null(strstr(problems.items[k].err.hint, "geheim"));
            assert_memory_equal(problems.items[k].err.message, "f:", 2);
        }
        rf_yaml_deinit(&yaml);
    }
}

static void test_more_than_a_configuration_can_be_is_refused(void **state)
{
    char *text = malloc(RF_YAML_BYTES_MAX + 1);
    struct rf_yaml yaml = {0};
    struct rf_problems problems = {.file = "f"};
    (void)state;
    assert_non_null(text);
    memset(text, '#', RF_YAML_BYTES_MAX + 1);
    rf_yaml_parse(&yaml, (struct rf_str){text, RF_YAML_BYTES_MAX + 1}, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].err.message,
                        "f: larger than 1 MiB, which no configuration is");
    rf_yaml_deinit(&yaml);
    problems = (struct rf_problems){.file = "f"};
    rf_yaml_parse(&yaml, (struct rf_str){text, RF_YAML_BYTES_MAX}, &problems);
    assert_int_equal(problems.count, 0);
    assert_null(yaml.root);
    rf_yaml_deinit(&yaml);
    free(text);
}

static void test_problems_beyond_the_room_are_counted(void **state)
{
    struct rf_problems problems = {.file = "f"};
    struct rf_error err = {0};
    (void)state;
    for (uint32_t i = 0; i < RF_PROBLEMS_MAX + 3; i++) {
        rf_problem_add(&problems, 100 - i, "number %u", i);
        rf_problem_hint(&problems, "hint %u", i);
    }
    assert_int_equal(problems.count, RF_PROBLEMS_MAX);
    assert_int_equal(problems.left_out, 3);
    rf_problems_sort(&problems);
    assert_string_equal(problems.items[0].err.message, "f:81: number 19");
    assert_string_equal(problems.items[0].err.hint, "hint 19");
    assert_string_equal(problems.items[19].err.message, "f:100: number 0");
    problems = (struct rf_problems){.file = "f"};
    rf_fail(&err, RF_CONFIG, "f:7: it has its line");
    rf_problem_add_error(&problems, 3, &err);
    rf_fail(&err, RF_CONFIG, "it has none");
    rf_problem_add_error(&problems, 3, &err);
    assert_string_equal(problems.items[0].err.message, "f:7: it has its line");
    assert_int_equal(problems.items[0].line, 7);
    assert_string_equal(problems.items[1].err.message, "f:3: it has none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_lists_and_maps_keep_their_lines),
        cmocka_unit_test(test_what_is_left_out_of_yaml_is_refused_with_its_line),
        cmocka_unit_test(test_more_than_a_configuration_can_be_is_refused),
        cmocka_unit_test(test_problems_beyond_the_room_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
