#include "programs/change.h"

#include "wire/bson_json.h"
#include "wire/bson_row.h"

#include <bson/bson.h>
#include <stdio.h>
#include <time.h>

/* What a line has, as BSON. */
struct parts {
    struct rf_bson_element op, id, after, update, statement, ts;
};

static struct rf_str text_of(const struct rf_bson_element *element)
{
    return element->type == RF_BSON_UTF8 ? rf_bson_text(element) : RF_STR_NONE;
}

static void take_parts(struct rf_str line, struct parts *parts)
{
    struct rf_bson_element key;

    (void)rf_bson_find(line, RF_STR("op"), &parts->op);
    (void)rf_bson_find(line, RF_STR("after"), &parts->after);
    (void)rf_bson_find(line, RF_STR("update"), &parts->update);
    (void)rf_bson_find(line, RF_STR("statement"), &parts->statement);
    (void)rf_bson_find(line, RF_STR("ts"), &parts->ts);
    parts->id = (struct rf_bson_element){0};
    if (rf_bson_find(line, RF_STR("key"), &key) && key.type == RF_BSON_DOCUMENT) {
        (void)rf_bson_find(rf_bson_document(&key), RF_STR("_id"), &parts->id);
    }
}

/* "2026-11-27T07:14:50Z" or with a fraction, to this machine's time. */
static void add_time(struct rf_buf *out, struct rf_str text)
{
    char copy[40], shown[40];
    struct tm fields = {0}, local;

    snprintf(copy, sizeof copy, "%.*s", RF_STR_ARG(text));
    const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &fields);
    time_t when = rest != NULL ? timegm(&fields) : 0;
    if (rest == NULL || localtime_r(&when, &local) == NULL ||
        strftime(shown, sizeof shown, "%Y-%m-%d %H:%M:%S", &local) == 0) {
        rf_buf_add_str(out, text);
        return;
    }
    rf_buf_add_str(out, rf_str_of(shown));
}

static bool is_printable(struct rf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

/* A string as it is, everything else as JSON. */
static void add_id(struct rf_buf *out, const struct rf_bson_element *id)
{
    struct rf_str text = text_of(id);

    if (id->type == RF_BSON_OBJECT_ID || (text.data != NULL && is_printable(text))) {
        (void)rf_bson_text_add(out, id);
    } else {
        rf_bson_json_add_value(out, id, RF_BSON_JSON_RELAXED);
    }
}

/* The document without its _id. */
static void add_document(struct rf_buf *out, struct rf_str document)
{
    struct rf_bson_walk walk = rf_bson_walk(document);
    struct rf_bson_element field;
    char comma = '{';

    while (rf_bson_next(&walk, &field)) {
        if (!rf_str_equal(field.name, RF_STR("_id"))) {
            rf_buf_add_byte(out, comma);
            rf_bson_json_add_string(out, field.name);
            rf_buf_add_byte(out, ':');
            rf_bson_json_add_value(out, &field, RF_BSON_JSON_RELAXED);
            comma = ',';
        }
    }
    if (comma == '{') {
        rf_buf_add_byte(out, '{');
    }
    rf_buf_add_byte(out, '}');
}

/* "insert", and of what is no document the store's own word. */
static void add_word(struct rf_buf *out, const struct parts *parts)
{
    struct rf_str op = text_of(&parts->op), statement = text_of(&parts->statement);
    bson_t *told = NULL;
    bson_iter_t at;

    if (statement.size > 0) {
        told = bson_new_from_json((const uint8_t *)statement.data, (ssize_t)statement.size, NULL);
    }
    if (told != NULL && bson_iter_init_find(&at, told, "operationType") &&
        BSON_ITER_HOLDS_UTF8(&at)) {
        rf_buf_printf(out, "%s", bson_iter_utf8(&at, NULL));
    } else {
        rf_buf_printf(out, "%.*s",
                      RF_STR_ARG(rf_str_equal(op, RF_STR("create")) ? RF_STR("insert") : op));
    }
    bson_destroy(told);
}

static void add_line(struct rf_buf *out, const struct parts *parts)
{
    add_time(out, text_of(&parts->ts));
    rf_buf_add_str(out, RF_STR("  "));
    add_word(out, parts);
    if (parts->id.type != 0) {
        rf_buf_add_str(out, RF_STR("  "));
        add_id(out, &parts->id);
    }
    if (parts->after.type == RF_BSON_DOCUMENT) {
        rf_buf_add_str(out, RF_STR("  "));
        add_document(out, rf_bson_document(&parts->after));
    } else if (parts->update.type == RF_BSON_DOCUMENT) {
        rf_buf_add_str(out, RF_STR("  changed "));
        rf_bson_json_add(out, rf_bson_document(&parts->update), RF_BSON_JSON_RELAXED);
    }
    rf_buf_add_byte(out, '\n');
}

void rf_change_line(struct rf_str json, struct rf_buf *out)
{
    bson_t *line = bson_new_from_json((const uint8_t *)json.data, (ssize_t)json.size, NULL);
    struct rf_str bytes = RF_STR_NONE;
    struct parts parts;

    if (line != NULL) {
        bytes = (struct rf_str){(const char *)bson_get_data(line), line->len};
    }
    if (bytes.size > 0 && rf_bson_is_sound(bytes)) {
        take_parts(bytes, &parts);
        add_line(out, &parts);
    } else {
        rf_buf_add_str(out, json);
        rf_buf_add_byte(out, '\n');
    }
    bson_destroy(line);
}
