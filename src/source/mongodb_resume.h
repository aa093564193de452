/* Places in the change streams of a MongoDB deployment: how they are kept, written and compared.
 *
 * Used by the source `mongodb`. A place lies between two transactions. What says where is a resume
 * token, which the server gave with an event or with a batch; where there is none yet, a time of
 * the deployment's logical clock, from which on everything comes. As text, one line:
 *
 *   mongodb:set=64f0...;time=1763830000.2;seen=1763830000.2;token=82692F...   of a replica set
 *   mongodb:cluster=64f0...;...                                     of a sharded cluster
 *   mongodb:marker=64f0...;...                                      of one that says who it is by
 *                                                                   our own document alone
 *
 *   time     the clock: seconds since 1970 UTC, a point, the number within that second
 *   token    the token's _data, where that is all it has, and text; else
 *   resume   the whole token, a BSON document, in hexadecimal digits; neither: everything from
 *            `time` on comes
 *   seen     the time of the last event of the stream; none: there was none yet
 *   picks    a number for what the stream had, in hexadecimal digits; without it nobody knows, or
 *            it was that of one collection, of which older versions did not say which
 *   after    "invalidate": the stream ended there, and another one begins behind it
 *
 * A transaction's id is "1763830000.2:82692F...": its time and the order of its last token. The
 * tokens of one deployment are ordered as their texts are, byte by byte: they begin with the time.
 *
 * Source: MongoDB Manual, "Change Streams", "Resume Tokens"; MongoDB, src/mongo/db/pipeline/
 * README of change streams (a token is a KeyString that begins with 0x82 and the timestamp). */
#ifndef ROWFERRY_SOURCE_MONGODB_RESUME_H
#define ROWFERRY_SOURCE_MONGODB_RESUME_H

#include "wire/bson_read.h"

/* Zeroed is the empty place: nowhere. Thread: the owner's. */
struct rf_resume {
    struct rf_buf deployment; /* "set=64f0...": kind and identity; empty: not known */
    uint32_t seconds, increment;
    uint32_t seen_seconds, seen_increment; /* of the last event; 0: there was none */
    struct rf_buf token;                   /* the document; empty: none, the time says where */
    struct rf_buf order;                   /* of the token, as text */
    uint32_t picks;                        /* which stream it is of; 0: not told */
    bool invalidated;
};

void rf_resume_deinit(struct rf_resume *place);
/* All but the deployment. */
void rf_resume_copy(struct rf_resume *to, const struct rf_resume *from);
/* Takes a token, and its time where it tells it. False: it has no _data of text or bytes. */
RF_USE_RESULT bool rf_resume_take(struct rf_resume *place, struct rf_str token);
/* Appends the text. */
void rf_resume_print(struct rf_buf *out, const struct rf_resume *place);
/* Appends the id of a transaction that ends at the place. */
void rf_resume_print_id(struct rf_buf *out, const struct rf_resume *place);
/* Reads a text as rf_resume_print makes it. Returns RF_OK; RF_CONFIG (what is wrong with
 * it), *place then is empty. */
RF_USE_RESULT enum rf_status rf_resume_parse(struct rf_resume *place, struct rf_str text,
                                             struct rf_error *err);

/* Reads what a person writes: "now" (the place stays empty), a place, the _data of a token, seconds
 * since 1970 with or without a point and a number, or "2026-11-27T12:00:00Z". Returns RF_OK;
 * RF_CONFIG (with the forms that exist). */
RF_USE_RESULT enum rf_status rf_resume_from(struct rf_resume *place, struct rf_str text,
                                            struct rf_error *err);
/* Whether text is one of these. A source's check_from. */
RF_USE_RESULT enum rf_status rf_resume_check(struct rf_str text, struct rf_error *err);

/* True when the token of an event, or of a place, is not behind the place: both have tokens, and of
 * the same deployment. */
bool rf_resume_is_past(const struct rf_resume *place, const struct rf_resume *other);
/* True when all that `other` names, a place or a transaction's id, lies before `position`. Thread:
 * any. */
bool rf_resume_contains(struct rf_str position, struct rf_str other);

#endif
