#include "engine/registry.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rf_error err;

static void test_every_plugin_in_the_lists_has_a_type_or_a_reason(void **state)
{
    (void)state;
    uint32_t count = 0;
    for (const struct rf_registry_source *s = rf_registry_sources(); s->name != NULL;
         s++, count++) {
        assert_true((s->type == NULL) != (s->missing == NULL));
        assert_true(s->type == NULL || strcmp(s->type->name, s->name) == 0);
        assert_true(s->type == NULL || (s->type->open && s->type->read && s->type->close &&
                                        s->type->interrupt && s->type->contains));
    }
    for (const struct rf_registry_sink *s = rf_registry_sinks(); s->name != NULL; s++, count++) {
        assert_true((s->type == NULL) != (s->missing == NULL));
        assert_true(s->type == NULL || strcmp(s->type->name, s->name) == 0);
        assert_true(s->type == NULL ||
                    (s->type->open && s->type->write && s->type->flush && s->type->close));
        /* A default format is one that there is. */
        const struct rf_format_type *format = NULL;
        assert_true(s->type == NULL || s->type->default_format == NULL ||
                    rf_registry_find_format(s->type->default_format, &format, &err) == RF_OK);
    }
    for (const struct rf_registry_format *s = rf_registry_formats(); s->name != NULL;
         s++, count++) {
        assert_true((s->type == NULL) != (s->missing == NULL));
        assert_true(s->type == NULL || strcmp(s->type->name, s->name) == 0);
    }
    assert_true(count >= 6);
}

static void test_unknown_names_suggest_the_nearest(void **state)
{
    (void)state;
    const struct rf_sink_type *sink;
    const struct rf_source_type *source;
    assert_int_equal(rf_registry_find_sink("flie", &sink, &err), RF_CONFIG);
    assert_string_equal(err.message, "unknown sink \"flie\"; did you mean \"file\"?");
    assert_int_equal(rf_registry_find_source("binlogs", &source, &err), RF_CONFIG);
    assert_string_equal(err.message, "unknown source \"binlogs\"; did you mean \"binlog\"?");
    assert_int_equal(rf_registry_find_sink("zeppelin", &sink, &err), RF_CONFIG);
    assert_string_equal(err.message, "unknown sink \"zeppelin\"");
}

static enum rf_status sink_spec(const char *name, const struct rf_setting *items, uint32_t count,
                                struct rf_sink_spec *spec)
{
    return rf_registry_sink_spec(name, "file:x.jsonl", (struct rf_settings){items, count}, spec,
                                 &err);
}

static void test_a_sink_gets_its_format_and_its_name(void **state)
{
    (void)state;
    struct rf_sink_spec spec;
    const struct rf_setting path = {"path", "x.jsonl", NULL};
    assert_int_equal(sink_spec("file", &path, 1, &spec), RF_OK);
    assert_string_equal(spec.format->name, "json");
    assert_string_equal(spec.name, "file:x.jsonl");

    const struct rf_setting named[] = {path, {"name", "out", NULL}, {"format", "json", NULL}};
    assert_int_equal(sink_spec("file", named, 3, &spec), RF_OK);
    assert_string_equal(spec.name, "out");
    assert_string_equal(spec.address, "file:x.jsonl");

    const struct rf_setting wrong[] = {path, {"format", "jason", NULL}};
    assert_int_equal(sink_spec("file", wrong, 2, &spec), RF_CONFIG);
    assert_non_null(strstr(err.message, "did you mean \"json\"?"));

    const struct rf_setting none[] = {{"format", "json", NULL}};
    assert_int_equal(sink_spec("null", none, 1, &spec), RF_CONFIG);
    assert_string_equal(err.message, "the sink \"null\" takes no format");

    const struct rf_setting unknown[] = {path, {"pth", "y", "shop.yaml:7"}};
    assert_int_equal(sink_spec("file", unknown, 2, &spec), RF_CONFIG);
    assert_string_equal(err.message,
                        "shop.yaml:7: unknown option \"pth\" of file; did you mean \"path\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_plugin_in_the_lists_has_a_type_or_a_reason),
        cmocka_unit_test(test_unknown_names_suggest_the_nearest),
        cmocka_unit_test(test_a_sink_gets_its_format_and_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
