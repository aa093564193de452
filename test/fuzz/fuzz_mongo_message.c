/* Answers of a MongoDB server. What is called sound can be read by one who trusts its lengths. */
#include "net/mongo_message.h"

#include <bson/bson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OP_REPLY = 1, CODE_AT = 12, MSG_DOCUMENT = 21, REPLY_DOCUMENTS = 36 };

/* As a client that does not look twice. */
static void read_documents(const char *at, const char *end)
{
    while (end - at > 4) { /* a checksum is no document */
        bson_t document;
        int32_t size = rf_mongo_message_i32(at);
        rf_assert(size >= 5 && size <= end - at);
        rf_assert(bson_init_static(&document, (const uint8_t *)at, (size_t)size));
        char *json = bson_as_canonical_extended_json(&document, NULL);
        bson_free(json); /* NULL for text that is no UTF-8 */
        at += size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_str text = {(const char *)data, size};
    int64_t message = rf_mongo_message_size(text);
    rf_assert(message >= -1 && message <= RF_MONGO_MESSAGE_MAX);
    rf_assert(message != 0 || size < RF_MONGO_MESSAGE_HEADER);
    if (message > 0 && (size_t)message <= size) {
        text.size = (size_t)message;
        if (rf_mongo_message_is_sound(text)) {
            bool reply = rf_mongo_message_i32(text.data + CODE_AT) == OP_REPLY;
            read_documents(text.data + (reply ? REPLY_DOCUMENTS : MSG_DOCUMENT),
                           text.data + text.size);
        }
    }
    return 0;
}
