/* What sinks that hold the last state ask of a change of a document (rf_table.documents).
 *
 * Used by sinks. Thread: any. */
#ifndef ROWFERRY_SINK_DOCUMENT_H
#define ROWFERRY_SINK_DOCUMENT_H

#include "wire/bson_read.h"

/* What such a sink does with the change. */
enum rf_document_do {
    RF_DOCUMENT_PUT = 1, /* event->after has the document, to be written whole */
    RF_DOCUMENT_REMOVE,
    /* nothing: it was gone when the store looked for it, and its delete follows */
    RF_DOCUMENT_PASS,
};
/* Returns RF_OK; RF_CONFIG: the store was not asked for the document. */
RF_USE_RESULT enum rf_status rf_document_decide(const struct rf_event *event,
                                                enum rf_document_do *out, struct rf_error *err);

/* The element _id, of the key or of a document that the event has. Returns RF_OK; RF_REJECT with
 * err->event: none of them has one. */
RF_USE_RESULT enum rf_status rf_document_id(const struct rf_event *event,
                                            struct rf_bson_element *id, struct rf_error *err);

#endif
