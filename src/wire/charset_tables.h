/* What the bytes of the character sets mean, as tables: written by tools/gen-charsets from what a
 * server says, read by charset_text.c alone.
 *
 * A character is one UTF-16 code unit; RF_CHARSET_HOLE stands where there is none.
 *
 *   sets of one byte      rf_charset_high of the set: bytes 0x80 to 0xff; below that they are
 *                         ASCII, but for swe7, which has a table for it and nothing above
 *   sets of two           a row for each first byte from 0x80 on, with the second bytes that it has
 *   ujis, eucjpms         bytes 0x8f: a row for each second byte, with the third ones
 *   gb18030, four bytes   runs: a .. d count as ((a - 0x81) * 10 + b - 0x30) * 1260 +
 *                         (c - 0x81) * 10 + d - 0x30
 *
 * Source: CONVERT(... USING utf8mb4) of MySQL 9.7, to which MariaDB 10.11 agrees. */
#ifndef ROWFERRY_WIRE_CHARSET_TABLES_H
#define ROWFERRY_WIRE_CHARSET_TABLES_H

#include <rowferry/event.h>
#include <uchar.h>

enum { RF_CHARSET_HOLE = 0xfffd, RF_CHARSET_GB18030_RUNS = 209 };

struct rf_charset_row {
    const char16_t *codes; /* NULL: no such first byte */
    uint8_t first;         /* the last byte that codes begins with */
    uint8_t count;
};

/* Numbers that follow each other, as code points do. */
struct rf_charset_run {
    uint32_t number;
    uint32_t code;
    uint32_t count;
};

/* NULL: not a set of one byte, or nothing above 0x7f. */
extern const char16_t *const rf_charset_high[RF_CHARSET_COUNT];
extern const char16_t rf_charset_swe7[128 + 1];

/* By the first byte minus 0x80; those that end in _8f by the second one. */
extern const struct rf_charset_row rf_charset_big5[128], rf_charset_gb2312[128],
    rf_charset_gbk[128], rf_charset_gb18030[128], rf_charset_sjis[128], rf_charset_cp932[128],
    rf_charset_ujis[128], rf_charset_ujis_8f[128], rf_charset_eucjpms[128],
    rf_charset_eucjpms_8f[128], rf_charset_euckr[128];
extern const struct rf_charset_run rf_charset_gb18030_runs[RF_CHARSET_GB18030_RUNS];

#endif
