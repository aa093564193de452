#include "control/control.h"

#include "control/socket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A pipeline that is never run: it is there to be asked. */
static enum rf_status no_open(void *state, const struct rf_context *ctx, struct rf_buf *position,
                              struct rf_error *err)
{
    (void)state, (void)ctx, (void)position;
    return rf_fail(err, RF_FATAL, "not to be opened");
}

static bool no_contains(struct rf_str position, struct rf_str other)
{
    return rf_str_equal(position, other);
}

static const struct rf_option no_options[] = {RF_OPTION_END};
static const struct rf_source_type source_type = {
    .name = "fake", .options = no_options, .open = no_open, .contains = no_contains};
static const struct rf_sink_type sink_type = {.name = "fake", .options = no_options};

struct fixture {
    char directory[64];
    char *deep; /* far longer than an address of a socket may be */
    char *path;
    struct rf_sink_spec sinks[2];
    struct rf_pipeline_options options;
    struct rf_pipeline *pipeline;
    struct rf_control *control;
    struct rf_error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/rowferry-control-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    assert_true(asprintf(&f->deep, "%s/%0200d", f->directory, 7) > 0);
    assert_int_equal(mkdir(f->deep, 0700), 0);
    assert_true(asprintf(&f->path, "%s/%0100d.sock", f->deep, 3) > 0);
    for (int i = 0; i < 2; i++) {
        f->sinks[i] = (struct rf_sink_spec){.type = &sink_type,
                                            .name = i == 0 ? "one" : "two",
                                            .address = i == 0 ? "fake://1" : "fake://2"};
    }
    f->options = (struct rf_pipeline_options){
        .name = "shop",
        .source = {.type = &source_type, .address = "fake://source"},
        .sinks = f->sinks,
        .sink_count = 2,
    };
    assert_int_equal(rf_pipeline_create(&f->options, &f->pipeline, &f->err), RF_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    rf_control_stop(f->control);
    rf_pipeline_destroy(f->pipeline);
    unlink(f->path);
    assert_int_equal(rmdir(f->deep), 0); /* nothing is left in it */
    assert_int_equal(rmdir(f->directory), 0);
    free(f->deep);
    free(f->path);
    free(f);
    return 0;
}

static enum rf_status start(struct fixture *f)
{
    return rf_control_start(&f->control, f->path, f->pipeline, &f->options, &f->err);
}

static void stop(struct fixture *f)
{
    rf_control_stop(f->control);
    f->control = NULL;
}

static void assert_answers(struct fixture *f)
{
    struct rf_buf answer = {0};
    struct rf_document document = {0};
    assert_int_equal(rf_control_ask(f->path, &answer, &f->err), RF_OK);
    assert_int_equal(answer.data[answer.size - 1], '\n');
    assert_int_equal(rf_document_read(&document, rf_buf_str(&answer), &f->err), RF_OK);
    assert_true(rf_str_equal(document.name, RF_STR("shop")));
    assert_int_equal(document.pid, getpid());
    assert_false(document.healthy);
    assert_int_equal(document.sink_count, 2);
    assert_true(rf_str_equal(document.sinks[1].name, RF_STR("two")));
    assert_true(rf_str_equal(document.source.address, RF_STR("fake://source")));
    rf_document_deinit(&document);
    rf_buf_deinit(&answer);
}

static void test_whoever_connects_is_answered(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start(f), RF_OK);
    for (int i = 0; i < 5; i++) {
        assert_answers(f);
    }
    stop(f);
    assert_int_equal(access(f->path, F_OK), -1);
    struct rf_buf answer = {0};
    assert_int_equal(rf_control_ask(f->path, &answer, &f->err), RF_RETRY);
    assert_non_null(strstr(f->err.message, "nobody answers"));
    rf_buf_deinit(&answer);
}

static void test_the_socket_is_for_its_owner_alone(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    mode_t before = umask(0);
    assert_int_equal(start(f), RF_OK);
    umask(before);
    assert_int_equal(stat(f->path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void test_a_socket_that_was_left_behind_is_replaced(void **state)
{
    struct fixture *f = *state;
    int left = rf_socket_listen(f->path, &f->err);
    assert_true(left >= 0);
    close(left); /* as after kill -9: the file stays, nobody listens */
    assert_int_equal(access(f->path, F_OK), 0);
    struct rf_buf answer = {0};
    assert_int_equal(rf_control_ask(f->path, &answer, &f->err), RF_RETRY);
    assert_non_null(strstr(f->err.message, strerror(ECONNREFUSED)));
    rf_buf_deinit(&answer);
    assert_int_equal(start(f), RF_OK);
    assert_answers(f);
}

static void test_who_connects_and_never_reads_holds_up_nobody(void **state)
{
    struct fixture *f = *state;
    int silent[3];
    assert_int_equal(start(f), RF_OK);
    for (int i = 0; i < 3; i++) {
        silent[i] = rf_control_connect(f->path);
        assert_true(silent[i] >= 0);
    }
    assert_answers(f);
    stop(f);
    for (int i = 0; i < 3; i++) {
        close(silent[i]);
    }
}

static void test_a_place_that_takes_no_socket_is_said(void **state)
{
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/nowhere/shop.sock", f->directory);
    assert_int_equal(rf_control_start(&f->control, path, f->pipeline, &f->options, &f->err),
                     RF_CONFIG);
    assert_null(f->control);
    assert_non_null(strstr(f->err.message, path));
    /* A directory of that name cannot be replaced, and nothing stays beside it. */
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_int_equal(start(f), RF_CONFIG);
    assert_int_equal(rmdir(f->path), 0);
}

static void test_the_socket_lies_beside_the_state(void **state)
{
    struct rf_buf path = {0};
    (void)state;
    rf_control_path("/var/lib/rowferry/shop.v2.db", &path);
    assert_string_equal(rf_buf_cstr(&path), "/var/lib/rowferry/shop.v2.sock");
    rf_buf_deinit(&path);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_whoever_connects_is_answered),
        test(test_the_socket_is_for_its_owner_alone),
        test(test_a_socket_that_was_left_behind_is_replaced),
        test(test_who_connects_and_never_reads_holds_up_nobody),
        test(test_a_place_that_takes_no_socket_is_said),
        test(test_the_socket_lies_beside_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
