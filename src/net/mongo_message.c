#include "net/mongo_message.h"

enum {
    DEPTH_MAX = 200, /* MongoDB takes 100, and sends back 180 at most */

    OP_REPLY = 1,
    OP_MSG = 2013,
    CODE_AT = 12,
    FLAG_CHECKSUM = 1,
    REPLY_HEADER = 36,
    REPLY_COUNT_AT = 32,
};

int32_t rf_mongo_message_i32(const char *data)
{
    const unsigned char *at = (const unsigned char *)data;
    return (int32_t)(at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
}

int64_t rf_mongo_message_size(struct rf_str data)
{
    if (data.size >= 4) {
        int32_t size = rf_mongo_message_i32(data.data);
        if (size < RF_MONGO_MESSAGE_HEADER || size > RF_MONGO_MESSAGE_MAX) {
            return -1;
        }
    }
    if (data.size < RF_MONGO_MESSAGE_HEADER) {
        return 0;
    }
    int32_t code = rf_mongo_message_i32(data.data + CODE_AT);
    return code == OP_MSG || code == OP_REPLY ? rf_mongo_message_i32(data.data) : -1;
}

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
    int32_t size = rest->size >= 4 ? rf_mongo_message_i32(rest->data) : 0;
    return size > 0 && take(rest, 4) && take(rest, (size_t)size) && rest->data[-1] == '\0';
}

static bool take_bytes(struct rf_str *rest)
{
    enum { OLD_SUBTYPE = 2 }; /* it has its length once more inside */
    int32_t size = rest->size >= 5 ? rf_mongo_message_i32(rest->data) : -1;
    if (size < 0 || (rest->data[4] == OLD_SUBTYPE && size < 4)) {
        return false;
    }
    return take(rest, 5) && take(rest, (size_t)size);
}

static bool take_document(struct rf_str *rest, unsigned depth);

static bool take_code(struct rf_str *rest, unsigned depth)
{
    int32_t size = rest->size >= 4 ? rf_mongo_message_i32(rest->data) : 0;
    struct rf_str inside = *rest;
    if (size < 4 || !take(rest, (size_t)size)) {
        return false;
    }
    inside.size = (size_t)size;
    return take(&inside, 4) && take_text(&inside) && take_document(&inside, depth) &&
           inside.size == 0;
}

/* Source: bsonspec.org, version 1.1. */
static bool take_value(struct rf_str *rest, unsigned char type, unsigned depth)
{
    switch (type) {
    case 0x06: /* undefined */
    case 0x0A: /* null */
    case 0x7F: /* largest key */
    case 0xFF: /* smallest key */ return true;
    case 0x08: /* boolean */ return take(rest, 1) && (unsigned char)rest->data[-1] <= 1;
    case 0x10: /* int32 */ return take(rest, 4);
    case 0x01: /* double */
    case 0x09: /* date */
    case 0x11: /* timestamp */
    case 0x12: /* int64 */ return take(rest, 8);
    case 0x07: /* object id */ return take(rest, 12);
    case 0x13: /* decimal128 */ return take(rest, 16);
    case 0x02: /* string */
    case 0x0D: /* code */
    case 0x0E: /* symbol */ return take_text(rest);
    case 0x0C: /* pointer */ return take_text(rest) && take(rest, 12);
    case 0x0B: /* regular expression */ return take_name(rest) && take_name(rest);
    case 0x05: /* binary */ return take_bytes(rest);
    case 0x03: /* document */
    case 0x04: /* array */ return take_document(rest, depth + 1);
    case 0x0F: /* code with scope */ return take_code(rest, depth + 1);
    default: return false;
    }
}

/* Takes a document off the front, which is looked at in all its depth. */
static bool take_document(struct rf_str *rest, unsigned depth)
{
    int32_t size = rest->size >= 5 ? rf_mongo_message_i32(rest->data) : 0;
    struct rf_str inside = *rest;
    if (size < 5 || depth > DEPTH_MAX || !take(rest, (size_t)size) || rest->data[-1] != '\0') {
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

bool rf_mongo_message_is_sound(struct rf_str message)
{
    enum { MSG_HEADER = RF_MONGO_MESSAGE_HEADER + 4 + 1 };
    bool reply = rf_mongo_message_i32(message.data + CODE_AT) == OP_REPLY;
    size_t header = reply ? REPLY_HEADER : MSG_HEADER;
    if (message.size < header) {
        return false;
    }
    struct rf_str rest = {message.data + header, message.size - header};
    if (!reply) {
        size_t behind =
            (uint32_t)rf_mongo_message_i32(message.data + RF_MONGO_MESSAGE_HEADER) & FLAG_CHECKSUM
                ? 4
                : 0;
        return rest.data[-1] == 0 && take_document(&rest, 0) && rest.size == behind;
    }
    int32_t count = rf_mongo_message_i32(message.data + REPLY_COUNT_AT);
    for (int32_t i = 0; i < count; i++) {
        if (!take_document(&rest, 0)) {
            return false;
        }
    }
    return count >= 0 && rest.size == 0;
}
