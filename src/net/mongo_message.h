/* What a server of the MongoDB protocol sends, looked at before libmongoc reads it: that trusts the
 * lengths in a message, and reads beyond its end where they lie.
 *
 *   offset size
 *        0    4  length of the message, these 16 bytes included
 *        4    4  its number
 *        8    4  number of the message that it answers
 *       12    4  what it is: 1 OP_REPLY, 2013 OP_MSG
 *
 *   OP_MSG: flags (4), 0 (1), one document; with flag 1 a checksum (4) behind it
 *   OP_REPLY: flags (4), cursor (8), first (4), count (4), so many documents
 *
 * Compression is never asked for, nor are answers without a request. All numbers little-endian.
 *
 * Source: MongoDB Manual, "MongoDB Wire Protocol". */
#ifndef ROWFERRY_NET_MONGO_MESSAGE_H
#define ROWFERRY_NET_MONGO_MESSAGE_H

#include <rowferry/str.h>

enum {
    RF_MONGO_MESSAGE_HEADER = 16,
    RF_MONGO_MESSAGE_ANSWERS = 8,    /* where the number of what is answered lies */
    RF_MONGO_MESSAGE_MAX = 64 << 20, /* more than any server's maxMessageSizeBytes */
};

/* One of its numbers. */
int32_t rf_mongo_message_i32(const char *data);
/* The length of the message that begins there; 0: fewer bytes are there than a header has; -1: no
 * message begins so. */
int64_t rf_mongo_message_size(struct rf_str data);
/* True when it is a whole answer, every length in it right, its documents not deeper than any that
 * MongoDB has. */
bool rf_mongo_message_is_sound(struct rf_str message);

#endif
