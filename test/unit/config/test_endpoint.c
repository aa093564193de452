#include "config/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct rf_settings none;

/* A directory of its own, which is the working directory too. */
static char directory[64];

static int enter_directory(void **state)
{
    char made[] = "/tmp/rowferry-endpoint-XXXXXX";
    (void)state;
    if (mkdtemp(made) == NULL || chdir(made) != 0 || mkdir("sub", 0700) != 0 ||
        symlink("sub", "link") != 0) {
        return -1;
    }
    snprintf(directory, sizeof directory, "%s", made);
    return 0;
}

static int leave_directory(void **state)
{
    (void)state;
    unlink("link");
    unlink("redis-password");
    rmdir("sub");
    return chdir("/") != 0 || rmdir(directory) != 0;
}

struct names {
    const char *text;
    const char *display;
    const char *key; /* $D stands for the directory */
};

static void expect_key(const char *key, const char *wanted, const char *text)
{
    struct rf_buf full = {0};
    for (const char *c = wanted; *c != '\0'; c++) {
        if (c[0] == '$' && c[1] == 'D') {
            rf_buf_printf(&full, "%s", directory);
            c++;
        } else {
            rf_buf_add_byte(&full, *c);
        }
    }
    if (strcmp(key, rf_buf_cstr(&full)) != 0) {
        fail_msg("%s: the key is %s, wanted %s", text, key, full.data);
    }
    rf_buf_deinit(&full);
}

static void test_a_sink_has_a_display_and_a_key(void **state)
{
    static const struct names cases[] = {
        {"redis://cdc:geheim@127.0.0.1:2400/0?key=x%3A{key}", "redis://cdc@127.0.0.1:2400/0",
         "redis://127.0.0.1:2400/0"},
        {"redis://:geheim@Cache/3", "redis://Cache:6379/3", "redis://cache:6379/3"},
        {"redis://[::1]/3", "redis://[::1]:6379/3", "redis://[::1]:6379/3"},
        {"rediss://Cache/3", "redis://Cache:6379/3", "redis://cache:6379/3"},
        {"file:changes.jsonl", "file:changes.jsonl", "file:$D/changes.jsonl"},
        {"file:./sub/../changes.jsonl", "file:./sub/../changes.jsonl", "file:$D/changes.jsonl"},
        {"file:link/a", "file:link/a", "file:$D/sub/a"},
        {"file:nowhere/a", "file:nowhere/a", "file:$D/nowhere/a"},
        {"file:/nowhere/a", "file:/nowhere/a", "file:/nowhere/a"},
        {"file:/a", "file:/a", "file:/a"},
        {"file:///a", "file:/a", "file:/a"},
        {"-", "file:-", "file:-"},
        {"null:", "null:", "null:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_endpoint endpoint = {0};
        struct rf_sink_spec spec = {0};
        struct rf_error err = {0};
        if (rf_endpoint_sink(&endpoint, cases[i].text, NULL, none, &spec, &err) != RF_OK) {
            fail_msg("%s: %s", cases[i].text, err.message);
        }
        assert_string_equal(spec.address, cases[i].display);
        expect_key(spec.name, cases[i].key, cases[i].text);
        rf_endpoint_deinit(&endpoint);
    }
}

static const char *tls_of(const struct rf_endpoint *endpoint)
{
    for (uint32_t i = 0; i < endpoint->count; i++) {
        if (strcmp(endpoint->settings[i].name, "tls") == 0) {
            return endpoint->settings[i].value;
        }
    }
    return "none";
}

static void test_an_s_behind_a_sinks_name_is_tls(void **state)
{
    static const struct {
        const char *text, *tls, *said; /* said: what is wrong with it */
    } cases[] = {
        {"redis://cache", "none", NULL},
        {"rediss://cache", "on", NULL},
        {"rediss://cache?tls=on&tls_verify=off", "on", NULL},
        {"rediss://cache?tls=off", NULL, "says TLS by its scheme, and tls=off"},
        {"rediss://cache?tls=auto", NULL, "says TLS by its scheme"},
        {"redisss://cache", NULL, "unknown sink"},
        {"files:x", NULL, "unknown sink"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_endpoint endpoint = {0};
        struct rf_sink_spec spec = {0};
        struct rf_endpoint_sets sets;
        struct rf_error err = {0};
        enum rf_status status = rf_endpoint_sink(&endpoint, cases[i].text, NULL, none, &spec, &err);
        assert_int_equal(status, cases[i].said ? RF_CONFIG : RF_OK);
        if (cases[i].said != NULL) {
            assert_non_null(strstr(err.message, cases[i].said));
        } else {
            assert_string_equal(tls_of(&endpoint), cases[i].tls);
            assert_int_equal(rf_endpoint_sink_sets(cases[i].text, NULL, &sets, &err), RF_OK);
            assert_string_equal(sets.items[0].owner, "redis");
        }
        rf_endpoint_deinit(&endpoint);
    }
}

static void test_the_user_the_tables_and_the_options_are_no_part_of_a_sources_key(void **state)
{
    static const struct names cases[] = {
        {"mysql://cdc:geheim@Db:3307/shop.orders?server_id=7", "mysql://cdc@Db:3307/shop.orders",
         "mysql://db:3307"},
        {"mysql://other@db:3307", "mysql://other@db:3307", "mysql://db:3307"},
        {"mysql://db/", "mysql://db:3306", "mysql://db:3306"},
        {"binlog:sub/bin.000001", "binlog:sub/bin.000001", "binlog:$D/sub/bin.000001"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_endpoint endpoint = {0};
        struct rf_source_spec spec = {0};
        struct rf_error err = {0};
        if (rf_endpoint_source(&endpoint, cases[i].text, none, &spec, &err) != RF_OK) {
            fail_msg("%s: %s", cases[i].text, err.message);
        }
        assert_string_equal(spec.address, cases[i].display);
        expect_key(endpoint.key, cases[i].key, cases[i].text);
        rf_endpoint_deinit(&endpoint);
    }
}

static void test_a_pipelines_name_is_the_same_for_ever(void **state)
{
    static const char *const cases[] = {"mysql://cdc@db:3306/shop.orders", "mysql://root:x@DB",
                                        "mysql://db?server_id=7"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_endpoint endpoint = {0};
        struct rf_source_spec spec = {0};
        struct rf_error err = {0};
        struct rf_buf name = {0};
        assert_int_equal(rf_endpoint_source(&endpoint, cases[i], none, &spec, &err), RF_OK);
        rf_endpoint_pipeline_name(&endpoint, &name);
        assert_string_equal(rf_buf_cstr(&name), "mysql-cb3234f5");
        rf_buf_deinit(&name);
        rf_endpoint_deinit(&endpoint);
    }
}

static void test_a_named_sink_keeps_its_position_under_its_name(void **state)
{
    struct rf_endpoint endpoint = {0};
    struct rf_sink_spec spec = {0};
    struct rf_error err = {0};
    (void)state;
    assert_int_equal(rf_endpoint_sink(&endpoint, "redis://h?name=cache", NULL, none, &spec, &err),
                     RF_OK);
    assert_string_equal(spec.name, "cache");
    rf_endpoint_deinit(&endpoint);
}

static void test_a_format_beside_the_address_gives_way_to_the_one_in_it(void **state)
{
    struct rf_endpoint endpoint = {0};
    struct rf_sink_spec spec = {0};
    struct rf_error err = {0};
    (void)state;
    assert_int_equal(rf_endpoint_sink(&endpoint, "-", "jsno", none, &spec, &err), RF_CONFIG);
    assert_string_equal(err.message, "unknown format \"jsno\"; did you mean \"json\"?");
    rf_endpoint_deinit(&endpoint);
    assert_int_equal(rf_endpoint_sink(&endpoint, "file:-?format=json", "jsno", none, &spec, &err),
                     RF_OK);
    assert_string_equal(spec.format->name, "json");
    rf_endpoint_deinit(&endpoint);
}

struct bad {
    const char *text;
    const char *message;
    const char *hint;
};

static void test_a_bad_source_is_refused_with_the_reason(void **state)
{
    static const struct bad cases[] = {
        {"mysq://h", "unknown source \"mysq\"; did you mean \"mysql\"?",
         "sources are: mysql, binlog"},
        {"mariadb://h", "unknown source \"mariadb\"", "sources are: mysql, binlog"},
        {"redis://h", "redis is a sink, not a source", "one source comes first"},
        {"mysql:h/shop", "the mysql address lacks the '//' in front of its host", "mysql://"},
        {"binlog://bin.000001", "the binlog address has a host, but takes a path only",
         "write binlog:PATH, without '//'"},
        {"mysql://h?tabels=a.b", "unknown option \"tabels\" of mysql; did you mean \"tables\"?",
         "rowferry options mysql"},
        {"binlog:", "binlog needs \"path\": ", "rowferry options binlog"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_endpoint endpoint = {0};
        struct rf_source_spec spec = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_endpoint_source(&endpoint, cases[i].text, none, &spec, &err),
                         RF_CONFIG);
        assert_memory_equal(err.message, cases[i].message, strlen(cases[i].message));
        if (strstr(err.hint, cases[i].hint) == NULL) {
            fail_msg("%s: the hint is '%s'", cases[i].text, err.hint);
        }
        rf_endpoint_deinit(&endpoint);
    }
}

static void test_a_bad_sink_is_refused_with_the_reason(void **state)
{
    static const struct bad cases[] = {
        {"reddis://h", "unknown sink \"reddis\"; did you mean \"redis\"?", "sinks are: "},
        {"mysql://h", "mysql is a source, not a sink", "one source comes first"},
        {"file://changes.jsonl", "the file address has a host, but takes a path only",
         "write file:PATH, without '//'"},
        {"redis:h", "the redis address lacks the '//' in front of its host", "redis://"},
        {"redis://h?kye={key}", "unknown option \"kye\" of redis; did you mean \"key\"?",
         "rowferry options redis"},
        {"redis://u:geheim@h?password_file=x", NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_endpoint endpoint = {0};
        struct rf_sink_spec spec = {0};
        struct rf_error err = {0};
        assert_int_equal(rf_endpoint_sink(&endpoint, cases[i].text, NULL, none, &spec, &err),
                         RF_CONFIG);
        if (cases[i].message != NULL) {
            assert_string_equal(err.message, cases[i].message);
        }
        if (strstr(err.hint, cases[i].hint) == NULL) {
            fail_msg("%s: the hint is '%s'", cases[i].text, err.hint);
        }
        assert_null(strstr(err.message, "geheim"));
        rf_endpoint_deinit(&endpoint);
    }
}

/* What the sink would get as its password; "" when none. The caller frees it. */
static char *password_of(const char *text)
{
    struct rf_endpoint endpoint = {0};
    struct rf_sink_spec spec = {0};
    struct rf_error err = {0};
    struct rf_arena arena = {0};
    const char *password = NULL;
    if (rf_endpoint_sink(&endpoint, text, NULL, none, &spec, &err) != RF_OK) {
        fail_msg("%s: %s", text, err.message);
    }
    struct rf_option_set set = {spec.type->name, spec.type->options};
    void *plugin = calloc(1, spec.type->state_size);
    assert_non_null(plugin);
    assert_int_equal(rf_options_fill(set, spec.settings, plugin, &arena, &err), RF_OK);
    const struct rf_option *option = rf_options_find(spec.type->options, "password");
    assert_non_null(option);
    memcpy(&password, (char *)plugin + option->offset, sizeof password);
    char *copy = rf_str_dup(rf_str_of(password));
    free(plugin);
    rf_arena_deinit(&arena);
    rf_endpoint_deinit(&endpoint);
    return copy;
}

static void expect_password(const char *text, const char *wanted)
{
    char *password = password_of(text);
    assert_string_equal(password, wanted);
    free(password);
}

static void test_the_credentials_directory_is_the_last_place_to_look_for_a_password(void **state)
{
    (void)state;
    int file = open("redis-password", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0 && write(file, "from-credentials\n", 17) == 17);
    close(file);
    expect_password("redis://h", "");
    setenv("CREDENTIALS_DIRECTORY", directory, 1);
    expect_password("redis://h", "from-credentials");
    expect_password("redis://:in-address@h", "in-address");
    setenv("MY_OWN", "by-name", 1);
    expect_password("redis://h?password_env=MY_OWN", "by-name");
    setenv("ROWFERRY_REDIS_PASSWORD", "from-environment", 1);
    expect_password("redis://h", "from-environment");
    unsetenv("ROWFERRY_REDIS_PASSWORD");
    unsetenv("MY_OWN");
    assert_int_equal(unlink("redis-password"), 0);
    expect_password("redis://h", "");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static enum rf_status read_sink(const char *text, uint32_t *transforms)
{
    struct rf_endpoint endpoint = {0};
    struct rf_sink_spec spec = {0};
    struct rf_error err;
    enum rf_status status =
        rf_endpoint_sink(&endpoint, text, NULL, (struct rf_settings){0}, &spec, &err);
    *transforms = spec.transform_count;
    rf_endpoint_deinit(&endpoint);
    return status;
}

static void test_a_transforms_secret_is_looked_for_there_too_but_only_where_it_is_used(void **state)
{
    (void)state;
    uint32_t transforms;
    int file = open("columns-salt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0 && write(file, "0123456789abcdef\n", 17) == 17);
    close(file);
    assert_int_equal(read_sink("null:?columns=hash(email)", &transforms), RF_CONFIG);
    setenv("CREDENTIALS_DIRECTORY", directory, 1);
    assert_int_equal(read_sink("null:?columns=hash(email)", &transforms), RF_OK);
    assert_int_equal(transforms, 1);
    assert_int_equal(read_sink("null:", &transforms), RF_OK);
    assert_int_equal(transforms, 0);
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(unlink("columns-salt"), 0);
    setenv("ROWFERRY_COLUMNS_SALT", "0123456789abcdef", 1);
    assert_int_equal(read_sink("null:?columns=hash(email)", &transforms), RF_OK);
    unsetenv("ROWFERRY_COLUMNS_SALT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sink_has_a_display_and_a_key),
        cmocka_unit_test(test_an_s_behind_a_sinks_name_is_tls),
        cmocka_unit_test(test_the_user_the_tables_and_the_options_are_no_part_of_a_sources_key),
        cmocka_unit_test(test_a_pipelines_name_is_the_same_for_ever),
        cmocka_unit_test(test_a_named_sink_keeps_its_position_under_its_name),
        cmocka_unit_test(test_a_format_beside_the_address_gives_way_to_the_one_in_it),
        cmocka_unit_test(test_a_bad_source_is_refused_with_the_reason),
        cmocka_unit_test(test_a_bad_sink_is_refused_with_the_reason),
        cmocka_unit_test(test_the_credentials_directory_is_the_last_place_to_look_for_a_password),
        cmocka_unit_test(
            test_a_transforms_secret_is_looked_for_there_too_but_only_where_it_is_used),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
