#include "net/mongo_message.h"

#include "wire/bson_read.h"

enum {
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

bool rf_mongo_message_is_sound(struct rf_str message)
{
    enum { MSG_HEADER = RF_MONGO_MESSAGE_HEADER + 4 + 1 };
    bool reply = rf_mongo_message_i32(message.data + CODE_AT) == OP_REPLY;
    size_t header = reply ? REPLY_HEADER : MSG_HEADER;
    if (message.size < header) {
        return false;
    }
    struct rf_str rest = {message.data + header, message.size - header};
    size_t size = 0;
    if (!reply) {
        size_t behind =
            (uint32_t)rf_mongo_message_i32(message.data + RF_MONGO_MESSAGE_HEADER) & FLAG_CHECKSUM
                ? 4
                : 0;
        return rest.data[-1] == 0 && rf_bson_take(rest, &size) && rest.size - size == behind;
    }
    int32_t count = rf_mongo_message_i32(message.data + REPLY_COUNT_AT);
    for (int32_t i = 0; i < count; i++) {
        if (!rf_bson_take(rest, &size)) {
            return false;
        }
        rest = (struct rf_str){rest.data + size, rest.size - size};
    }
    return count >= 0 && rest.size == 0;
}
