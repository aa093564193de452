/* Templates: keys and values made from a row, such as "{database}:{table}:{key}" or
 * "customer:{id}".
 *
 * Text stands for itself, "{{" and "}}" for the braces, and in braces stand:
 *
 *     {database} {table}   the names of the row's table
 *     {collection}         the same as {table}, where the table has no column of that name
 *     {key}                the columns of its primary key, joined by ":"
 *     {name}               the column of that name
 *     {column:name}        the same, for a name that is a word of this list
 *     {op} {ts}            "create", "update" ...; commit time, UTC, "2024-02-29 12:00:00.000000";
 *                          in values only
 *
 * In a key, different rows must give different texts. Therefore each part that has text behind it
 * carries a backslash in front of every backslash and of every byte that this text begins with:
 * before a ":" the value a:b becomes a\:b. A part at the end stays as it is. Two parts without
 * text between them are refused, and so is text behind a part that begins with a backslash. In a
 * value nothing is escaped.
 *
 * A template is parsed once, then bound to each table. A binding knows its columns by number, so
 * that making a text costs no search. A key's binding can be written down as a pattern
 * ("shop:orders:{i}"): enough to recognise, later and without the table, the keys that it makes.
 * Used by sinks. Not thread-safe. */
#ifndef ROWFERRY_EVENT_TEMPLATE_H
#define ROWFERRY_EVENT_TEMPLATE_H

#include <rowferry/event.h>

enum rf_template_use { RF_TEMPLATE_KEY = 1, RF_TEMPLATE_VALUE };

/* Zeroed is empty and valid. */
struct rf_template {
    enum rf_template_use use;
    char *text; /* as it was given, for messages */
    struct rf_template_part *parts;
    uint32_t part_count;
};

/* Reads a template. Returns RF_OK; RF_CONFIG: the message says what is wrong with it. */
RF_USE_RESULT enum rf_status rf_template_parse(struct rf_template *template,
                                               enum rf_template_use use, const char *text,
                                               struct rf_error *err);
void rf_template_deinit(struct rf_template *template);
/* The next column that the template names, from part *at on, which begins with 0; {key} names none.
 * False: there is none. The name lies in the template. */
bool rf_template_next_column(const struct rf_template *template, uint32_t *at, struct rf_str *name);

/* A template for one table. Zeroed is empty and valid. */
struct rf_binding {
    const struct rf_table *table; /* borrowed: the owner keeps it alive; NULL: from a pattern */
    struct rf_binding_step *steps;
    uint32_t step_count;
    bool escapes;   /* of a key */
    bool whole_key; /* all columns of the primary key are in it, and there is one: text = row */
    struct rf_str prefix; /* what all its texts begin with: the text in front of the first column */
};

/* Binds to a table. Returns RF_OK; RF_CONFIG: the table has no such column (the nearest name is
 * said), or no primary key for {key}. */
RF_USE_RESULT enum rf_status rf_template_bind(const struct rf_template *template,
                                              const struct rf_table *table,
                                              struct rf_binding *binding, struct rf_error *err);
void rf_binding_deinit(struct rf_binding *binding);

/* Appends the text of a row to out. A column that `image` does not tell is taken from `other` (the
 * other image of an update; may be NULL). NULL values add nothing.
 * Returns RF_OK; RF_REJECT with err->event: the log told a column in neither image; out is as it
 * was. */
RF_USE_RESULT enum rf_status rf_binding_render(const struct rf_binding *binding,
                                               const struct rf_event *event, int64_t commit_us,
                                               const struct rf_value *image,
                                               const struct rf_value *other, struct rf_buf *out,
                                               struct rf_error *err);

/* The text, into an emptied and terminated `out`, of a template of a table's names alone, such as
 * that of a collection. Returns as rf_template_bind and rf_binding_render. */
RF_USE_RESULT enum rf_status rf_template_render_name(const struct rf_template *template,
                                                     struct rf_str database, struct rf_str name,
                                                     struct rf_buf *out, struct rf_error *err);

/* False when both images of an update give the same text. Columns that the new image does not tell
 * are unchanged. */
bool rf_binding_changes(const struct rf_binding *binding, const struct rf_event *event);

/* Appends the pattern of a key's binding: its text with {i} for columns of whole numbers and {t}
 * for all others. */
void rf_binding_pattern(const struct rf_binding *binding, struct rf_buf *out);
/* Reads one. Returns RF_OK; RF_FATAL: it is not one. */
RF_USE_RESULT enum rf_status rf_binding_of_pattern(struct rf_str pattern,
                                                   struct rf_binding *binding,
                                                   struct rf_error *err);
/* True when the text is one that this binding or pattern makes. */
bool rf_binding_matches(const struct rf_binding *binding, struct rf_str text);
/* Appends a glob for Redis' MATCH that finds at least every text of the binding. */
void rf_binding_glob(const struct rf_binding *binding, struct rf_buf *out);

/* Appends part with a backslash in front of every backslash and every `stop`. */
void rf_template_escape(struct rf_buf *out, struct rf_str part, char stop);

#endif
