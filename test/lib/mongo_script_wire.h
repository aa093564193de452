/* The messages of the MongoDB protocol, as a server sees them: bytes to a command, an answer to
 * bytes.
 *
 * Used by the scripted server (lib/mongo_script.h) alone. No I/O, no state.
 *
 * Every message has a header of four numbers, little-endian, of 32 bits each:
 *
 *      0  length of the message with this header
 *      4  its id, chosen by who sends it
 *      8  id of the message that it answers, or 0
 *     12  kind: 2013 OP_MSG; 2004 OP_QUERY and 1 OP_REPLY (the first words of older clients)
 *
 * OP_MSG goes on at 16 with flags (bit 0: a checksum of 4 bytes at the end; bit 1: no answer is
 * wanted), then sections: a byte 0 and a document, exactly once; a byte 1, a length with itself, a
 * name that ends with a NUL, documents. OP_QUERY: flags, the name "DATABASE.$cmd", numbers to skip
 * and to return, a document. OP_REPLY: flags, a cursor of 64 bits, where it starts, how many
 * documents, these.
 *
 * Source: MongoDB manual, "MongoDB Wire Protocol". */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_WIRE_H
#define ROWFERRY_TEST_MONGO_SCRIPT_WIRE_H

#include <bson/bson.h>
#include <rowferry/str.h>

enum {
    RF_MONGO_SCRIPT_HEADER = 16,
    RF_MONGO_SCRIPT_MESSAGE_MAX = 48000000, /* as the server says in its hello */
};

/* What a client asked for. */
struct rf_mongo_script_request {
    int32_t id;
    bool query;     /* came as OP_QUERY, and is answered by OP_REPLY */
    bool quiet;     /* wants no answer */
    bson_t command; /* with its sequences as arrays, and always with "$db" */
};

/* The length that a header says. Returns RF_OK, or RF_FATAL: no message is that long. */
RF_USE_RESULT enum rf_status rf_mongo_script_length(const char header[RF_MONGO_SCRIPT_HEADER],
                                                    size_t *size, struct rf_error *err);
/* Reads a whole message, of at least a header. Returns RF_OK: command is the caller's to destroy;
 * RF_FATAL: it is none, and there is nothing to destroy. */
RF_USE_RESULT enum rf_status rf_mongo_script_parse(struct rf_str message,
                                                   struct rf_mongo_script_request *request,
                                                   struct rf_error *err);
/* Appends the message that answers it with this document. */
void rf_mongo_script_reply(const struct rf_mongo_script_request *request, const bson_t *reply,
                           struct rf_buf *out);

#endif
