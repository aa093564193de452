#include "format/documents.h"

#include "wire/json.h"

static bool find_id(const struct rf_event *event, struct rf_bson_element *id)
{
    const struct rf_str places[] = {event->change != NULL ? event->change->key : RF_STR_NONE,
                                    rf_document_of(event->after), rf_document_of(event->before)};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].size > 0 && rf_bson_find(places[i], RF_STR("_id"), id)) {
            return true;
        }
    }
    return false;
}

void rf_document_add_id(struct rf_buf *out, const struct rf_event *event, unsigned form)
{
    struct rf_bson_element id;
    if (find_id(event, &id)) {
        rf_bson_json_add_value(out, &id, form);
    } else {
        rf_json_add_string(out, rf_value_str(rf_event_image(event)[0]));
    }
}

enum rf_status rf_document_refuse(const struct rf_event *event, const char *format,
                                  struct rf_error *err)
{
    struct rf_str name = event->table != NULL ? event->table->full_name : event->object;
    rf_fail(err, RF_CONFIG, "the format %s has rows of tables only, and %.*s is a collection",
            format, RF_STR_ARG(name));
    rf_error_hint(err, "documents are known to the formats json, debezium and flat");
    if (err != NULL) {
        err->event = event;
    }
    return RF_CONFIG;
}
