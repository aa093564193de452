/* MariaDB's UUID, INET4 and INET6 as the server shows them.
 *
 * Used by rows.c for columns that a definition says are of these types: to the log they are
 * BINARY(16), (4) and (16).
 *
 *   UUID    16 bytes in the order of their text: 8, 4, 4, 4 and 12 digits of base 16
 *   INET4    4 bytes, highest first: "1.2.3.4"
 *   INET6   16 bytes, highest first: eight groups of four digits of base 16, without zeros in
 *           front; the first of the longest runs of zero groups is "::". Where that leaves ::, or
 *           ::ffff, and four bytes, these are written as INET4
 *
 * Each function writes into the caller's memory, adds no NUL and returns the text's end. Any
 * thread.
 *
 * Source: RFC 9562, section 4; RFC 4291, section 2.2; MariaDB Knowledge Base, "UUID Data Type",
 * "INET4", "INET6"; measured: unlike RFC 5952, a run of one group is shortened, too. */
#ifndef ROWFERRY_WIRE_ADDRESS_H
#define ROWFERRY_WIRE_ADDRESS_H

#include <stdint.h>

enum {
    RF_UUID_SIZE = 16,
    RF_INET4_SIZE = 4,
    RF_INET6_SIZE = 16,
    RF_UUID_TEXT = 36,
    RF_INET4_TEXT_MAX = 15,
    RF_INET6_TEXT_MAX = 39,
};

char *rf_uuid_text(char *out, const uint8_t *bytes);
char *rf_inet4_text(char *out, const uint8_t *bytes);
char *rf_inet6_text(char *out, const uint8_t *bytes);

#endif
