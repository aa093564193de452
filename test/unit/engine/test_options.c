#include "engine/options.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct plugin {
    const char *host;
    const char *password;
    int64_t port;
    bool pipelined;
    int64_t group_bytes;
    int64_t patience_ms;
    int32_t shape;
    struct rf_list tables;
};

static const struct rf_option plugin_options[] = {
    {"host", RF_OPTION_TEXT, offsetof(struct plugin, host), NULL, NULL, "where it runs", true},
    {"password", RF_OPTION_SECRET, offsetof(struct plugin, password), NULL, NULL, "password",
     false},
    {"port", RF_OPTION_INT, offsetof(struct plugin, port), "2400", "1..65535", "port", false},
    {"pipelined", RF_OPTION_BOOL, offsetof(struct plugin, pipelined), "on", NULL, "whether", false},
    {"group", RF_OPTION_SIZE, offsetof(struct plugin, group_bytes), "1M", "4K..64M", "group",
     false},
    {"patience", RF_OPTION_DURATION, offsetof(struct plugin, patience_ms), NULL, "..1m", "how long",
     false},
    {"shape", RF_OPTION_CHOICE, offsetof(struct plugin, shape), "string", "hash|string", "shape",
     false},
    {"tables", RF_OPTION_LIST, offsetof(struct plugin, tables), NULL, NULL, "which", false},
    RF_OPTION_END,
};

static const struct rf_option_set sets[] = {{"redis", plugin_options},
                                            {"redis", rf_sink_common_options}};

struct fixture {
    struct rf_setting items[8];
    struct rf_settings settings;
    struct rf_arena arena;
    struct rf_error err;
    struct plugin plugin;
};

static void set(struct fixture *fixture, const char *name, const char *value)
{
    fixture->items[fixture->settings.count++] = (struct rf_setting){name, value, NULL};
    fixture->settings.items = fixture->items;
}

static enum rf_status check(struct fixture *fixture)
{
    return rf_options_check(sets, 2, fixture->settings, &fixture->err);
}

static enum rf_status fill(struct fixture *fixture)
{
    fixture->plugin = (struct plugin){0};
    return rf_options_fill(sets[0], fixture->settings, &fixture->plugin, &fixture->arena,
                           &fixture->err);
}

static void test_fallbacks_fill_what_nobody_set(void **state)
{
    (void)state;
    struct fixture f = {0};
    set(&f, "host", "db");
    assert_int_equal(check(&f), RF_OK);
    assert_int_equal(fill(&f), RF_OK);
    assert_string_equal(f.plugin.host, "db");
    assert_null(f.plugin.password);
    assert_int_equal(f.plugin.port, 2400);
    assert_true(f.plugin.pipelined);
    assert_int_equal(f.plugin.group_bytes, 1 << 20);
    assert_int_equal(f.plugin.patience_ms, 0);
    assert_int_equal(f.plugin.shape, 1);
    assert_int_equal(f.plugin.tables.count, 0);
    rf_arena_deinit(&f.arena);
}

static void test_settings_of_every_kind_are_read(void **state)
{
    (void)state;
    struct fixture f = {0};
    set(&f, "host", "");
    set(&f, "port", "1");
    set(&f, "pipelined", "No");
    set(&f, "group", "64 KiB");
    set(&f, "patience", "1m");
    set(&f, "shape", "hash");
    set(&f, "tables", "shop.*, -shop.audit_* ,x");
    set(&f, "format", "json");
    assert_int_equal(check(&f), RF_OK);
    assert_int_equal(fill(&f), RF_OK);
    assert_string_equal(f.plugin.host, "");
    assert_int_equal(f.plugin.port, 1);
    assert_false(f.plugin.pipelined);
    assert_int_equal(f.plugin.group_bytes, 65536);
    assert_int_equal(f.plugin.patience_ms, 60000);
    assert_int_equal(f.plugin.shape, 0);
    assert_int_equal(f.plugin.tables.count, 3);
    assert_string_equal(f.plugin.tables.items[1], "-shop.audit_*");
    rf_arena_deinit(&f.arena);
}

static void test_unknown_option_names_the_nearest(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"hots", "did you mean \"host\"?"},
        {"Tables", "did you mean \"tables\"?"},
        {"fromat", "did you mean \"format\"?"},
        {"pasword", "did you mean \"password\"?"},
        {"zebra", "unknown option \"zebra\" of redis"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f = {0};
        set(&f, "host", "db");
        set(&f, cases[i][0], "1");
        f.items[1].where = "shop.yaml:7";
        assert_int_equal(check(&f), RF_CONFIG);
        assert_non_null(strstr(f.err.message, cases[i][1]));
        assert_true(strncmp(f.err.message, "shop.yaml:7: unknown option", 27) == 0);
        assert_string_equal(f.err.hint, "`rowferry options redis` lists what can be set");
    }
    struct fixture f = {0};
    set(&f, "host", "db");
    set(&f, "zebra", "1");
    assert_int_equal(check(&f), RF_CONFIG);
    assert_null(strstr(f.err.message, "did you mean"));
}

static void test_values_out_of_bounds_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"port", "0"},      {"port", "65536"},  {"port", "12x"},    {"port", ""},
        {"group", "1"},     {"group", "65M"},   {"group", "1Q"},    {"group", "-5K"},
        {"patience", "2m"}, {"patience", "1w"}, {"pipelined", "2"}, {"shape", "Hash"},
        {"shape", ""},      {"tables", "a,,b"}, {"tables", "a,"},   {"group", "9999999999999T"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f = {0};
        set(&f, "host", "db");
        set(&f, cases[i][0], cases[i][1]);
        assert_int_equal(check(&f), RF_CONFIG);
        assert_true(strncmp(f.err.message, cases[i][0], strlen(cases[i][0])) == 0);
        assert_int_equal(fill(&f), RF_CONFIG);
        rf_arena_deinit(&f.arena);
    }
}

static void test_required_and_doubled_options_are_refused(void **state)
{
    (void)state;
    struct fixture f = {0};
    assert_int_equal(check(&f), RF_CONFIG);
    assert_string_equal(f.err.message, "redis needs \"host\": where it runs");
    set(&f, "host", "a");
    set(&f, "host", "b");
    assert_int_equal(check(&f), RF_CONFIG);
    assert_string_equal(f.err.message, "host of redis is set twice");
    f.items[0] = (struct rf_setting){"password", "x", NULL};
    f.items[1] = (struct rf_setting){"password_env", "HOME", NULL};
    set(&f, "host", "a");
    assert_int_equal(check(&f), RF_CONFIG);
    assert_string_equal(f.err.message, "password of redis is set twice, also as password");
}

static void test_secrets_come_from_files_and_the_environment(void **state)
{
    (void)state;
    char path[] = "/tmp/rowferry-options-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "open sesame\n", 12), 12);
    close(file);

    struct fixture f = {0};
    set(&f, "host", "db");
    set(&f, "password_file", path);
    assert_int_equal(check(&f), RF_OK);
    assert_int_equal(fill(&f), RF_OK);
    assert_string_equal(f.plugin.password, "open sesame");

    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(check(&f), RF_CONFIG);
    assert_non_null(strstr(f.err.hint, "chmod 600"));
    unlink(path);
    assert_int_equal(check(&f), RF_CONFIG);
    assert_non_null(strstr(f.err.message, "cannot read"));
    assert_null(strstr(f.err.message, "sesame"));

    f.items[1] = (struct rf_setting){"password_env", "ROWFERRY_TEST_SECRET", NULL};
    assert_int_equal(check(&f), RF_CONFIG);
    setenv("ROWFERRY_TEST_SECRET", "a", 1);
    assert_int_equal(fill(&f), RF_OK);
    assert_string_equal(f.plugin.password, "a");

    f.settings.count = 1;
    setenv("ROWFERRY_REDIS_PASSWORD", "b", 1);
    assert_int_equal(fill(&f), RF_OK);
    assert_string_equal(f.plugin.password, "b");
    unsetenv("ROWFERRY_REDIS_PASSWORD");
    rf_arena_deinit(&f.arena);
}

static void test_sizes_and_durations_have_units(void **state)
{
    (void)state;
    int64_t number = 7;
    assert_true(rf_parse_size(RF_STR("1GiB"), &number));
    assert_int_equal(number, 1 << 30);
    assert_true(rf_parse_size(RF_STR("10kb"), &number));
    assert_int_equal(number, 10240);
    assert_false(rf_parse_size(RF_STR("k"), &number));
    assert_false(rf_parse_size(RF_STR("9223372036854775807k"), &number));
    assert_true(rf_parse_duration(RF_STR("2h"), &number));
    assert_int_equal(number, 7200000);
    assert_true(rf_parse_duration(RF_STR("250"), &number));
    assert_int_equal(number, 250);
    assert_false(rf_parse_duration(RF_STR("1.5s"), &number));
    assert_int_equal(number, 250);
}

static void test_descriptions_say_what_may_be_written(void **state)
{
    (void)state;
    struct rf_buf out = {0};
    rf_option_describe(&plugin_options[2], &out);
    rf_buf_add(&out, "; ", 2);
    rf_option_describe(&plugin_options[5], &out);
    rf_buf_add(&out, "; ", 2);
    rf_option_describe(&plugin_options[6], &out);
    assert_string_equal(rf_buf_cstr(&out),
                        "whole number, 1 to 65535; time such as 500ms, 10s, 5m or 2h, at most 1m; "
                        "one of hash, string");
    rf_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fallbacks_fill_what_nobody_set),
        cmocka_unit_test(test_settings_of_every_kind_are_read),
        cmocka_unit_test(test_unknown_option_names_the_nearest),
        cmocka_unit_test(test_values_out_of_bounds_are_refused_by_name),
        cmocka_unit_test(test_required_and_doubled_options_are_refused),
        cmocka_unit_test(test_secrets_come_from_files_and_the_environment),
        cmocka_unit_test(test_sizes_and_durations_have_units),
        cmocka_unit_test(test_descriptions_say_what_may_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
