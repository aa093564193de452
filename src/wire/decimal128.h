/* Decimal128 of BSON, to its text.
 *
 * Used by bson_json.c and by what shows a document's field as text. 16 bytes, lowest first, that
 * are one number of 128 bits:
 *
 *   bit 127        sign
 *   bits 113-126   exponent + 6176, unless bits 125 and 126 are both set
 *   bits 0-112     coefficient, below 10^34
 *
 *   bits 122-126   11110 infinity, 11111 not a number
 *
 * A coefficient that is too large, or of the form that only has too large ones (bits 125 and 126
 * set, exponent in bits 111-124), counts as 0, as the standard says. Thread: any.
 *
 * Source: IEEE 754-2008 section 3.5.2, binary encoding; BSON Decimal128 of MongoDB's
 * specifications, "To String Representation". */
#ifndef ROWFERRY_WIRE_DECIMAL128_H
#define ROWFERRY_WIRE_DECIMAL128_H

/* Bytes that a text may have, and that may be written: "-0." or "E-6176" and 34 digits. */
enum { RF_DECIMAL128_TEXT_MAX = 64 };

/* Writes "19.90", "-0", "1.2E+35", "Infinity", "-Infinity" or "NaN", as many digits as the number
 * has. `bytes` are 16. Returns the text's end; adds no NUL. */
char *rf_decimal128_text(char *out, const char *bytes);

#endif
