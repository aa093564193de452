#include <rowferry/log.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

/* What was written to standard error since start_capture. */
static int saved_error = -1;
static FILE *captured;

static void start_capture(void)
{
    fflush(stderr);
    saved_error = dup(STDERR_FILENO);
    captured = tmpfile();
    assert_true(saved_error >= 0 && captured != NULL);
    assert_true(dup2(fileno(captured), STDERR_FILENO) >= 0);
}

static const char *end_capture(void)
{
    static char text[4096];

    fflush(stderr);
    assert_true(dup2(saved_error, STDERR_FILENO) >= 0);
    close(saved_error);
    rewind(captured);
    size_t size = fread(text, 1, sizeof text - 1, captured);
    text[size] = '\0';
    fclose(captured);
    return text;
}

/* The line behind its time, which is checked for its form. */
static const char *behind_time(const char *line, const char *lead)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

    assert_memory_equal(line, lead, strlen(lead));
    line += strlen(lead);
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != form[i]) {
            fail_msg("not a time: %s", line);
        }
    }
    return line + strlen(form);
}

static void test_a_text_line_has_time_level_and_message(void **state)
{
    (void)state;
    start_capture();
    rf_log(RF_LOG_WARN, "%d of %s", 3, "five");
    assert_string_equal(behind_time(end_capture(), ""), " warn  3 of five\n");
}

static void test_a_text_entry_has_its_actor_in_front_and_its_hint_behind(void **state)
{
    struct rf_log_entry entry = {RF_LOG_ERROR, RF_STR("redis://c:1/0"), RF_STR("gone"),
                                 RF_STR("look")};
    (void)state;
    start_capture();
    rf_log_write(&entry);
    assert_string_equal(behind_time(end_capture(), ""), " error redis://c:1/0: gone (look)\n");
}

static void test_a_json_line_is_one_object_with_what_is_known(void **state)
{
    struct rf_log_entry entry = {RF_LOG_ERROR, RF_STR("redis://c:1/0"), RF_STR("gone"),
                                 RF_STR("look")};
    (void)state;
    rf_log_set_format(RF_LOG_JSON);
    start_capture();
    rf_log(RF_LOG_INFO, "plain");
    assert_string_equal(behind_time(end_capture(), "{\"time\":\""),
                        "\",\"level\":\"info\",\"message\":\"plain\"}\n");
    rf_log_set_pipeline("shop");
    start_capture();
    rf_log_write(&entry);
    assert_string_equal(behind_time(end_capture(), "{\"time\":\""),
                        "\",\"level\":\"error\",\"pipeline\":\"shop\",\"actor\":\"redis://c:1/0\","
                        "\"message\":\"gone\",\"hint\":\"look\"}\n");
    rf_log_set_pipeline(NULL);
    rf_log_set_format(RF_LOG_TEXT);
}

static void test_any_bytes_make_a_valid_json_line(void **state)
{
    (void)state;
    rf_log_set_format(RF_LOG_JSON);
    start_capture();
    rf_log(RF_LOG_INFO, "%s", "a\"b\\c\nd\xff\xc3\xa9");
    assert_string_equal(behind_time(end_capture(), "{\"time\":\""),
                        "\",\"level\":\"info\",\"message\":"
                        "\"a\\\"b\\\\c\\u000ad\\ufffd\xc3\xa9\"}\n");
    rf_log_set_format(RF_LOG_TEXT);
}

static void test_what_is_above_the_level_is_dropped(void **state)
{
    (void)state;
    rf_log_set_level(RF_LOG_WARN);
    start_capture();
    rf_log(RF_LOG_INFO, "no");
    assert_string_equal(end_capture(), "");
    assert_true(rf_log_enabled(RF_LOG_WARN));
    assert_false(rf_log_enabled(RF_LOG_INFO));
    rf_log_set_level(RF_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_line_has_time_level_and_message),
        cmocka_unit_test(test_a_text_entry_has_its_actor_in_front_and_its_hint_behind),
        cmocka_unit_test(test_a_json_line_is_one_object_with_what_is_known),
        cmocka_unit_test(test_any_bytes_make_a_valid_json_line),
        cmocka_unit_test(test_what_is_above_the_level_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
