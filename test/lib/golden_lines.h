/* Files of lines of words, some of which are bytes as hexadecimal digits: what another program has
 * made, for comparison. For tests with cmocka, which they include first. */
#ifndef ROWFERRY_TEST_GOLDEN_LINES_H
#define ROWFERRY_TEST_GOLDEN_LINES_H

#include <rowferry/str.h>

#include <stdio.h>
#include <stdlib.h>

/* Calls `line` for each line of the file, and expects at least one. */
static inline void for_each_line(const char *path, void (*line)(struct rf_str line))
{
    char *text = NULL;
    size_t capacity = 0, count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (ssize_t size; (size = getline(&text, &capacity, file)) > 0; count++) {
        assert_int_equal(text[size - 1], '\n');
        line((struct rf_str){text, (size_t)size - 1});
    }
    assert_true(count > 0);
    free(text);
    fclose(file);
}

/* Takes the next word off the line; what is left is the last one, with its spaces. */
static inline struct rf_str next_word(struct rf_str *line)
{
    struct rf_str word;
    assert_true(rf_str_split(line, ' ', &word));
    return word;
}

/* Replaces what is in out by the bytes; "-" is none. */
static inline struct rf_str bytes_of_hex(struct rf_buf *out, struct rf_str hex)
{
    rf_buf_reset(out);
    rf_buf_reserve(out, 1);
    for (size_t i = 0; i + 1 < hex.size; i += 2) {
        char digits[3] = {hex.data[i], hex.data[i + 1], '\0'};
        rf_buf_add_byte(out, (char)(uint8_t)strtoul(digits, NULL, 16));
    }
    return rf_buf_str(out);
}

/* Expects the bytes that a word says. */
static inline void expect_hex(struct rf_str what, struct rf_str found, struct rf_str hex)
{
    struct rf_buf text = {0};
    for (size_t i = 0; i < found.size; i++) {
        rf_buf_printf(&text, "%02x", (uint8_t)found.data[i]);
    }
    if (found.size == 0) {
        rf_buf_add_byte(&text, '-');
    }
    if (!rf_str_equal(rf_buf_str(&text), hex)) {
        print_message("%.*s\nwanted %.*s\nfound  %.*s\n", RF_STR_ARG(what), RF_STR_ARG(hex),
                      RF_STR_ARG(rf_buf_str(&text)));
    }
    assert_true(rf_str_equal(rf_buf_str(&text), hex));
    rf_buf_deinit(&text);
}

#endif
