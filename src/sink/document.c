#include "sink/document.h"

enum rf_status rf_document_decide(const struct rf_event *event, enum rf_document_do *out,
                                  struct rf_error *err)
{
    if (event->op == RF_DELETE) {
        *out = RF_DOCUMENT_REMOVE;
        return RF_OK;
    }
    switch (event->after[1].kind) {
    case RF_DOCUMENT: *out = RF_DOCUMENT_PUT; return RF_OK;
    case RF_NULL: *out = RF_DOCUMENT_PASS; return RF_OK;
    default: break;
    }
    rf_fail(err, RF_CONFIG,
            "an update of %.*s tells what it changed, and not the document, which is to be written "
            "whole",
            RF_STR_ARG(event->table->full_name));
    rf_error_hint(err, "set images=update_lookup at the source; what an update changed cannot be "
                       "applied by itself, as a repeat would apply it twice");
    if (err != NULL) {
        err->event = event;
    }
    return RF_CONFIG;
}

enum rf_status rf_document_id(const struct rf_event *event, struct rf_bson_element *id,
                              struct rf_error *err)
{
    if (event->change != NULL && event->change->key.size > 0 &&
        rf_bson_find(event->change->key, RF_STR("_id"), id)) {
        return RF_OK;
    }
    const struct rf_str documents[] = {rf_document_of(event->after), rf_document_of(event->before)};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        if (documents[i].size > 0 && rf_bson_find(documents[i], RF_STR("_id"), id)) {
            return RF_OK;
        }
    }
    rf_fail(err, RF_REJECT, "a change of %.*s does not tell the _id of its document",
            RF_STR_ARG(event->table->full_name));
    if (err != NULL) {
        err->event = event;
    }
    return RF_REJECT;
}
