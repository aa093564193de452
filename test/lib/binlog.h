/* Logs for tests: reading a whole one, and making events of one's own. */
#ifndef ROWFERRY_TEST_LIB_BINLOG_H
#define ROWFERRY_TEST_LIB_BINLOG_H

#include <rowferry/event.h>

/* Walks the bytes of a log file through wire/, as a source would, and says what it saw: for the
 * golden files, where a person reads the text, and for fuzzing, which has every decoder and the
 * JSON emitter behind one input so.
 *
 * Appends one line per event, and one per table definition and row, until the end or the first
 * error. Column definitions are shown when a table is seen first, or has changed. Returns RF_OK,
 * or the error with the event's offset in front. */
enum rf_status test_binlog_print(struct rf_str file, struct rf_buf *out, struct rf_error *err);

/* Computes the checksums of a log file anew, as far as its headers lead, so that a changed byte
 * reaches the decoders. */
void test_binlog_repair(char *file, size_t size);

/* Appends a number as `size` bytes, lowest first. */
void test_put(struct rf_buf *out, uint64_t number, size_t size);
/* Appends the protocol's packed integer. */
void test_put_packed(struct rf_buf *out, uint64_t number);
/* Appends bytes written as hex digits with blanks: "01 ff". */
void test_put_hex(struct rf_buf *out, const char *hex);

/* A column of a TABLE_MAP to be made. */
struct test_column {
    const char *name;
    uint8_t type;      /* of the log, e.g. 3 for INT, 254 for CHAR */
    uint16_t metadata; /* as its bytes stand, the first one lowest */
    bool is_unsigned;
    uint16_t collation;  /* of character columns, ENUM and SET */
    const char *members; /* of ENUM and SET, separated by commas; in the column's character set */
    bool key;
};
/* Appends the body of a TABLE_MAP of table shop.items, id 7, with full metadata; the columns end
 * with a nameless one. Every column may be NULL. */
void test_put_table(struct rf_buf *out, const struct test_column *columns);
/* Appends the body of a rows event of it up to the images: `type` 23 to 25, 30 to 32
 * or 39. */
void test_put_rows(struct rf_buf *out, unsigned type, uint32_t column_count);

#endif
