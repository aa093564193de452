/* Dead letters: what a line says, and that the file only ever holds whole ones. */
#include "engine/letters.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64], path[96];
static struct rf_error err;

static int set_up(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/rowferry-letters-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/refused.jsonl", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    rmdir(directory);
    return 0;
}

static const char *content(void)
{
    static char text[8192];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void put(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* ------------------------------------------------------------------------------------- the line */

static enum rf_status plain_open(void *state, struct rf_error *error)
{
    (void)state;
    (void)error;
    return RF_OK;
}

/* Refuses number 13. */
static enum rf_status plain_encode(void *state, const struct rf_view *view,
                                   const struct rf_event *event, struct rf_encoding *out,
                                   struct rf_error *error)
{
    (void)state;
    (void)view;
    if (event->ordinal == 13) {
        return rf_fail(error, RF_REJECT, "13 cannot be written");
    }
    rf_buf_printf(out->value, "{\"n\":%u}", event->ordinal);
    out->count = 1;
    return RF_OK;
}

static void plain_close(void *state)
{
    (void)state;
}

static const struct rf_format_type plain_format = {
    .name = "plain",
    .state_size = 1,
    .open = plain_open,
    .encode = plain_encode,
    .close = plain_close,
};

static const struct rf_table table = {
    .references = 1,
    .database = {"shop", 4},
    .name = {"orders", 6},
    .full_name = {"shop.orders", 11},
};

/* A line about event `ordinal`, behind its time. */
static const char *line_of(uint32_t ordinal, bool images, bool raw, struct rf_buf *out)
{
    struct rf_batch batch = {0};
    rf_batch_begin(&batch, RF_STR("0-1-42"), 5, true);
    const struct rf_origin origin = {.raw = RF_STR("\x01\x02?")};
    *rf_batch_add(&batch) = (struct rf_event){
        .op = RF_UPDATE, .ordinal = ordinal, .row = 2, .table = &table, .origin = &origin};
    rf_batch_commit(&batch);
    struct rf_view view = {&batch, batch.events, 1, batch.transactions, 1};
    const struct rf_letter letter = {
        .pipeline = "shop",
        .sink = "redis://cache:6379/0",
        .reason = "WRONGTYPE \"x\"",
        .position = RF_STR("mysql:gtid=0-1-41"),
        .view = &view,
        .event = batch.events,
        .format = images ? &plain_format : NULL,
        .raw = raw,
    };
    rf_buf_reset(out);
    rf_letter_write(&letter, out);
    rf_batch_deinit(&batch);
    static const char head[] = "{\"time\":\"20YY-MM-DDThh:mm:ss.mmmZ\",";
    assert_int_equal(strncmp(rf_buf_cstr(out), "{\"time\":\"20", 11), 0);
    assert_int_equal(out->data[sizeof head - 4], 'Z');
    return out->data + sizeof head - 1;
}

static void test_a_line_says_what_where_and_why(void **state)
{
    (void)state;
    struct rf_buf out = {0};
#define HEAD                                                                                      \
    "\"pipeline\":\"shop\",\"sink\":\"redis://cache:6379/0\",\"reason\":\"WRONGTYPE \\\"x\\\"\"," \
    "\"position\":\"mysql:gtid=0-1-41\",\"transaction\":\"0-1-42\","
#define WHAT "\"op\":\"update\",\"database\":\"shop\",\"table\":\"orders\","
    assert_string_equal(line_of(3, true, true, &out), HEAD
                        "\"id\":\"0-1-42:3:2\"," WHAT "\"event\":{\"n\":3},\"raw\":\"AQI/\"}\n");
    assert_string_equal(line_of(13, true, true, &out),
                        HEAD "\"id\":\"0-1-42:13:2\"," WHAT
                             "\"event\":null,\"event_missing\":\"13 cannot be written\","
                             "\"raw\":\"AQI/\"}\n");
    assert_string_equal(line_of(3, false, false, &out),
                        HEAD "\"id\":\"0-1-42:3:2\"," WHAT "\"event\":null,\"raw\":null}\n");
    rf_buf_deinit(&out);
}

/* ------------------------------------------------------------------------------------- the file */

static void test_the_file_is_made_for_its_owner_alone_and_grows(void **state)
{
    (void)state;
    struct stat info;
    assert_int_equal(rf_letters_check(path, &err), RF_OK);
    assert_int_not_equal(access(path, F_OK), 0); /* looking makes nothing */
    assert_int_equal(rf_letters_append(path, RF_STR("{1}\n"), &err), RF_OK);
    assert_int_equal(rf_letters_append(path, RF_STR("{2}\n"), &err), RF_OK);
    assert_int_equal(rf_letters_check(path, &err), RF_OK);
    assert_string_equal(content(), "{1}\n{2}\n");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_behind_a_torn_line_a_new_one_begins(void **state)
{
    (void)state;
    put("{1}\n{\"time\":\"20");
    assert_int_equal(rf_letters_append(path, RF_STR("{2}\n"), &err), RF_OK);
    assert_int_equal(rf_letters_append(path, RF_STR("{3}\n"), &err), RF_OK);
    assert_string_equal(content(), "{1}\n{\"time\":\"20\n{2}\n{3}\n");
}

/* A limit of the file's size is what a full disk is: the line fits in part. */
static void test_a_full_disk_is_retried_and_leaves_no_part_of_a_line(void **state)
{
    (void)state;
    put("{1}\n");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {8, 8};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            _exit(1);
        }
        enum rf_status status = rf_letters_append(path, RF_STR("{234567}\n"), &err);
        _exit(status == RF_RETRY && strstr(err.message, path) != NULL && err.code == EFBIG ? 0 : 2);
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    assert_string_equal(content(), "{1}\n");
    assert_int_equal(rf_letters_append(path, RF_STR("{234567}\n"), &err), RF_OK);
    assert_string_equal(content(), "{1}\n{234567}\n");
}

static void test_only_a_regular_file_is_a_place_for_letters(void **state)
{
    (void)state;
    assert_int_equal(rf_letters_check("/dev/full", &err), RF_CONFIG);
    assert_string_equal(err.message, "dead_letters: /dev/full is not a regular file");
    assert_int_equal(rf_letters_append("/dev/full", RF_STR("{}\n"), &err), RF_CONFIG);
    assert_int_equal(rf_letters_check(directory, &err), RF_CONFIG);
    assert_int_equal(rf_letters_append(directory, RF_STR("{}\n"), &err), RF_CONFIG);
    assert_int_equal(rf_letters_check("/no/such/place/refused.jsonl", &err), RF_CONFIG);
    assert_string_equal(err.message, "dead_letters: /no/such/place/refused.jsonl cannot be made in "
                                     "/no/such/place: No such file or directory");
    assert_int_equal(rf_letters_append("/no/such/place/refused.jsonl", RF_STR("{}\n"), &err),
                     RF_CONFIG);
}

static void test_a_file_that_somebody_has_locked_is_retried(void **state)
{
    (void)state;
    put("{1}\n");
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(flock(file, LOCK_EX), 0);
    assert_int_equal(rf_letters_append(path, RF_STR("{2}\n"), &err), RF_RETRY);
    close(file);
    assert_int_equal(rf_letters_append(path, RF_STR("{2}\n"), &err), RF_OK);
    assert_string_equal(content(), "{1}\n{2}\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_a_line_says_what_where_and_why),
        test(test_the_file_is_made_for_its_owner_alone_and_grows),
        test(test_behind_a_torn_line_a_new_one_begins),
        test(test_a_full_disk_is_retried_and_leaves_no_part_of_a_line),
        test(test_only_a_regular_file_is_a_place_for_letters),
        test(test_a_file_that_somebody_has_locked_is_retried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
