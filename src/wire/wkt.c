#include "wire/wkt.h"

#include "event/floating.h"

#include <endian.h>
#include <math.h>

enum { DEPTH_MAX = 32 };

enum wkb_type {
    WKB_POINT = 1,
    WKB_LINESTRING,
    WKB_POLYGON,
    WKB_MULTIPOINT,
    WKB_MULTILINESTRING,
    WKB_MULTIPOLYGON,
    WKB_COLLECTION,
};

static const char *const names[] = {
    [WKB_POINT] = "POINT",
    [WKB_LINESTRING] = "LINESTRING",
    [WKB_POLYGON] = "POLYGON",
    [WKB_MULTIPOINT] = "MULTIPOINT",
    [WKB_MULTILINESTRING] = "MULTILINESTRING",
    [WKB_MULTIPOLYGON] = "MULTIPOLYGON",
    [WKB_COLLECTION] = "GEOMETRYCOLLECTION",
};

/* What is left to read, and whether all was well so far. */
struct reader {
    struct rf_buf *out;
    const char *at;
    size_t left;
    bool little;
    bool bad;
};

static const char *take(struct reader *reader, size_t size)
{
    const char *at = reader->at;
    if (reader->bad || reader->left < size) {
        reader->bad = true;
        return NULL;
    }
    reader->at += size;
    reader->left -= size;
    return at;
}

static uint32_t take_count(struct reader *reader)
{
    uint32_t number = 0;
    const char *at = take(reader, sizeof number);
    if (at != NULL) {
        memcpy(&number, at, sizeof number);
        number = reader->little ? le32toh(number) : be32toh(number);
    }
    return number;
}

static void put(struct reader *reader, const char *text)
{
    rf_buf_add(reader->out, text, strlen(text));
}

static void coordinate(struct reader *reader)
{
    uint64_t bits;
    double number;
    const char *at = take(reader, sizeof bits);
    if (at == NULL) {
        return;
    }
    memcpy(&bits, at, sizeof bits);
    bits = reader->little ? le64toh(bits) : be64toh(bits);
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number)) {
        reader->bad = true;
        return;
    }
    char *to = rf_buf_reserve(reader->out, RF_FLOATING_MAX);
    reader->out->size = (size_t)(rf_floating_double(to, number) - reader->out->data);
}

static void point(struct reader *reader)
{
    coordinate(reader);
    put(reader, " ");
    coordinate(reader);
}

/* "(0 0, 1 1)". A count that the bytes cannot hold ends at the first item that is missing. */
static void list(struct reader *reader, void (*item)(struct reader *))
{
    uint32_t count = take_count(reader);
    put(reader, count == 0 ? "EMPTY" : "(");
    for (uint32_t i = 0; i < count && !reader->bad; i++) {
        put(reader, i > 0 ? ", " : "");
        item(reader);
    }
    put(reader, count == 0 ? "" : ")");
}

static void line(struct reader *reader)
{
    list(reader, point);
}

static void polygon(struct reader *reader)
{
    list(reader, line);
}

static uint32_t take_type(struct reader *reader)
{
    const char *order = take(reader, 1);
    if (order == NULL) {
        return 0;
    }
    reader->little = *order != 0;
    return take_count(reader);
}

static void geometry(struct reader *reader, uint32_t wanted, unsigned depth);

/* Whole geometries; those of one kind do not repeat its name. */
static void several(struct reader *reader, uint32_t wanted, unsigned depth)
{
    uint32_t count = take_count(reader);
    put(reader, count == 0 ? "EMPTY" : "(");
    for (uint32_t i = 0; i < count && !reader->bad; i++) {
        put(reader, i > 0 ? ", " : "");
        geometry(reader, wanted, depth + 1);
    }
    put(reader, count == 0 ? "" : ")");
}

/* wanted: it must be of this type, whose name is known already; 0: any. */
static void geometry(struct reader *reader, uint32_t wanted, unsigned depth)
{
    uint32_t type = take_type(reader);
    if (reader->bad || type < WKB_POINT || type > WKB_COLLECTION || depth > DEPTH_MAX ||
        (wanted != 0 && wanted != type)) {
        reader->bad = true;
        return;
    }
    if (wanted == 0) {
        put(reader, names[type]);
        put(reader, " ");
    }
    switch ((enum wkb_type)type) {
    case WKB_POINT:
        put(reader, "(");
        point(reader);
        put(reader, ")");
        break;
    case WKB_LINESTRING: line(reader); break;
    case WKB_POLYGON: polygon(reader); break;
    case WKB_MULTIPOINT: several(reader, WKB_POINT, depth); break;
    case WKB_MULTILINESTRING: several(reader, WKB_LINESTRING, depth); break;
    case WKB_MULTIPOLYGON: several(reader, WKB_POLYGON, depth); break;
    case WKB_COLLECTION: several(reader, 0, depth); break;
    }
}

bool rf_wkt_add(struct rf_buf *out, struct rf_str wkb)
{
    struct reader reader = {.out = out, .at = wkb.data, .left = wkb.size};
    const size_t start = out->size;
    geometry(&reader, 0, 0);
    if (reader.bad || reader.left > 0) {
        out->size = start;
        return false;
    }
    return true;
}
