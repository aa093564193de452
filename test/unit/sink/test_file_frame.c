#include "sink/file_frame.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/file_subject.h"

static const char *const kinds[] = {"gzip", "zstd"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int setup(void **state)
{
    (void)state;
    begin_file("out", "compress", "gzip");
    return 0;
}

/* With another kind, from nothing. */
static void begin(const char *kind)
{
    rf_test_sink_deinit(&sink);
    rf_test_files_remove(folder);
    settings[1].value = kind;
    open_sink();
    flush("0");
}

static void expect_file(const char *expected)
{
    expect_content_of(path, expected);
}

static off_t size_of_file(void)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found.st_size;
}

static void test_the_file_is_whole_after_each_flush(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        begin(kinds[i]);
        assert_int_equal(size_of_file(), 0);
        write_row(1);
        record_row(2);
        expect_file(ROW(1) ROW(2));
        off_t size = size_of_file();
        flush("2"); /* nothing new: nothing is written */
        assert_int_equal(size_of_file(), size);
        record_row(3);
        expect_file(ROW(1) ROW(2) ROW(3));
    }
}

static void test_the_repeated_end_is_cut_where_a_piece_ends(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        begin(kinds[i]);
        record_row(1);
        record_row(2);
        struct rf_buf note = {0};
        rf_buf_set(&note, rf_buf_str(&sink.note));
        record_row(3);
        rf_buf_set(&sink.note, rf_buf_str(&note));
        rf_buf_deinit(&note);
        reopen();
        expect_file(ROW(1) ROW(2));
        /* A torn piece behind it, as a crash leaves it. */
        FILE *file = fopen(path, "ae");
        fputs(i == 0 ? "\x1f\x8b\x08" : "\x28\xb5\x2f\xfd\x04", file);
        fclose(file);
        reopen();
        record_row(3);
        expect_file(ROW(1) ROW(2) ROW(3));
    }
}

static void test_a_flush_inside_a_transaction_can_be_cut_behind_the_last_whole_one(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        begin(kinds[i]);
        write_row(1);
        write_piece(2, true, false);
        flush("1");
        write_piece(2, false, false);
        flush("1");
        expect_file(ROW(1) ROW(2) ROW(2));
        reopen();
        expect_file(ROW(1));
        write_piece(2, true, false);
        write_piece(2, false, true);
        write_row(3);
        write_piece(4, true, false);
        flush("3");
        reopen();
        expect_file(ROW(1) ROW(2) ROW(2) ROW(3));
        /* Its end comes alone, with the next one's beginning, and without. */
        write_piece(4, true, false);
        flush("3");
        expect_status(write_part(4, NULL, NULL, false, true), RF_OK);
        write_piece(5, true, false);
        flush("4");
        reopen();
        expect_file(ROW(1) ROW(2) ROW(2) ROW(3) ROW(4));
        write_piece(5, true, false);
        expect_status(write_part(5, NULL, NULL, false, true), RF_OK);
        flush("5");
        reopen();
        expect_file(ROW(1) ROW(2) ROW(2) ROW(3) ROW(4) ROW(5));
    }
}

static void test_a_refused_row_loses_nothing_of_the_transactions_before_it(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        begin(kinds[i]);
        batch.bytes_max = 1 << 20;
        rf_test_begin(&batch, 1);
        rf_test_create(&batch, table, "1|a");
        rf_test_commit(&batch);
        rf_test_begin(&batch, 2);
        rf_test_create(&batch, table, "2|a");
        rf_test_create(&batch, table, "2|refuse");
        rf_test_commit(&batch);
        expect_status(write_some(0, UINT32_MAX), RF_REJECT);
        rf_batch_deinit(&batch);
        flush("1");
        expect_file(ROW(1) ROW(2));
        reopen();
        expect_file(ROW(1));
    }
}

/* Rows that do not compress, so that much comes out, and each alone is larger than the buffer. */
static void test_rows_larger_than_the_buffer_are_whole(void **state)
{
    static char row[900 * 1024];
    uint64_t random = 88172645463325252u;
    (void)state;
    memcpy(row, "1|", 2);
    for (size_t i = 2; i < sizeof row - 1; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        row[i] = (char)('0' + random % 64);
        row[i] = row[i] == '?' ? 'x' : row[i];
    }
    for (int i = 0; i < KINDS; i++) {
        struct rf_buf expected = {0};
        begin(kinds[i]);
        for (uint64_t number = 1; number <= 3; number++) {
            expect_status(write_part(number, row, NULL, true, number != 3), RF_OK);
            rf_buf_printf(&expected, "0-1-%llu create d.t %s\n", (unsigned long long)number, row);
        }
        flush("2");
        expect_file(rf_buf_cstr(&expected));
        expected.size = expected.size / 3 * 2;
        reopen();
        expect_file(rf_buf_cstr(&expected));
        rf_buf_deinit(&expected);
    }
}

static void test_a_first_start_goes_on_behind_a_whole_file_only(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        begin(kinds[i]);
        record_row(1);
        record_row(2);
        off_t size = size_of_file();
        rf_test_sink_deinit(&sink);
        open_sink();
        record_row(3);
        expect_file(ROW(1) ROW(2) ROW(3));
        rf_test_sink_deinit(&sink);
        assert_int_equal(truncate(path, size - 1), 0);
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        expect_said("/out is not a whole file of ");
        expect_said(kinds[i]);
        assert_int_equal(size_of_file(), size - 1);
        put_content(path, "plain text\n");
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
    }
}

static void test_a_check_of_every_torn_length_says_so(void **state)
{
    atomic_bool interrupted = false;
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        enum rf_file_kind kind;
        assert_true(rf_file_kind_of(rf_str_of(kinds[i]), &kind));
        off_t ends[4] = {0};
        begin(kinds[i]);
        for (uint64_t number = 1; number <= 3; number++) {
            write_row(number);
            flush("x");
            ends[number] = size_of_file();
        }
        rf_test_sink_close(&sink);
        for (off_t size = ends[3]; size >= 0; size--) {
            bool whole = false;
            bool expected =
                size == ends[0] || size == ends[1] || size == ends[2] || size == ends[3];
            assert_int_equal(truncate(path, size), 0);
            expect_status(rf_file_frame_check(path, kind, &interrupted, &whole, &err), RF_OK);
            if (whole != expected) {
                fail_msg("%s: %lld of %lld bytes: %d", kinds[i], (long long)size,
                         (long long)ends[3], whole);
            }
        }
        atomic_store(&interrupted, true);
        bool whole;
        put_content(path, "x");
        expect_status(rf_file_frame_check(path, kind, &interrupted, &whole, &err), RF_RETRY);
        atomic_store(&interrupted, false);
    }
}

static void test_one_file_is_of_one_kind(void **state)
{
    static const char *const all[] = {"none", "gzip", "zstd"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            begin(all[i]);
            record_row(1);
            rf_test_sink_close(&sink);
            settings[1].value = all[j];
            expect_status(rf_test_sink_open(&sink, &err), i == j ? RF_OK : RF_CONFIG);
            if (i != j) {
                char expected[200];
                snprintf(expected, sizeof expected,
                         "%s was written with compress=%s, which is now "
                         "%s",
                         path, all[i], all[j]);
                assert_string_equal(err.message, expected);
                expect_file(ROW(1));
            }
        }
    }
}

static void test_segments_are_compressed_too(void **state)
{
    (void)state;
    settings[2] = (struct rf_test_setting){"rotate_bytes", "1"};
    for (int i = 0; i < KINDS; i++) {
        struct rf_buf content = {0};
        begin(kinds[i]);
        write_row(1);
        record_row(2);
        record_row(3);
        write_row(4);
        reopen();
        assert_string_equal(rf_test_files_list(folder), "out.000001 out.000002 out.000003 ");
        assert_true(rf_test_files_read(folder, &content));
        assert_string_equal(rf_buf_cstr(&content), ROW(1) ROW(2) ROW(3));
        rf_buf_deinit(&content);
    }
}

static void test_levels_that_do_not_exist_are_refused(void **state)
{
    static const struct {
        const char *kind, *level;
        enum rf_status status;
    } cases[] = {
        {"none", "1", RF_CONFIG}, {"gzip", "10", RF_CONFIG}, {"gzip", "9", RF_OK},
        {"gzip", "1", RF_OK},     {"zstd", "19", RF_OK},     {"zstd", "1", RF_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rf_test_sink_deinit(&sink);
        rf_test_files_remove(folder);
        settings[1].value = cases[i].kind;
        settings[2] = (struct rf_test_setting){"compress_level", cases[i].level};
        expect_status(rf_test_sink_open(&sink, &err), cases[i].status);
        if (cases[i].status == RF_OK) {
            record_row(1);
            expect_file(ROW(1));
        } else {
            expect_said("does not go with compress=");
        }
    }
}

static void test_what_is_no_regular_file_is_not_compressed(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        settings[1].value = kinds[i];
        settings[0].value = "-";
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        expect_said("standard output");
        settings[0].value = "/dev/null";
        expect_status(rf_test_sink_open(&sink, &err), RF_CONFIG);
        expect_said("/dev/null is not a regular file");
        assert_non_null(strstr(err.hint, "compress"));
    }
}

int main(void)
{
#define claim(name) cmocka_unit_test_setup_teardown(name, setup, drop_folder)
    const struct CMUnitTest tests[] = {
        claim(test_the_file_is_whole_after_each_flush),
        claim(test_the_repeated_end_is_cut_where_a_piece_ends),
        claim(test_a_flush_inside_a_transaction_can_be_cut_behind_the_last_whole_one),
        claim(test_a_refused_row_loses_nothing_of_the_transactions_before_it),
        claim(test_rows_larger_than_the_buffer_are_whole),
        claim(test_a_first_start_goes_on_behind_a_whole_file_only),
        claim(test_a_check_of_every_torn_length_says_so),
        claim(test_one_file_is_of_one_kind),
        claim(test_segments_are_compressed_too),
        claim(test_levels_that_do_not_exist_are_refused),
        claim(test_what_is_no_regular_file_is_not_compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
