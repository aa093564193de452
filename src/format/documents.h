/* What formats write of an event of a collection (rf_table.documents).
 *
 * Used by the formats that know documents. Thread: any. */
#ifndef ROWFERRY_FORMAT_DOCUMENTS_H
#define ROWFERRY_FORMAT_DOCUMENTS_H

#include "wire/bson_json.h"

/* True for an update of a document that was gone when the store looked for it. */
static inline bool rf_document_is_gone(const struct rf_event *event)
{
    return event->op == RF_UPDATE && event->after[1].kind == RF_NULL;
}

/* Appends the event's _id as Extended JSON. Where neither the key nor a document tells it, it is
 * its text as a string. */
void rf_document_add_id(struct rf_buf *out, const struct rf_event *event, unsigned form);

/* Fills err: `format` knows no documents. Returns RF_CONFIG. */
enum rf_status rf_document_refuse(const struct rf_event *event, const char *format,
                                  struct rf_error *err);

#endif
