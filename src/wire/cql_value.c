#include "wire/cql_value.h"

#include "wire/cql.h"
#include "wire/cql_simple.h"

/* ------------------------------------------------------------------------------------- printing */

static bool is_simple(const struct rf_cql_type *type)
{
    return type->kind < RF_CQL_LIST;
}

static void add_quoted(struct rf_buf *out, struct rf_str text)
{
    rf_buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'') {
            rf_buf_add_byte(out, '\'');
        }
        rf_buf_add_byte(out, text.data[i]);
    }
    rf_buf_add_byte(out, '\'');
}

static bool print_element(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str bytes)
{
    if (bytes.data == NULL) {
        rf_buf_add_str(out, RF_STR("null"));
        return true;
    }
    if (!is_simple(type) || !rf_cql_is_quoted(type->kind)) {
        return rf_cql_value_print(out, type, bytes);
    }
    struct rf_buf text = {0};
    bool good = rf_cql_value_print(&text, type, bytes);
    if (good) {
        add_quoted(out, rf_buf_str(&text));
    }
    rf_buf_deinit(&text);
    return good;
}

/* "[" and "]" of lists, "(" and ")" of tuples, "{" and "}" of all others. */
static char opening(const struct rf_cql_type *type)
{
    return type->kind == RF_CQL_LIST ? '[' : type->kind == RF_CQL_TUPLE ? '(' : '{';
}

static char closing(const struct rf_cql_type *type)
{
    return type->kind == RF_CQL_LIST ? ']' : type->kind == RF_CQL_TUPLE ? ')' : '}';
}

/* Lists, sets and maps. */
static bool print_collection(struct rf_buf *out, const struct rf_cql_type *type,
                             struct rf_cursor *cursor)
{
    int32_t count = rf_cql_int(cursor, "elements");
    if (count < 0 || rf_cursor_left(cursor) / 4 < (size_t)count) {
        return false;
    }
    for (int32_t i = 0; i < count; i++) {
        rf_buf_add_str(out, i > 0 ? RF_STR(", ") : RF_STR_NONE);
        if (!print_element(out, &type->items[0], rf_cql_bytes(cursor, "element"))) {
            return false;
        }
        if (type->kind == RF_CQL_MAP) {
            rf_buf_add_str(out, RF_STR(": "));
            if (!print_element(out, &type->items[1], rf_cql_bytes(cursor, "element"))) {
                return false;
            }
        }
    }
    return true;
}

/* Tuples and users' types: a value that is cut short lacks its last elements, which are null. */
static bool print_tuple(struct rf_buf *out, const struct rf_cql_type *type,
                        struct rf_cursor *cursor)
{
    for (unsigned i = 0; i < type->count; i++) {
        struct rf_str bytes =
            rf_cursor_left(cursor) > 0 ? rf_cql_bytes(cursor, "element") : RF_STR_NONE;
        rf_buf_add_str(out, i > 0 ? RF_STR(", ") : RF_STR_NONE);
        if (type->kind == RF_CQL_UDT) {
            rf_buf_add_str(out, type->fields[i]);
            rf_buf_add_str(out, RF_STR(": "));
        }
        if (!print_element(out, &type->items[i], bytes)) {
            return false;
        }
    }
    return true;
}

bool rf_cql_value_print(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str bytes)
{
    size_t begin = out->size;
    bool good;
    bool texts = type->kind == RF_CQL_ASCII || type->kind == RF_CQL_TEXT ||
                 type->kind == RF_CQL_BLOB || type->kind == RF_CQL_CUSTOM;
    if (bytes.size == 0 && !texts) {
        return true;
    }
    if (is_simple(type)) {
        good = rf_cql_print_simple(out, type->kind, bytes);
    } else {
        struct rf_cursor cursor = rf_cursor_of(bytes);
        bool tuple = type->kind == RF_CQL_TUPLE || type->kind == RF_CQL_UDT;
        rf_buf_add_byte(out, opening(type));
        good = tuple ? print_tuple(out, type, &cursor) : print_collection(out, type, &cursor);
        good = good && cursor.missing == NULL && rf_cursor_left(&cursor) == 0;
        rf_buf_add_byte(out, closing(type));
    }
    if (!good) {
        out->size = begin;
    }
    return good;
}

/* -------------------------------------------------------------------------------------- reading */

static void skip_spaces(struct rf_str *text)
{
    while (rf_str_take_byte(text, ' ')) {
    }
}

static bool read_element(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str *text);

/* 'it''s': what lies between the quotes, with those in it single again, in `scratch`. */
static bool take_quoted(struct rf_str *text, struct rf_buf *scratch)
{
    if (!rf_str_take_byte(text, '\'')) {
        return false;
    }
    while (text->size > 0) {
        if (rf_str_take_byte(text, '\'') && !rf_str_starts(*text, RF_STR("'"))) {
            return true;
        }
        if (text->size > 0) {
            rf_buf_add_byte(scratch, text->data[0]);
            text->data++;
            text->size--;
        }
    }
    return false;
}

/* What is not quoted ends where the element does. */
static struct rf_str take_bare(struct rf_str *text)
{
    struct rf_str bare = {text->data, 0};
    while (bare.size < text->size && strchr(",:]}) ", bare.data[bare.size]) == NULL) {
        bare.size++;
    }
    text->data += bare.size;
    text->size -= bare.size;
    return bare;
}

static bool read_sized(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str *text)
{
    bool good;
    size_t begin = out->size;
    rf_cql_add_int(out, 0);
    if (is_simple(type) && rf_cql_is_quoted(type->kind)) {
        struct rf_buf scratch = {0};
        good = take_quoted(text, &scratch) &&
               rf_cql_read_simple(out, type->kind, rf_buf_str(&scratch));
        rf_buf_deinit(&scratch);
    } else if (is_simple(type)) {
        struct rf_str bare = take_bare(text);
        /* Of most types there may be no bytes at all. */
        good = (bare.size == 0 && type->kind != RF_CQL_BLOB && type->kind != RF_CQL_CUSTOM) ||
               rf_cql_read_simple(out, type->kind, bare);
    } else {
        good = read_element(out, type, text);
    }
    uint32_t size = htobe32((uint32_t)(out->size - begin - 4));
    memcpy(out->data + begin, &size, sizeof size);
    return good;
}

static bool read_nullable(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str *text)
{
    skip_spaces(text);
    if (rf_str_starts(*text, RF_STR("null"))) {
        text->data += 4;
        text->size -= 4;
        rf_cql_add_null(out);
        return true;
    }
    return read_sized(out, type, text);
}

static bool read_collection(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str *text)
{
    size_t begin = out->size;
    uint32_t count = 0;
    rf_cql_add_int(out, 0);
    skip_spaces(text);
    while (text->size > 0 && text->data[0] != closing(type)) {
        if (count > 0 && !rf_str_take_byte(text, ',')) {
            return false;
        }
        if (!read_nullable(out, &type->items[0], text)) {
            return false;
        }
        skip_spaces(text);
        if (type->kind == RF_CQL_MAP &&
            (!rf_str_take_byte(text, ':') || !read_nullable(out, &type->items[1], text))) {
            return false;
        }
        skip_spaces(text);
        count++;
    }
    count = htobe32(count);
    memcpy(out->data + begin, &count, sizeof count);
    return true;
}

static bool read_tuple(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str *text)
{
    for (unsigned i = 0; i < type->count; i++) {
        if (i > 0 && !rf_str_take_byte(text, ',')) {
            return false;
        }
        skip_spaces(text);
        if (type->kind == RF_CQL_UDT) {
            if (!rf_str_starts(*text, type->fields[i])) {
                return false;
            }
            text->data += type->fields[i].size;
            text->size -= type->fields[i].size;
            skip_spaces(text);
            if (!rf_str_take_byte(text, ':')) {
                return false;
            }
        }
        if (!read_nullable(out, &type->items[i], text)) {
            return false;
        }
        skip_spaces(text);
    }
    return true;
}

static bool read_element(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str *text)
{
    bool tuple = type->kind == RF_CQL_TUPLE || type->kind == RF_CQL_UDT;
    return rf_str_take_byte(text, opening(type)) &&
           (tuple ? read_tuple(out, type, text) : read_collection(out, type, text)) &&
           rf_str_take_byte(text, closing(type));
}

bool rf_cql_value_read(struct rf_buf *out, const struct rf_cql_type *type, struct rf_str text)
{
    size_t begin = out->size;
    text.data = text.data != NULL ? text.data : "";
    bool good = is_simple(type) ? rf_cql_read_simple(out, type->kind, text)
                                : read_element(out, type, &text) && text.size == 0;
    if (!good) {
        out->size = begin;
    }
    return good;
}
