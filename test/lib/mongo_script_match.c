#include "lib/mongo_script_match.h"

#include <math.h>
#include <regex.h>

/* --------------------------------------------------------------------------------------- values */

static bool is_number(const bson_iter_t *value)
{
    return BSON_ITER_HOLDS_INT32(value) || BSON_ITER_HOLDS_INT64(value) ||
           BSON_ITER_HOLDS_DOUBLE(value);
}

/* Holds each int64 and each double exactly. */
static long double number_of(const bson_iter_t *value)
{
    return BSON_ITER_HOLDS_DOUBLE(value) ? (long double)bson_iter_double(value)
                                         : (long double)bson_iter_as_int64(value);
}

/* A part of a known size, so that no two keys run into each other. */
static void add_part(struct rf_buf *out, const void *data, size_t size)
{
    rf_buf_add(out, &size, sizeof size);
    rf_buf_add(out, data, size);
}

static void add_number(struct rf_buf *out, const bson_iter_t *value)
{
    double number = BSON_ITER_HOLDS_DOUBLE(value) ? bson_iter_double(value) : 0;
    bool whole = !BSON_ITER_HOLDS_DOUBLE(value) ||
                 (number >= -0x1p63 && number < 0x1p63 && number == trunc(number));
    if (whole) {
        int64_t integer =
            BSON_ITER_HOLDS_DOUBLE(value) ? (int64_t)number : bson_iter_as_int64(value);
        rf_buf_add_byte(out, 'n');
        rf_buf_add(out, &integer, sizeof integer);
    } else {
        number = isnan(number) ? (double)NAN : number;
        rf_buf_add_byte(out, 'd');
        rf_buf_add(out, &number, sizeof number);
    }
}

void rf_mongo_script_key(const bson_iter_t *value, struct rf_buf *out)
{
    bson_iter_t child;
    if (is_number(value)) {
        add_number(out, value);
        return;
    }
    rf_buf_add_byte(out, (char)bson_iter_type(value));
    if (BSON_ITER_HOLDS_DOCUMENT(value) || BSON_ITER_HOLDS_ARRAY(value)) {
        rf_assert(bson_iter_recurse(value, &child));
        while (bson_iter_next(&child)) {
            rf_buf_add_byte(out, 1);
            add_part(out, bson_iter_key(&child), bson_iter_key_len(&child));
            rf_mongo_script_key(&child, out);
        }
        rf_buf_add_byte(out, 0);
    } else {
        bson_t alone = BSON_INITIALIZER;
        rf_assert(bson_append_iter(&alone, "", 0, value));
        add_part(out, bson_get_data(&alone), alone.len);
        bson_destroy(&alone);
    }
}

static bool equal(const bson_iter_t *a, const bson_iter_t *b)
{
    struct rf_buf left = {0}, right = {0};
    rf_mongo_script_key(a, &left);
    rf_mongo_script_key(b, &right);
    bool same = rf_str_equal(rf_buf_str(&left), rf_buf_str(&right));
    rf_buf_deinit(&left);
    rf_buf_deinit(&right);
    return same;
}

/* -1, 0 or 1; false when the two are of kinds that have no order between them. */
static bool compare(const bson_iter_t *a, const bson_iter_t *b, int *order)
{
    if (is_number(a) && is_number(b)) {
        long double left = number_of(a), right = number_of(b);
        *order = (left > right) - (left < right);
        return !isnan(left) && !isnan(right);
    }
    if (bson_iter_type(a) != bson_iter_type(b)) {
        return false;
    }
    if (BSON_ITER_HOLDS_UTF8(a)) {
        uint32_t left_size, right_size;
        const char *left = bson_iter_utf8(a, &left_size), *right = bson_iter_utf8(b, &right_size);
        int bytes = memcmp(left, right, left_size < right_size ? left_size : right_size);
        *order = bytes != 0 ? bytes : (left_size > right_size) - (left_size < right_size);
        return true;
    }
    if (BSON_ITER_HOLDS_DATE_TIME(a)) {
        int64_t left = bson_iter_date_time(a), right = bson_iter_date_time(b);
        *order = (left > right) - (left < right);
        return true;
    }
    if (BSON_ITER_HOLDS_OID(a)) {
        *order = bson_oid_compare(bson_iter_oid(a), bson_iter_oid(b));
        return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------------- filters */

static bool is_operator(const char *name)
{
    return name[0] == '$';
}

/* {$lt: 5} and the like, and not a document that a field may be equal to. */
static bool holds_operators(const bson_iter_t *value)
{
    bson_iter_t child;
    return BSON_ITER_HOLDS_DOCUMENT(value) && bson_iter_recurse(value, &child) &&
           bson_iter_next(&child) && is_operator(bson_iter_key(&child));
}

/* `value` is NULL where the document has no such field. An array is equal to what it holds, too. */
static bool is_equal_to(const bson_iter_t *value, const bson_iter_t *wanted)
{
    bson_iter_t item;
    if (value == NULL) {
        return BSON_ITER_HOLDS_NULL(wanted);
    }
    if (equal(value, wanted)) {
        return true;
    }
    if (BSON_ITER_HOLDS_ARRAY(value) && bson_iter_recurse(value, &item)) {
        while (bson_iter_next(&item)) {
            if (equal(&item, wanted)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_one_of(const bson_iter_t *value, const bson_iter_t *list)
{
    bson_iter_t item;
    if (bson_iter_recurse(list, &item)) {
        while (bson_iter_next(&item)) {
            if (is_equal_to(value, &item)) {
                return true;
            }
        }
    }
    return false;
}

static enum rf_status match_operator(const bson_iter_t *value, const bson_iter_t *operator,
                                     bool * matches, struct rf_error *err)
{
    const char *name = bson_iter_key(operator);
    int order = 0;
    bool ordered = value != NULL && compare(value, operator, & order);
    if (strcmp(name, "$eq") == 0) {
        *matches = is_equal_to(value, operator);
    } else if (strcmp(name, "$ne") == 0) {
        *matches = !is_equal_to(value, operator);
    } else if (strcmp(name, "$lt") == 0) {
        *matches = ordered && order < 0;
    } else if (strcmp(name, "$lte") == 0) {
        *matches = ordered && order <= 0;
    } else if (strcmp(name, "$gt") == 0) {
        *matches = ordered && order > 0;
    } else if (strcmp(name, "$gte") == 0) {
        *matches = ordered && order >= 0;
    } else if (strcmp(name, "$exists") == 0) {
        *matches = (value != NULL) == bson_iter_as_bool(operator);
    } else if (strcmp(name, "$in") == 0 && BSON_ITER_HOLDS_ARRAY(operator)) {
        *matches = is_one_of(value, operator);
    } else {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_VALUE, "unknown operator: %s", name);
    }
    return RF_OK;
}

/* As far as those of POSIX are the same ones. */
static enum rf_status match_expression(const bson_iter_t *value, const bson_iter_t *wanted,
                                       bool *matches, struct rf_error *err)
{
    regex_t expression;
    const char *options, *text = bson_iter_regex(wanted, &options);
    if (strcmp(options, "s") != 0 || regcomp(&expression, text, REG_EXTENDED | REG_NOSUB) != 0) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_VALUE,
                                      "this server does not know the expression %s", text);
    }
    *matches = value != NULL && BSON_ITER_HOLDS_UTF8(value) &&
               regexec(&expression, bson_iter_utf8(value, NULL), 0, NULL, 0) == 0;
    regfree(&expression);
    return RF_OK;
}

static enum rf_status match_field(const bson_iter_t *wanted, const bson_t *document, bool *matches,
                                  struct rf_error *err)
{
    bson_iter_t root, found, operator;
    enum rf_status status = RF_OK;
    const bson_iter_t *value = NULL;
    if (bson_iter_init(&root, document) &&
        bson_iter_find_descendant(&root, bson_iter_key(wanted), &found)) {
        value = &found;
    }
    if (BSON_ITER_HOLDS_REGEX(wanted)) {
        return match_expression(value, wanted, matches, err);
    }
    if (!holds_operators(wanted)) {
        *matches = is_equal_to(value, wanted);
        return RF_OK;
    }
    *matches = true;
    rf_assert(bson_iter_recurse(wanted, &operator));
    while (status == RF_OK && bson_iter_next(&operator)) {
        bool matched = false;
        status = match_operator(value, &operator, & matched, err);
        *matches &= matched;
    }
    return status;
}

/* $and, $or, $nor: a list of filters. */
static enum rf_status match_list(const bson_iter_t *list, const bson_t *document, bool *matches,
                                 struct rf_error *err)
{
    bool none = strcmp(bson_iter_key(list), "$nor") == 0;
    bool any = none || strcmp(bson_iter_key(list), "$or") == 0;
    bson_iter_t item;
    enum rf_status status = RF_OK;
    if ((!any && strcmp(bson_iter_key(list), "$and") != 0) || !BSON_ITER_HOLDS_ARRAY(list)) {
        return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_VALUE,
                                      "unknown top level operator: %s", bson_iter_key(list));
    }
    *matches = !any;
    rf_assert(bson_iter_recurse(list, &item));
    while (status == RF_OK && bson_iter_next(&item)) {
        const uint8_t *data;
        uint32_t size;
        bson_t filter;
        bool matched = false;
        if (!BSON_ITER_HOLDS_DOCUMENT(&item)) {
            return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_BAD_VALUE,
                                          "$and and $or hold documents");
        }
        bson_iter_document(&item, &size, &data);
        rf_assert(bson_init_static(&filter, data, size));
        status = rf_mongo_script_match(&filter, document, &matched, err);
        *matches = any ? *matches || matched : *matches && matched;
    }
    *matches = none ? !*matches : *matches;
    return status;
}

enum rf_status rf_mongo_script_match(const bson_t *filter, const bson_t *document, bool *matches,
                                     struct rf_error *err)
{
    bson_iter_t wanted;
    enum rf_status status = RF_OK;
    *matches = true;
    rf_assert(bson_iter_init(&wanted, filter));
    /* All of it, so that what is not known is refused whatever the document is. */
    while (status == RF_OK && bson_iter_next(&wanted)) {
        bool matched = false;
        if (is_operator(bson_iter_key(&wanted))) {
            status = match_list(&wanted, document, &matched, err);
        } else {
            status = match_field(&wanted, document, &matched, err);
        }
        *matches &= matched;
    }
    return status;
}

/* -------------------------------------------------------------------------------------- updates */

static bool find_field(const bson_t *document, const char *name, bson_iter_t *field)
{
    return document != NULL && bson_iter_init_find(field, document, name);
}

/* The value that a filter demands a field to have: {a: 5} or {a: {$eq: 5}}. */
static bool demanded(const bson_iter_t *wanted, bson_iter_t *value)
{
    if (is_operator(bson_iter_key(wanted))) {
        return false;
    }
    if (!holds_operators(wanted)) {
        *value = *wanted;
        return true;
    }
    return bson_iter_recurse(wanted, value) && bson_iter_find(value, "$eq");
}

static bool demanded_id(const bson_t *filter, bson_iter_t *value)
{
    bson_iter_t wanted;
    return find_field(filter, "_id", &wanted) && demanded(&wanted, value);
}

/* The _id comes first, and is that of the document as it was; of an upsert's, that of the filter or
 * of the update. */
static enum rf_status replace(const bson_t *before, const bson_t *filter, const bson_t *update,
                              bson_t *after, struct rf_error *err)
{
    bson_iter_t field, id, own;
    bool has_id = before ? find_field(before, "_id", &id) : demanded_id(filter, &id);
    if (find_field(update, "_id", &own)) {
        if (has_id && !equal(&id, &own)) {
            return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_ID_CHANGED,
                                          "the _id of a document is not to be changed");
        }
        has_id = true;
        id = before ? id : own;
    }
    if (has_id) {
        rf_assert(bson_append_iter(after, "_id", 3, &id));
    }
    rf_assert(bson_iter_init(&field, update));
    while (bson_iter_next(&field)) {
        if (strcmp(bson_iter_key(&field), "_id") != 0) {
            rf_assert(bson_append_iter(after, NULL, 0, &field));
        }
    }
    return RF_OK;
}

/* The three parts of an update that has operators; empty where it has no such part. */
struct change {
    bson_t set, unset, insert;
};

static enum rf_status read_change(const bson_t *update, bool inserts, struct change *change,
                                  struct rf_error *err)
{
    bson_iter_t part, field;
    rf_assert(bson_iter_init(&part, update));
    while (bson_iter_next(&part)) {
        const char *name = bson_iter_key(&part);
        bson_t *to = strcmp(name, "$set") == 0           ? &change->set
                     : strcmp(name, "$unset") == 0       ? &change->unset
                     : strcmp(name, "$setOnInsert") == 0 ? &change->insert
                                                         : NULL;
        if (to == NULL || !BSON_ITER_HOLDS_DOCUMENT(&part)) {
            return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED, "unknown modifier: %s",
                                          name);
        }
        rf_assert(bson_iter_recurse(&part, &field));
        while (bson_iter_next(&field)) {
            if (strchr(bson_iter_key(&field), '.') != NULL) {
                return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_NOT_PARSED,
                                              "%s of a field within a field", name);
            }
            if (to != &change->insert || inserts) {
                rf_assert(bson_append_iter(to, NULL, 0, &field));
            }
        }
    }
    return RF_OK;
}

/* What an upsert begins with: the fields that the filter demands. */
static void begin_upsert(const bson_t *filter, bson_t *begun)
{
    bson_iter_t wanted, value;
    rf_assert(bson_iter_init(&wanted, filter));
    while (bson_iter_next(&wanted)) {
        if (demanded(&wanted, &value) && strchr(bson_iter_key(&wanted), '.') == NULL) {
            rf_assert(bson_append_iter(begun, bson_iter_key(&wanted), -1, &value));
        }
    }
}

static bool is_changed(const struct change *change, const char *name, bson_iter_t *to)
{
    return find_field(&change->set, name, to) || find_field(&change->insert, name, to);
}

static enum rf_status apply(const bson_t *begun, const struct change *change, bson_t *after,
                            struct rf_error *err)
{
    const bson_t *additions[] = {&change->set, &change->insert};
    bson_iter_t field, to;
    rf_assert(bson_iter_init(&field, begun));
    while (bson_iter_next(&field)) {
        const char *name = bson_iter_key(&field);
        bool is_unset = bson_has_field(&change->unset, name);
        bool changed = is_changed(change, name, &to);
        if (strcmp(name, "_id") == 0 && (is_unset || (changed && !equal(&field, &to)))) {
            return rf_mongo_script_refuse(err, RF_MONGO_SCRIPT_ID_CHANGED,
                                          "the _id of a document is not to be changed");
        }
        if (!is_unset) {
            rf_assert(bson_append_iter(after, name, -1, changed ? &to : &field));
        }
    }
    for (size_t i = 0; i < sizeof additions / sizeof *additions; i++) {
        rf_assert(bson_iter_init(&field, additions[i]));
        while (bson_iter_next(&field)) {
            if (!bson_has_field(after, bson_iter_key(&field))) {
                rf_assert(bson_append_iter(after, NULL, 0, &field));
            }
        }
    }
    return RF_OK;
}

enum rf_status rf_mongo_script_update(const bson_t *before, const bson_t *filter,
                                      const bson_t *update, bson_t *after, struct rf_error *err)
{
    bson_iter_t first;
    rf_assert(bson_iter_init(&first, update));
    if (!bson_iter_next(&first) || !is_operator(bson_iter_key(&first))) {
        return replace(before, filter, update, after, err);
    }
    struct change change;
    bson_t begun = BSON_INITIALIZER;
    bson_init(&change.set);
    bson_init(&change.unset);
    bson_init(&change.insert);
    enum rf_status status = read_change(update, before == NULL, &change, err);
    if (status == RF_OK) {
        if (before == NULL) {
            begin_upsert(filter, &begun);
        }
        status = apply(before ? before : &begun, &change, after, err);
    }
    bson_destroy(&change.set);
    bson_destroy(&change.unset);
    bson_destroy(&change.insert);
    bson_destroy(&begun);
    return status;
}
