/* TRANSACTION_PAYLOAD: the events of a transaction, compressed.
 *
 * Used by what assembles transactions. MySQL writes one with binlog_transaction_compression=ON: the
 * GTID event, then this, which has all the others in it. They come out one by one, so that memory
 * is that of the largest of them and of the compressor's window, however large the transaction.
 *
 * TRANSACTION_PAYLOAD (40), offsets in the body:
 *
 *   fields of type, size and value, each a packed integer:
 *     1 bytes of the payload   2 how it is compressed: 0 zstd, 255 not
 *     3 bytes without compression   0 ends them, without size and value
 *   the payload, to the end of the body: events one behind the other, as in a log without
 *   checksums; their positions are 0
 *
 * What comes out must be as much as the event says, and an event no larger than servers send: a
 * payload that says otherwise, or that wants more memory than any server's settings do, is refused.
 *
 * Source: MySQL Reference Manual, "Binary Log Transaction Compression"; MySQL,
 * libs/mysql/binlog/event/codecs/binary.cpp. */
#ifndef ROWFERRY_WIRE_PAYLOAD_H
#define ROWFERRY_WIRE_PAYLOAD_H

#include <rowferry/str.h>

enum {
    RF_PAYLOAD_EVENT_MAX = 1 << 30, /* bytes of one event: the server's own limit */
    RF_PAYLOAD_WINDOW_LOG_MAX = 27, /* 128 MiB: what zstd's highest level takes */
};
/* Bytes of one transaction. Far above what a server can hold in its cache, and below what an
 * attacker would need to fill a disk with one event. */
#define RF_PAYLOAD_MAX ((uint64_t)16 << 30)

struct ZSTD_DCtx_s;

/* Zeroed is valid. Thread: the owner's. */
struct rf_payload {
    struct ZSTD_DCtx_s *zstd;
    struct rf_str packed; /* what was not decompressed yet; borrowed */
    bool compressed;
    bool finished;     /* the last frame that was begun is over */
    uint64_t size;     /* that the event says it has, decompressed */
    uint64_t made;     /* bytes decompressed so far */
    struct rf_buf out; /* decompressed; [at, out.size) was not handed out yet */
    size_t at;
};

/* Reads the head and stands before the first event. The body stays as it is until the last one was
 * read. Returns RF_OK; RF_FATAL (damage, a compression that is not known, more than the limit). */
RF_USE_RESULT enum rf_status rf_payload_open(struct rf_payload *payload, struct rf_str body,
                                             struct rf_error *err);
/* The next event, header included; valid until the next call. Data is NULL behind the last one.
 * Returns RF_OK; RF_FATAL (damage; more or less than the payload says; an event above the
 * limit). */
RF_USE_RESULT enum rf_status rf_payload_next(struct rf_payload *payload, struct rf_str *event,
                                             struct rf_error *err);
/* Gives memory back that only a large event needed. */
void rf_payload_close(struct rf_payload *payload);
void rf_payload_deinit(struct rf_payload *payload);

#endif
