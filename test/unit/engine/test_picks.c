/* The number that says whether other events reach a sink of the same log. */
#include "engine/picks.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fields {
    const char *text;
};

#define OPTION(name, kind)                                               \
    {                                                                    \
        name, kind, offsetof(struct fields, text), NULL, NULL, "", false \
    }

static const struct rf_option server_options[] = {
    OPTION("host", RF_OPTION_TEXT),
    OPTION("user", RF_OPTION_TEXT),
    OPTION("password", RF_OPTION_SECRET),
    OPTION("path", RF_OPTION_TEXT),
    OPTION("skip", RF_OPTION_TEXT),
    OPTION("server_id", RF_OPTION_TEXT),
    OPTION("tls_ca", RF_OPTION_TEXT),
    OPTION("connect_timeout", RF_OPTION_TEXT),
    RF_OPTION_END,
};
static const struct rf_option file_options[] = {OPTION("path", RF_OPTION_TEXT),
                                                OPTION("tables", RF_OPTION_TEXT), RF_OPTION_END};
static const struct rf_option columns_options[] = {OPTION("columns", RF_OPTION_TEXT),
                                                   OPTION("salt", RF_OPTION_SECRET), RF_OPTION_END};

static const struct rf_source_type server = {.name = "server", .options = server_options};
static const struct rf_source_type file = {.name = "file", .options = file_options};
static const struct rf_transform_type columns = {.name = "columns", .options = columns_options};

enum { MAX = 6 };

/* Settings end with a NULL name; those of the sink count for the transform, unless it has none. */
static uint64_t picks(const struct rf_source_type *type, const struct rf_setting *source,
                      const struct rf_setting *sink)
{
    struct rf_source_spec source_spec = {.type = type, .settings = {source, 0}};
    struct rf_sink_spec sink_spec = {.settings = {sink, 0}};
    while (source[source_spec.settings.count].name != NULL) {
        source_spec.settings.count++;
    }
    while (sink != NULL && sink[sink_spec.settings.count].name != NULL) {
        sink_spec.settings.count++;
    }
    if (sink != NULL) {
        sink_spec.transforms[sink_spec.transform_count++] = &columns;
    }
    return rf_picks_of(&source_spec, &sink_spec);
}

static const struct rf_setting base[MAX] = {
    {"host", "a", NULL}, {"user", "cdc", NULL}, {"path", "shop.*", NULL}};

static void test_what_does_not_pick_events_does_not_count(void **state)
{
    (void)state;
    static const struct rf_setting others[][MAX] = {
        {{"host", "b", NULL}, {"user", "cdc", NULL}, {"path", "shop.*", NULL}},
        {{"path", "shop.*", NULL}, {"user", "other", NULL}, {"host", "a", NULL}},
        {{"path", "shop.*", NULL}, {"password", "x", NULL}, {"tls_ca", "/x", NULL}},
        {{"path", "shop.*", NULL}, {"password_file", "/x", NULL}, {"server_id", "7", NULL}},
        {{"connect_timeout", "3s", NULL}, {"path", "shop.*", NULL}},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_true(picks(&server, base, NULL) == picks(&server, others[i], NULL));
    }
    static const struct rf_setting here[MAX] = {{"path", "a.binlog", NULL}};
    static const struct rf_setting there[MAX] = {{"path", "b.binlog", NULL}};
    assert_true(picks(&file, here, NULL) == picks(&file, there, NULL));
}

static void test_what_picks_events_counts(void **state)
{
    (void)state;
    static const struct rf_setting tables[MAX] = {{"host", "a", NULL}, {"path", "shop.b", NULL}};
    static const struct rf_setting skips[MAX] = {{"path", "shop.*", NULL}, {"skip", "x", NULL}};
    static const struct rf_setting none[MAX] = {{NULL, NULL, NULL}};
    static const struct rf_setting mask[MAX] = {{"columns", "mask(a)", NULL}};
    static const struct rf_setting other_mask[MAX] = {{"columns", "mask(b)", NULL}};
    static const struct rf_setting swapped[MAX] = {{"skip", "shop.*", NULL}, {"path", "x", NULL}};
    const uint64_t numbers[] = {
        picks(&server, base, NULL),    picks(&server, tables, NULL),
        picks(&server, skips, NULL),   picks(&server, none, NULL),
        picks(&server, base, mask),    picks(&server, base, other_mask),
        picks(&server, swapped, NULL),
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_true(numbers[i] != 0);
        for (size_t j = 0; j < i; j++) {
            assert_true(numbers[i] != numbers[j]);
        }
    }
}

static void test_a_secret_is_no_part_of_a_number_that_others_may_read(void **state)
{
    (void)state;
    static const struct rf_setting one[MAX] = {{"columns", "hash(a)", NULL}, {"salt", "1", NULL}};
    static const struct rf_setting two[MAX] = {{"columns", "hash(a)", NULL},
                                               {"salt_file", "/s", NULL}};
    assert_true(picks(&server, base, one) == picks(&server, base, two));
}

/* Beside a position in some destination it outlives this build. */
static void test_it_is_the_same_in_each_build(void **state)
{
    (void)state;
    assert_true(rf_picks_hash(RF_STR("tables"), RF_STR("shop.*")) == UINT64_C(0x8d3a388f38833d9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_does_not_pick_events_does_not_count),
        cmocka_unit_test(test_what_picks_events_counts),
        cmocka_unit_test(test_a_secret_is_no_part_of_a_number_that_others_may_read),
        cmocka_unit_test(test_it_is_the_same_in_each_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
