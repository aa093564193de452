/* What a running pipeline says of itself: one JSON document, written by the process that runs it
 * and read by `rowferry status`, or by anybody who connects to its socket.
 *
 *     {"name":"shop","pid":4711,"uptime_ms":73000,"stopping":false,"healthy":true,
 *      "source":{"address":"mysql://cdc@db:3306/shop.*","state":"streaming",...},
 *      "sinks":[{"name":"redis://cache:6379/0","state":"retrying","retry_in_ms":2100,
 *                "error":"could not connect to ...",...}]}
 *
 * Members are only ever added. A reader leaves out what it does not know; what is missing keeps
 * its zero. */
#ifndef ROWFERRY_CONTROL_DOCUMENT_H
#define ROWFERRY_CONTROL_DOCUMENT_H

#include "engine/pipeline.h"

/* A source or a sink. Text is borrowed, or lies in the document's `text` when it was read. */
struct rf_document_actor {
    struct rf_str name;     /* sinks: their key in the pipeline; empty of the source */
    struct rf_str address;  /* for people, never a secret */
    struct rf_str state;    /* rf_phase_name */
    struct rf_str position; /* of the last transaction read; or accepted */
    struct rf_str recorded; /* sinks: on disk */
    struct rf_str error;    /* why it is retrying; empty: nothing is wrong */
    bool own_feed;          /* sinks: reads the log for itself, as it is far behind the others */
    uint64_t try;           /* of the next try, while it retries */
    int64_t retry_in_ms;
    int64_t lag_ms; /* sinks; -1: not known */
    /* by this process */
    uint64_t events, transactions;
    uint64_t events_per_second;       /* over the last ten seconds */
    uint64_t events_per_second_total; /* since the start */
    uint64_t skipped, waived, marked, gone, buried;
    uint64_t held_bytes; /* source: in the pool */
};

/* Zeroed is empty and valid. */
struct rf_document {
    struct rf_buf text;
    struct rf_str name; /* of the pipeline */
    int64_t pid;
    int64_t uptime_ms;
    bool stopping;
    bool healthy; /* see rf_document_judge */
    struct rf_document_actor source;
    struct rf_document_actor *sinks;
    uint32_t sink_count;
};

/* Takes over what the snapshot says of one actor; the rates are the caller's. */
void rf_document_take(struct rf_document_actor *out, const struct rf_actor_snapshot *snapshot);

/* True when the source and every sink are at work: open, or waiting for another one that is. Not
 * while one of them connects, waits for its next try or was closed, nor while all stops. Being
 * behind is no illness: lag_ms says how far. */
bool rf_document_judge(const struct rf_document *document);

/* Appends the JSON, one line without a newline. Bytes that are no UTF-8 stand as U+00XX. */
void rf_document_print(struct rf_buf *out, const struct rf_document *document);

/* Reads what rf_document_print wrote, or a newer version of it. *out is empty before; deinit it in
 * any case. Returns RF_OK; RF_FATAL: that is no such document. */
RF_USE_RESULT enum rf_status rf_document_read(struct rf_document *out, struct rf_str json,
                                              struct rf_error *err);
void rf_document_deinit(struct rf_document *document);

#endif
