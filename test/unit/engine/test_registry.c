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
    for (const struct rf_registry_transform *s = rf_registry_transforms(); s->name != NULL;
         s++, count++) {
        assert_true((s->type == NULL) != (s->missing == NULL));
        assert_true(s->type == NULL || strcmp(s->type->name, s->name) == 0);
        assert_true(s->type == NULL || (s->type->open && s->type->apply && s->type->close &&
                                        s->type->options && s->type->options->name));
    }
    assert_true(count >= 8);
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

/* `columns` may be missing from a build, `tables` needs no library. */
static void test_a_transform_is_used_when_one_of_its_options_is_set(void **state)
{
    (void)state;
    struct rf_sink_spec spec;
    const struct rf_setting plain[] = {{"path", "x.jsonl", NULL}, {"tables", "shop.*", NULL}};
    assert_int_equal(sink_spec("file", plain, 1, &spec), RF_OK);
    assert_int_equal(spec.transform_count, 0);
    assert_int_equal(sink_spec("file", plain, 2, &spec), RF_OK);
    assert_int_equal(spec.transform_count, 1);
    assert_string_equal(spec.transforms[0]->name, "tables");
    assert_int_equal(sink_spec("null", plain + 1, 1, &spec), RF_OK);
    assert_int_equal(spec.transform_count, 1);

    const struct rf_setting wrong[] = {plain[0], {"tablse", "shop.*", NULL}};
    assert_int_equal(sink_spec("file", wrong, 2, &spec), RF_CONFIG);
    assert_string_equal(err.message, "unknown option \"tablse\" of file; did you mean \"tables\"?");
}

static void test_dead_letters_bring_the_format_that_they_are_written_in(void **state)
{
    (void)state;
    struct rf_sink_spec spec;
    const struct rf_setting letters[] = {{"dead_letters", "/var/lib/refused.jsonl", NULL}};
    assert_int_equal(sink_spec("null", NULL, 0, &spec), RF_OK);
    assert_null(spec.dead_letters);
    assert_null(spec.letters_format);
    assert_int_equal(sink_spec("null", letters, 1, &spec), RF_OK);
    assert_string_equal(spec.dead_letters, "/var/lib/refused.jsonl");
    assert_string_equal(spec.letters_format->name, "json");
    assert_null(spec.format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_plugin_in_the_lists_has_a_type_or_a_reason),
        cmocka_unit_test(test_unknown_names_suggest_the_nearest),
        cmocka_unit_test(test_a_sink_gets_its_format_and_its_name),
        cmocka_unit_test(test_a_transform_is_used_when_one_of_its_options_is_set),
        cmocka_unit_test(test_dead_letters_bring_the_format_that_they_are_written_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
