#include "sink/file_segment.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/file_subject.h"

static atomic_uint rotations;

static int setup(void **state)
{
    (void)state;
    begin_file("out.jsonl", "rotate_bytes", "30");
    sink.rotations = &rotations;
    return 0;
}

static void set(const char *name, const char *value)
{
    settings[1] = (struct rf_test_setting){name, value};
}

/* Valid until the call after the next. */
static const char *in_folder(const char *name)
{
    static char texts[2][192];
    static int which;
    which = 1 - which;
    snprintf(texts[which], sizeof texts[which], "%s/%s", folder, name);
    return texts[which];
}

static void put(const char *name, const char *content)
{
    put_content(in_folder(name), content);
}

static void expect_content(const char *name, const char *expected)
{
    expect_content_of(in_folder(name), expected);
}

/* The files in the folder. */
static void expect_files(const char *list)
{
    assert_string_equal(rf_test_files_list(folder), list);
}

/* Opened, with nothing in it recorded. */
static void start(void)
{
    open_sink();
    flush("0");
}

/* A recorded place to go back to. */
struct place {
    struct rf_buf position, note;
};

static struct place here(void)
{
    struct place place = {{0}, {0}};
    rf_buf_set(&place.position, rf_buf_str(&sink.position));
    rf_buf_set(&place.note, rf_buf_str(&sink.note));
    return place;
}

static void go_back(struct place *place)
{
    rf_test_sink_close(&sink);
    rf_buf_set(&sink.position, rf_buf_str(&place->position));
    rf_buf_set(&sink.note, rf_buf_str(&place->note));
    rf_buf_deinit(&place->position);
    rf_buf_deinit(&place->note);
}

static void test_segments_are_named_before_the_extension(void **state)
{
    static const struct {
        const char *path, *third;
    } cases[] = {
        {"changes.jsonl", "changes.000003.jsonl"},
        {"/var/lib.d/changes", "/var/lib.d/changes.000003"},
        {"a/changes.jsonl.zst", "a/changes.000003.jsonl.zst"},
        {"changes.gz", "changes.000003.gz"},
        {"a.b.jsonl.gz", "a.b.000003.jsonl.gz"},
        {".hidden", ".hidden.000003"},
        {".hidden.zst", ".hidden.000003.zst"},
        {"./x.", "./x.000003."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_file_segments segments = rf_file_segments_of(cases[i].path, "p");
        struct rf_buf name = {0};
        rf_file_segment_name(&segments, 3, &name);
        assert_string_equal(name.data, cases[i].third);
        rf_file_segment_name(&segments, 0, &name);
        assert_string_equal(name.data, cases[i].path);
        rf_file_segment_name(&segments, 1234567, &name);
        assert_non_null(strstr(name.data, ".1234567"));
        rf_buf_deinit(&name);
    }
}

static void test_only_exact_names_are_segments(void **state)
{
    static const char *const others[] = {"out.1.jsonl",       "out.0000001.jsonl",
                                         "out.000000.jsonl",  "out.000009.jsonl.x",
                                         "xout.000009.jsonl", "out.00000x.jsonl",
                                         "out.+00009.jsonl",  "out.000009",
                                         "out..jsonl",        "out.99999999999999999999.jsonl"};
    uint64_t highest = 7;
    struct rf_file_segments segments = rf_file_segments_of(path, "p");
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put(others[i], "x\n");
    }
    expect_status(rf_file_segments_highest(&segments, &highest, &err), RF_OK);
    assert_int_equal(highest, 0);
    put("out.000009.jsonl", "x\n");
    put("out.1000000.jsonl", "x\n");
    expect_status(rf_file_segments_highest(&segments, &highest, &err), RF_OK);
    assert_int_equal(highest, 1000000);
}

static void test_a_segment_is_finished_at_the_first_flush_behind_its_size(void **state)
{
    (void)state;
    start();
    record_row(1);
    expect_files("out.000001.jsonl ");
    write_row(2);
    write_row(3);
    expect_files("out.000001.jsonl ");
    flush("3");
    expect_files("out.000001.jsonl out.000002.jsonl ");
    expect_content("out.000001.jsonl", ROW(1) ROW(2) ROW(3));
    expect_content("out.000002.jsonl", "");
    flush("3");
    expect_files("out.000001.jsonl out.000002.jsonl ");
    record_row(4);
    expect_content("out.000002.jsonl", ROW(4));
}

static void test_a_segment_ends_with_a_transaction(void **state)
{
    (void)state;
    start();
    write_row(1);
    write_piece(2, true, false);
    flush("1"); /* large enough, but inside a transaction */
    expect_files("out.000001.jsonl ");
    write_piece(2, false, true);
    write_piece(3, true, false);
    flush("2");
    expect_files("out.000001.jsonl ");
    write_piece(3, false, true);
    flush("3");
    expect_files("out.000001.jsonl out.000002.jsonl ");
    expect_content("out.000001.jsonl", ROW(1) ROW(2) ROW(2) ROW(3) ROW(3));
}

static void test_what_was_not_recorded_is_cut_and_later_segments_are_removed(void **state)
{
    (void)state;
    start();
    record_row(1);
    struct place first = here();
    record_row(2); /* the first segment is finished */
    struct place second = here();
    write_row(3);
    record_row(4); /* and the second */
    record_row(5);
    write_row(6);
    expect_files("out.000001.jsonl out.000002.jsonl out.000003.jsonl ");
    reopen();
    expect_content("out.000003.jsonl", ROW(5));
    go_back(&second);
    open_sink();
    expect_files("out.000001.jsonl out.000002.jsonl ");
    expect_content("out.000001.jsonl", ROW(1) ROW(2));
    expect_content("out.000002.jsonl", "");
    go_back(&first);
    open_sink();
    expect_files("out.000001.jsonl ");
    expect_content("out.000001.jsonl", ROW(1));
}

static void test_finished_segments_may_be_taken_away(void **state)
{
    (void)state;
    start();
    for (uint64_t i = 1; i <= 4; i++) {
        write_row(i);
        write_row(i);
        flush("x");
        char name[32];
        snprintf(name, sizeof name, "out.%06llu.jsonl", (unsigned long long)i);
        assert_int_equal(unlink(in_folder(name)), 0);
        reopen();
    }
    expect_files("out.000005.jsonl ");
}

static void test_what_is_not_ours_is_never_removed(void **state)
{
    (void)state;
    start();
    record_row(1);
    put("out.000002.jsonl", "mine\n");
    for (int i = 0; i < 2; i++) {
        reopen_fails(RF_FATAL);
        expect_said("out.000002.jsonl lies behind the recorded position");
        expect_content("out.000002.jsonl", "mine\n");
        expect_content("out.000001.jsonl", ROW(1));
    }
    /* Not even with a mark, when it follows another file. */
    assert_int_equal(
        setxattr(in_folder("out.000002.jsonl"), "user.rowferry.follows", "test 1 2", 8, 0), 0);
    reopen_fails(RF_FATAL);
    expect_content("out.000002.jsonl", "mine\n");
    /* It is in the way of the next one, too. */
    assert_int_equal(rename(in_folder("out.000002.jsonl"), in_folder("mine")), 0);
    reopen();
    put("out.000002.jsonl", "mine\n");
    write_row(2);
    expect_status(rf_test_sink_flush(&sink, "2", &err), RF_CONFIG);
    expect_said("out.000002.jsonl: File exists");
    expect_content("out.000002.jsonl", "mine\n");
}

static void test_a_later_segment_that_was_taken_away_would_come_twice(void **state)
{
    (void)state;
    start();
    record_row(1);
    struct place first = here();
    for (uint64_t i = 2; i <= 6; i += 2) {
        write_row(i);
        write_row(i + 1);
        flush("x");
    }
    assert_int_equal(unlink(in_folder("out.000002.jsonl")), 0);
    go_back(&first);
    reopen_fails(RF_FATAL);
    expect_said("out.000002.jsonl was taken away");
    expect_files("out.000001.jsonl out.000003.jsonl out.000004.jsonl ");
    /* An operator may say that this is all right: then it goes on in a new one. */
    sink.adopt = true;
    reopen();
    flush("1");
    record_row(7);
    expect_content("out.000004.jsonl", ROW(7));
}

static void test_a_segment_that_is_gone_or_another_is_refused(void **state)
{
    (void)state;
    start();
    record_row(1);
    rf_test_sink_close(&sink);
    assert_int_equal(rename(in_folder("out.000001.jsonl"), in_folder("old")), 0);
    reopen_fails(RF_FATAL);
    expect_said("out.000001.jsonl is gone");
    put("out.000001.jsonl", ROW(1));
    reopen_fails(RF_FATAL);
    expect_said("out.000001.jsonl is not the file");
    sink.adopt = true;
    reopen();
    flush("1");
    record_row(2);
    expect_content("out.000001.jsonl", ROW(1));
    expect_content("out.000002.jsonl", ROW(2));
    sink.adopt = false;
    reopen();
    record_row(3);
    expect_content("out.000002.jsonl", ROW(2) ROW(3));
}

static void test_it_begins_behind_the_segments_that_are_there(void **state)
{
    (void)state;
    put("out.000007.jsonl", "mine\n");
    put("out.jsonl", "half a line, and not ours to end");
    open_sink();
    expect_files("out.000007.jsonl out.000008.jsonl out.jsonl ");
    /* Killed before anything was recorded: the empty one serves. */
    rf_test_sink_close(&sink);
    start();
    record_row(1);
    expect_content("out.000008.jsonl", ROW(1));
    expect_files("out.000007.jsonl out.000008.jsonl out.jsonl ");
    /* An order takes what is there as it is. */
    rf_test_sink_close(&sink);
    rf_buf_reset(&sink.note);
    sink.ordered = true;
    open_sink();
    flush("1");
    expect_files("out.000007.jsonl out.000008.jsonl out.000009.jsonl out.jsonl ");
}

static void test_a_plain_file_is_gone_on_with_until_its_first_rotation(void **state)
{
    (void)state;
    set("rotate", "off");
    start();
    record_row(1);
    write_row(2); /* not recorded */
    struct place plain = here();
    set("rotate_bytes", "30");
    reopen();
    expect_content("out.jsonl", ROW(1));
    /* Older segments, which it does not know, stay, and their numbers are not used again. */
    put("out.000003.jsonl", "mine\n");
    flush("1");
    record_row(2);
    expect_files("out.000003.jsonl out.000004.jsonl out.jsonl ");
    record_row(3);
    expect_content("out.jsonl", ROW(1) ROW(2));
    expect_content("out.000004.jsonl", ROW(3));
    /* The note from before says, too, what came later. */
    go_back(&plain);
    open_sink();
    expect_files("out.000003.jsonl out.jsonl ");
    expect_content("out.jsonl", ROW(1));
    expect_content("out.000003.jsonl", "mine\n");
}

static void test_segments_do_not_become_a_plain_file(void **state)
{
    (void)state;
    start();
    record_row(1);
    set("rotate", "off");
    reopen_fails(RF_CONFIG);
    expect_said("was written in segments");
    assert_non_null(strstr(err.hint, "rotate=on"));
    expect_files("out.000001.jsonl ");
    set("rotate", "on");
    reopen();
    write_row(2);
    record_row(3);
    expect_content("out.000001.jsonl", ROW(1) ROW(2) ROW(3));
}

static void test_an_operator_can_ask_for_the_next_segment(void **state)
{
    (void)state;
    set("rotate", "on");
    atomic_fetch_add(&rotations, 1); /* before it was opened */
    start();
    record_row(1);
    expect_files("out.000001.jsonl ");
    atomic_fetch_add(&rotations, 1);
    atomic_fetch_add(&rotations, 1);
    flush("1");
    expect_files("out.000001.jsonl out.000002.jsonl ");
    atomic_fetch_add(&rotations, 1); /* there is nothing to rotate */
    flush("1");
    record_row(2);
    expect_files("out.000001.jsonl out.000002.jsonl ");
    write_piece(3, true, false);
    atomic_fetch_add(&rotations, 1);
    flush("2"); /* not inside of a transaction, but then */
    expect_files("out.000001.jsonl out.000002.jsonl ");
    write_piece(3, false, true);
    flush("3");
    expect_content("out.000002.jsonl", ROW(2) ROW(3) ROW(3));
    expect_content("out.000003.jsonl", "");
}

static void test_without_rotation_nobody_can(void **state)
{
    (void)state;
    set("rotate", "off");
    open_sink();
    write_row(1);
    atomic_fetch_add(&rotations, 1);
    flush("1");
    expect_files("out.jsonl ");
    /* And the note is what it always was. */
    uint32_t spaces = 0;
    for (size_t i = 0; i < sink.note.size; i++) {
        spaces += sink.note.data[i] == ' ';
    }
    assert_int_equal(spaces, 2);
}

/* Until the condition holds: flushes, at most for 10 s. */
static void flush_until(const char *list)
{
    for (int i = 0; i < 10000 && strcmp(rf_test_files_list(folder), list) != 0; i++) {
        flush("x");
        poll(NULL, 0, 1);
    }
    expect_files(list);
}

static void test_a_segment_is_finished_when_it_is_old(void **state)
{
    (void)state;
    set("rotate_every", "60000");
    start();
    record_row(1);
    expect_files("out.000001.jsonl ");
    /* Its age outlives the process. */
    set("rotate_every", "1");
    reopen();
    flush_until("out.000001.jsonl out.000002.jsonl ");
    /* An empty one has none. */
    poll(NULL, 0, 3);
    flush("1");
    expect_files("out.000001.jsonl out.000002.jsonl ");
    write_row(2);
    flush_until("out.000001.jsonl out.000002.jsonl out.000003.jsonl ");
    expect_content("out.000002.jsonl", ROW(2));
}

static void test_one_writer_at_a_time(void **state)
{
    (void)state;
    struct rf_test_sink second = sink;
    start();
    record_row(1);
    expect_status(rf_test_sink_open(&second, &err), RF_CONFIG);
    expect_said("another process writes to");
    /* Nor from an older note, when the segments between are free. */
    rf_buf_set(&second.note, rf_buf_str(&sink.note));
    record_row(2);
    expect_files("out.000001.jsonl out.000002.jsonl ");
    expect_status(rf_test_sink_open(&second, &err), RF_CONFIG);
    expect_said("another process writes to");
    expect_files("out.000001.jsonl out.000002.jsonl ");
    expect_content("out.000001.jsonl", ROW(1) ROW(2));
    rf_test_sink_deinit(&second);
}

static void test_what_is_no_regular_file_is_not_rotated(void **state)
{
    static const char *const rotate[] = {"rotate", "rotate_bytes", "rotate_every"};
    static const char *const values[] = {"on", "10", "10"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        set(rotate[i], values[i]);
        settings[0].value = "-";
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        assert_string_equal(err.message, "standard output can be neither rotated nor compressed");
        settings[0].value = "/dev/null";
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        assert_string_equal(err.message, "/dev/null is not a regular file: it can be neither "
                                         "rotated nor compressed");
    }
    settings[0].value = path;
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    expect_files("out.jsonl ");
}

static void test_a_damaged_note_is_refused(void **state)
{
    static const char *const notes[] = {"1 2 3 4",        "1 2 3 4 none",   "1 2 3 4 none 5 6",
                                        "1 2 3 4 lzma 5", "1 2 3 4 none x", "1 2 3 -4 none 5",
                                        "1 2 3 4  5",     "1 2 3 4 none 5 "};
    (void)state;
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        rf_buf_set(&sink.note, rf_str_of(notes[i]));
        expect_status(rf_test_sink_open(&sink, &err), RF_FATAL);
        expect_said("damaged");
    }
    expect_files("");
}

int main(void)
{
#define claim(name) cmocka_unit_test_setup_teardown(name, setup, drop_folder)
    const struct CMUnitTest tests[] = {
        claim(test_segments_are_named_before_the_extension),
        claim(test_only_exact_names_are_segments),
        claim(test_a_segment_is_finished_at_the_first_flush_behind_its_size),
        claim(test_a_segment_ends_with_a_transaction),
        claim(test_what_was_not_recorded_is_cut_and_later_segments_are_removed),
        claim(test_finished_segments_may_be_taken_away),
        claim(test_what_is_not_ours_is_never_removed),
        claim(test_a_later_segment_that_was_taken_away_would_come_twice),
        claim(test_a_segment_that_is_gone_or_another_is_refused),
        claim(test_it_begins_behind_the_segments_that_are_there),
        claim(test_a_plain_file_is_gone_on_with_until_its_first_rotation),
        claim(test_segments_do_not_become_a_plain_file),
        claim(test_an_operator_can_ask_for_the_next_segment),
        claim(test_without_rotation_nobody_can),
        claim(test_a_segment_is_finished_when_it_is_old),
        claim(test_one_writer_at_a_time),
        claim(test_what_is_no_regular_file_is_not_rotated),
        claim(test_a_damaged_note_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
