/* The sink `file` under test, in a folder of its own. For tests with cmocka, as sink_subject.h. */
#ifndef ROWFERRY_TEST_FILE_SUBJECT_H
#define ROWFERRY_TEST_FILE_SUBJECT_H

#include "lib/files.h"
#include "lib/format.h"
#include "lib/sink_subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern const struct rf_sink_type rf_sink_file;

static char folder[64], path[128];
static struct rf_table *table; /* d.t: id, x */

/* What write_row and write_piece leave in the file: 21 bytes, as long as n has one digit. */
#define ROW(n) "0-1-" #n " create d.t " #n "|a\n"

/* An empty folder, and a closed sink for the file of this name in it, with one more setting or
 * NULL. */
static inline void begin_file(const char *name, const char *setting, const char *value)
{
    snprintf(folder, sizeof folder, "/tmp/rowferry-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const struct rf_test_setting given[] = {{"path", path}, {setting, value}, {NULL, NULL}};
    begin_sink(&rf_sink_file, given, 1 << 20);
    sink.format = &rf_test_format;
    table = rf_test_table("d", "t", "id:int! x:text");
}

/* All but the folder. */
static inline void end_file(void)
{
    end_sink();
    rf_table_release(table);
}

/* All, whatever is in the folder. */
static inline int drop_folder(void **state)
{
    (void)state;
    end_file();
    rf_test_files_remove(folder);
    return rmdir(folder);
}

/* The file's content, uncompressed. */
static inline void expect_content_of(const char *one, const char *expected)
{
    struct rf_buf content = {0};
    assert_true(rf_test_file_read(one, &content));
    assert_string_equal(rf_buf_cstr(&content), expected);
    rf_buf_deinit(&content);
}

static inline void put_content(const char *one, const char *content)
{
    FILE *file = fopen(one, "we");
    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

/* A transaction with these rows, or a piece of one; a row may be NULL. */
static inline enum rf_status write_part(uint64_t number, const char *row1, const char *row2,
                                        bool begins, bool ends)
{
    batch.bytes_max = 1 << 20;
    if (begins) {
        rf_test_begin(&batch, number);
    } else {
        rf_test_resume(&batch, number);
    }
    if (row1 != NULL) {
        rf_test_create(&batch, table, row1);
    }
    if (row2 != NULL) {
        rf_test_create(&batch, table, row2);
    }
    if (ends) {
        rf_test_commit(&batch);
    }
    enum rf_status status = write_some(0, UINT32_MAX);
    rf_batch_deinit(&batch);
    return status;
}

/* A transaction of one row; or a piece of one. */
static inline void write_piece(uint64_t number, bool begins, bool ends)
{
    char row[32];
    snprintf(row, sizeof row, "%llu|a", (unsigned long long)number);
    expect_status(write_part(number, row, NULL, begins, ends), RF_OK);
}

static inline void write_row(uint64_t number)
{
    write_piece(number, true, true);
}

/* A row that is recorded, under its number. */
static inline void record_row(uint64_t number)
{
    char position[24];
    snprintf(position, sizeof position, "%llu", (unsigned long long)number);
    write_row(number);
    flush(position);
}

#endif
