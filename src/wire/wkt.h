/* Geometries as text: well-known binary to well-known text.
 *
 * Used by formats that write geometries as people do: "POINT (1 2)",
 * "POLYGON ((0 0, 4 0, 4 4, 0 0))", "GEOMETRYCOLLECTION (POINT (1 2))", "MULTIPOINT EMPTY". Two
 * dimensions, which is what MySQL and MariaDB have. Thread: the buffer's owner.
 *
 *   offset size
 *        0    1  order of bytes of what follows: 0 highest first, 1 lowest first
 *        1    4  type: 1 point, 2 line, 3 polygon, 4 to 6 several of these, 7 collection
 *        5    .  point: x and y as doubles; line: count (4), then points; polygon: count of rings
 *                (4), each a line; the others: count (4), then whole geometries
 *
 * Source: OGC 06-103r4 (Simple Feature Access, part 1), clauses 7 and 8. */
#ifndef ROWFERRY_WIRE_WKT_H
#define ROWFERRY_WIRE_WKT_H

#include <rowferry/str.h>

/* Appends the text, without quotes. False: it is damaged, of a type that is not known, nested too
 * deeply, or has a coordinate that is no finite number; nothing was appended. */
RF_USE_RESULT bool rf_wkt_add(struct rf_buf *out, struct rf_str wkb);

#endif
