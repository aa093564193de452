#include "config/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct sample {
    const char *name;
    int64_t wait_ms;
    bool once;
};

static const struct rf_option options[] = {
    {"name", RF_OPTION_TEXT, offsetof(struct sample, name), NULL, NULL, "a name", false},
    {"wait-ms", RF_OPTION_DURATION, offsetof(struct sample, wait_ms), "100", "1..10s", "a time",
     false},
    {"once", RF_OPTION_BOOL, offsetof(struct sample, once), NULL, NULL, "this time", false},
    RF_OPTION_END,
};
static const struct rf_config_refusal refusals[] = {{"once", "it is not"}, {NULL, NULL}};
static const struct rf_config_top top = {options, refusals};
static const struct rf_settings none;

static enum rf_status parse(struct rf_config *config, const char *text, bool is_public,
                            struct rf_problems *problems)
{
    *problems = (struct rf_problems){.file = "f"};
    return rf_config_parse(config, rf_str_of(text), is_public, &top, none, problems);
}

static void parse_good(struct rf_config *config, const char *text)
{
    struct rf_problems problems;
    if (parse(config, text, false, &problems) != RF_OK) {
        fail_msg("%s: %s", text, problems.items[0].err.message);
    }
}

/* "name=value ..." */
static void expect_settings(const struct rf_setting *settings, uint32_t count, const char *wanted)
{
    struct rf_buf seen = {0};
    for (uint32_t i = 0; i < count; i++) {
        rf_buf_printf(&seen, "%s=%s;", settings[i].name, settings[i].value);
    }
    assert_string_equal(rf_buf_cstr(&seen), wanted);
    rf_buf_deinit(&seen);
}

static void test_a_file_means_what_the_same_words_mean(void **state)
{
    static const char *const words[] = {"mysql://cdc:a%40b@Db:3307/shop.*?tables=a.b,-c.d",
                                        "redis://cache?key=x%3A{id}", "file:changes.jsonl"};
    static const char *const forms[] = {
        "source: mysql://cdc:a%40b@Db:3307/shop.*?tables=a.b,-c.d\n"
        "sinks: [\"redis://cache?key=x%3A{id}\", file:changes.jsonl]\n",
        "source:\n  url: mysql://cdc@Db\n  password: a@b\n  port: 3307\n  path: shop.*\n"
        "  tables: [a.b, -c.d]\n"
        "sinks:\n- url: redis://cache\n  key: \"x:{id}\"\n- url: file:changes.jsonl\n",
        "sinks:\n- {url: 'redis://', host: cache, key: 'x:{id}'}\n- url: 'file:'\n"
        "  path: changes.jsonl\n"
        "source: {url: 'mysql://', user: cdc, password: a@b, host: Db, port: '3307',\n"
        "  path: shop.*, tables: 'a.b,-c.d'}\n",
    };
    struct rf_ends typed = {0};
    struct rf_error err = {0};
    struct rf_buf name = {0};
    (void)state;
    assert_int_equal(rf_ends_read(&typed, words, 3, none, NULL, &err), RF_OK);
    rf_endpoint_pipeline_name(&typed.source, &name);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct rf_config config = {0};
        struct rf_buf same = {0};
        parse_good(&config, forms[i]);
        assert_int_equal(config.ends.sink_count, 2);
        assert_string_equal(config.ends.source.key, typed.source.key);
        assert_string_equal(config.ends.source_spec.address, typed.source_spec.address);
        for (uint32_t k = 0; k < 2; k++) {
            assert_string_equal(config.ends.sink_specs[k].name, typed.sink_specs[k].name);
            assert_string_equal(config.ends.sink_specs[k].address, typed.sink_specs[k].address);
        }
        rf_endpoint_pipeline_name(&config.ends.source, &same);
        assert_string_equal(rf_buf_cstr(&same), rf_buf_cstr(&name));
        rf_buf_deinit(&same);
        rf_config_deinit(&config);
    }
    rf_buf_deinit(&name);
    rf_ends_deinit(&typed);
}

static void test_keys_at_the_top_are_the_commands_options(void **state)
{
    struct rf_config config = {0};
    (void)state;
    parse_good(&config, "name: shop\nwait_ms: 2s\nsource: binlog:a\nsinks: [\"null:\"]\n");
    expect_settings(config.top.settings, config.top.count, "name=shop;wait-ms=2s;");
    assert_string_equal(config.top.settings[1].where, "f:2");
    rf_config_deinit(&config);
}

static void test_a_list_in_a_block_or_on_a_line_is_one_text_with_commas(void **state)
{
    static const char *const forms[] = {
        "sinks: [{url: 'null:', columns: [-a, 'mask(b,4)']}]\nsource: binlog:a",
        "source: binlog:a\nsinks:\n- url: 'null:'\n  columns:\n  - -a\n  - mask(b,4)\n",
        "sinks: [{url: 'null:', columns: [-a, mask(b,4)]}]\nsource: binlog:a",
        "sinks: [{url: 'null:', columns: '-a,mask(b,4)'}]\nsource: binlog:a",
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct rf_config config = {0};
        parse_good(&config, forms[i]);
        expect_settings(config.sinks[0].settings, config.sinks[0].count, "columns=-a,mask(b,4);");
        assert_int_equal(config.ends.sink_specs[0].transform_count, 1);
        rf_config_deinit(&config);
    }
}

static void test_what_the_command_line_says_of_the_source_wins(void **state)
{
    static const struct rf_setting settings[] = {{"tables", "typed.*", NULL}};
    struct rf_settings beside = {settings, 1};
    struct rf_config config = {0};
    struct rf_problems problems = {.file = "f"};
    (void)state;
    struct rf_str text = RF_STR("source: {url: 'binlog:a', tables: file.*}\nsinks: ['null:']");
    assert_int_equal(rf_config_parse(&config, text, false, &top, beside, &problems), RF_OK);
    expect_settings(config.source.settings, config.source.count, "tables=typed.*;");
    rf_config_deinit(&config);
}

static void test_no_problem_shows_a_secret(void **state)
{
    static const char *const texts[] = {
        "source: {url: 'mysql://cdc:geheim@db'}\nsinks: ['null:']",
        "source: {url: 'mysql://db?password=geheim'}\nsinks: ['null:']",
        "source: {url: 'mysql://db', password: geheim}\nsinks: ['null:']",
        "source: {url: 'mysql://db', password: [geheim]}\nsinks: ['null:']",
        "source: {url: 'mysql://db', password: {geheim: 1}}\nsinks: ['null:']",
        "source: {url: 'mysql://db', password: &geheim 1}\nsinks: ['null:']",
        "source: {url: 'mysql://db', password: *geheim}\nsinks: ['null:']",
        "source: {url: 'mysql://db', pasword: geheim}\nsinks: ['null:']",
        "source: {url: 'mysql://db', password_env: geheim}\nsinks: ['null:']",
        "source: {url: 'mysql://db', password: 'x${geheim'}\nsinks: ['null:']",
        "source: {url: 'mysql://cdc:ge/geheim@db'}\nsinks: ['null:']",
        "source: {url: 'mysql://db', port: '${RF_TEST_SECRET}'}\nsinks: ['null:']",
        "source: {url: '${RF_TEST_SECRET}'}\nsinks: ['null:']",
        "source: {url: 'mysql://db', tls: '${RF_TEST_SECRET}'}\nsinks: ['null:']",
        "source: mysql://db\nsinks: ['null:']\nwait_ms: '${RF_TEST_SECRET}'",
        "source: {url: 'mysql://db', password:geheim}\nsinks: ['null:']",
        "source:\n  url: mysql://db\n  password geheim\nsinks: ['null:']",
    };
    (void)state;
    setenv("RF_TEST_SECRET", "geheim", 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rf_config config = {0};
        struct rf_problems problems;
        if (parse(&config, texts[i], true, &problems) != RF_CONFIG) {
            fail_msg("%s: accepted", texts[i]);
        }
        for (uint32_t k = 0; k < problems.count; k++) {
            const struct rf_error *err = &problems.items[k].err;
            if (strstr(err->message, "geheim") != NULL || strstr(err->hint, "geheim") != NULL) {
                fail_msg("%s: %s (%s)", texts[i], err->message, err->hint);
            }
        }
        rf_config_deinit(&config);
    }
    unsetenv("RF_TEST_SECRET");
}

static void test_a_secret_may_stand_in_a_file_that_others_cannot_read(void **state)
{
    static const char *const texts[] = {
        "source: mysql://cdc:geheim@db\nsinks: ['null:']",
        "source: {url: mysql://db, password: geheim}\nsinks: ['null:']",
        "source: binlog:a\nsinks: [{url: 'null:', columns: hash(a), salt: geheimnis}]",
    };
    static const char *const safe[] = {
        "source: 'mysql://cdc:${RF_TEST_SECRET}@db'\nsinks: ['null:']",
        "source: {url: mysql://db, password: '${RF_TEST_SECRET}'}\nsinks: ['null:']",
        "source: {url: mysql://db, password_env: RF_TEST_SECRET}\nsinks: ['null:']",
    };
    struct rf_problems problems;
    (void)state;
    setenv("RF_TEST_SECRET", "geheim", 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rf_config config = {0};
        parse_good(&config, texts[i]);
        rf_config_deinit(&config);
        if (parse(&config, texts[i], true, &problems) != RF_CONFIG) {
            fail_msg("%s: accepted", texts[i]);
        }
        assert_int_equal(problems.count, 1);
        assert_non_null(strstr(problems.items[0].err.message, "which every user of this machine"));
        assert_non_null(strstr(problems.items[0].err.hint, "chmod 600 f"));
        rf_config_deinit(&config);
    }
    for (size_t i = 0; i < sizeof safe / sizeof *safe; i++) {
        struct rf_config config = {0};
        if (parse(&config, safe[i], true, &problems) != RF_OK) {
            fail_msg("%s: %s", safe[i], problems.items[0].err.message);
        }
        rf_config_deinit(&config);
    }
    unsetenv("RF_TEST_SECRET");
}

static void test_a_file_that_cannot_be_read_is_a_problem_of_its_own(void **state)
{
    static const char *const paths[] = {"/nowhere/f.yaml", "/"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct rf_config config = {0};
        struct rf_problems problems = {.file = paths[i]};
        assert_int_equal(rf_config_read(&config, paths[i], &top, none, &problems), RF_CONFIG);
        assert_int_equal(problems.count, 1);
        assert_non_null(strstr(problems.items[0].err.message, ": it cannot be read: "));
        rf_config_deinit(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_means_what_the_same_words_mean),
        cmocka_unit_test(test_keys_at_the_top_are_the_commands_options),
        cmocka_unit_test(test_a_list_in_a_block_or_on_a_line_is_one_text_with_commas),
        cmocka_unit_test(test_what_the_command_line_says_of_the_source_wins),
        cmocka_unit_test(test_no_problem_shows_a_secret),
        cmocka_unit_test(test_a_secret_may_stand_in_a_file_that_others_cannot_read),
        cmocka_unit_test(test_a_file_that_cannot_be_read_is_a_problem_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
