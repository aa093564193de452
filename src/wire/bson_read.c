#include "wire/bson_read.h"

#include "base/load.h"

static int32_t size_at(const char *at)
{
    return (int32_t)rf_load_32(at);
}

/* ---------------------------------------------------------------------------------------- check */

static bool take(struct rf_str *rest, size_t size)
{
    if (size > rest->size) {
        return false;
    }
    rest->data += size;
    rest->size -= size;
    return true;
}

/* Text that ends with a 0. */
static bool take_name(struct rf_str *rest)
{
    const char *end = rest->size > 0 ? memchr(rest->data, '\0', rest->size) : NULL;
    return end != NULL && take(rest, (size_t)(end - rest->data) + 1);
}

/* A length and so many bytes, of which the last one is a 0. */
static bool take_text(struct rf_str *rest)
{
    int32_t size = rest->size >= 4 ? size_at(rest->data) : 0;
    return size > 0 && take(rest, 4) && take(rest, (size_t)size) && rest->data[-1] == '\0';
}

static bool take_bytes(struct rf_str *rest)
{
    enum { OLD_SUBTYPE = 2 }; /* it has its length once more inside */
    int32_t size = rest->size >= 5 ? size_at(rest->data) : -1;
    if (size < 0 || (rest->data[4] == OLD_SUBTYPE &&
                     (size < 4 || rest->size < 9 || size_at(rest->data + 5) != size - 4))) {
        return false;
    }
    return take(rest, 5) && take(rest, (size_t)size);
}

static bool take_document(struct rf_str *rest, unsigned depth);

static bool take_code(struct rf_str *rest, unsigned depth)
{
    int32_t size = rest->size >= 4 ? size_at(rest->data) : 0;
    struct rf_str inside = *rest;
    if (size < 4 || !take(rest, (size_t)size)) {
        return false;
    }
    inside.size = (size_t)size;
    return take(&inside, 4) && take_text(&inside) && take_document(&inside, depth) &&
           inside.size == 0;
}

static bool take_value(struct rf_str *rest, unsigned char type, unsigned depth)
{
    switch ((enum rf_bson_type)type) {
    case RF_BSON_UNDEFINED:
    case RF_BSON_NULL:
    case RF_BSON_MAXKEY:
    case RF_BSON_MINKEY: return true;
    case RF_BSON_BOOL: return take(rest, 1) && (unsigned char)rest->data[-1] <= 1;
    case RF_BSON_INT32: return take(rest, 4);
    case RF_BSON_DOUBLE:
    case RF_BSON_DATE:
    case RF_BSON_TIMESTAMP:
    case RF_BSON_INT64: return take(rest, 8);
    case RF_BSON_OBJECT_ID: return take(rest, 12);
    case RF_BSON_DECIMAL128: return take(rest, 16);
    case RF_BSON_UTF8:
    case RF_BSON_CODE:
    case RF_BSON_SYMBOL: return take_text(rest);
    case RF_BSON_POINTER: return take_text(rest) && take(rest, 12);
    case RF_BSON_REGEX: return take_name(rest) && take_name(rest);
    case RF_BSON_BINARY: return take_bytes(rest);
    case RF_BSON_DOCUMENT:
    case RF_BSON_ARRAY: return take_document(rest, depth + 1);
    case RF_BSON_SCOPED_CODE: return take_code(rest, depth + 1);
    }
    return false;
}

/* Takes a document off the front, which is looked at in all its depth. */
static bool take_document(struct rf_str *rest, unsigned depth)
{
    int32_t size = rest->size >= 5 ? size_at(rest->data) : 0;
    struct rf_str inside = *rest;
    if (size < 5 || depth > RF_BSON_DEPTH_MAX || !take(rest, (size_t)size) ||
        rest->data[-1] != '\0') {
        return false;
    }
    inside.data += 4;
    inside.size = (size_t)size - 5;
    while (inside.size > 0) {
        unsigned char type = (unsigned char)inside.data[0];
        if (!take(&inside, 1) || !take_name(&inside) || !take_value(&inside, type, depth)) {
            return false;
        }
    }
    return true;
}

bool rf_bson_take(struct rf_str bytes, size_t *size)
{
    struct rf_str rest = bytes;
    bool sound = take_document(&rest, 0);
    *size = sound ? bytes.size - rest.size : 0;
    return sound;
}

bool rf_bson_is_sound(struct rf_str bytes)
{
    size_t size = 0;
    return rf_bson_take(bytes, &size) && size == bytes.size;
}

/* ----------------------------------------------------------------------------------------- walk */

struct rf_bson_walk rf_bson_walk(struct rf_str document)
{
    rf_assert(document.size >= 5);
    return (struct rf_bson_walk){document.data + 4};
}

/* How long the value of a sound element is. */
static size_t value_size(uint8_t type, const char *at)
{
    switch ((enum rf_bson_type)type) {
    case RF_BSON_UNDEFINED:
    case RF_BSON_NULL:
    case RF_BSON_MAXKEY:
    case RF_BSON_MINKEY: return 0;
    case RF_BSON_BOOL: return 1;
    case RF_BSON_INT32: return 4;
    case RF_BSON_DOUBLE:
    case RF_BSON_DATE:
    case RF_BSON_TIMESTAMP:
    case RF_BSON_INT64: return 8;
    case RF_BSON_OBJECT_ID: return 12;
    case RF_BSON_DECIMAL128: return 16;
    case RF_BSON_UTF8:
    case RF_BSON_CODE:
    case RF_BSON_SYMBOL: return (size_t)size_at(at) + 4;
    case RF_BSON_POINTER: return (size_t)size_at(at) + 4 + 12;
    case RF_BSON_BINARY: return (size_t)size_at(at) + 5;
    case RF_BSON_DOCUMENT:
    case RF_BSON_ARRAY:
    case RF_BSON_SCOPED_CODE: return (size_t)size_at(at);
    case RF_BSON_REGEX: {
        size_t pattern = strlen(at) + 1;
        return pattern + strlen(at + pattern) + 1;
    }
    }
    rf_assert(false && "a document that was checked");
    return 0;
}

bool rf_bson_next(struct rf_bson_walk *walk, struct rf_bson_element *element)
{
    if (*walk->at == '\0') {
        return false;
    }
    element->type = (uint8_t)*walk->at;
    element->name = rf_str_of(walk->at + 1);
    const char *value = walk->at + 1 + element->name.size + 1;
    element->value = (struct rf_str){value, value_size(element->type, value)};
    walk->at = value + element->value.size;
    return true;
}

bool rf_bson_find(struct rf_str document, struct rf_str name, struct rf_bson_element *element)
{
    struct rf_bson_walk walk = rf_bson_walk(document);
    while (rf_bson_next(&walk, element)) {
        if (rf_str_equal(element->name, name)) {
            return true;
        }
    }
    *element = (struct rf_bson_element){0};
    return false;
}

/* --------------------------------------------------------------------------------------- values */

struct rf_str rf_bson_text(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_UTF8 || element->type == RF_BSON_CODE ||
              element->type == RF_BSON_SYMBOL);
    return (struct rf_str){element->value.data + 4, element->value.size - 5};
}

struct rf_str rf_bson_document(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_DOCUMENT || element->type == RF_BSON_ARRAY);
    return element->value;
}

int32_t rf_bson_int32(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_INT32);
    return (int32_t)rf_load_32(element->value.data);
}

int64_t rf_bson_int64(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_INT64 || element->type == RF_BSON_DATE);
    return (int64_t)rf_load_64(element->value.data);
}

double rf_bson_double(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_DOUBLE);
    uint64_t bits = rf_load_64(element->value.data);
    double number = 0;
    memcpy(&number, &bits, sizeof number);
    return number;
}

bool rf_bson_bool(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_BOOL);
    return element->value.data[0] != 0;
}

uint32_t rf_bson_seconds(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_TIMESTAMP);
    return rf_load_32(element->value.data + 4);
}

uint32_t rf_bson_increment(const struct rf_bson_element *element)
{
    rf_assert(element->type == RF_BSON_TIMESTAMP);
    return rf_load_32(element->value.data);
}
