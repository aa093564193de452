#include "wire/json.h"

#include "base/memory.h"
#include "wire/bson_json.h"
#include "wire/json_emit.h"

#include <stdlib.h>

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

static inline char *begin(struct rf_buf *out, size_t more)
{
    return rf_buf_reserve(out, more);
}

static inline void finish(struct rf_buf *out, const char *at)
{
    out->size = (size_t)(at - out->data);
}

static uint64_t load_64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint32_t load_32(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* True when none of the eight bytes is a quote, a backslash or below 0x20. */
static bool is_plain(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE('"'), backslash = word ^ EACH_BYTE('\\');
    uint64_t found = ((quote - EACH_BYTE(1)) & ~quote) | ((backslash - EACH_BYTE(1)) & ~backslash) |
                     ((word - EACH_BYTE(0x20)) & ~word);
    return (found & EACH_BYTE(0x80)) == 0;
}

/* Byte by byte. */
static size_t count_plain(char *at, const char *text, size_t size)
{
    size_t done = 0;
    for (; done < size; done++) {
        unsigned char byte = (unsigned char)text[done];
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            break;
        }
        at[done] = (char)byte;
    }
    return done;
}

size_t rf_json_copy_short(char *at, const char *text, size_t size)
{
    size_t done = 0;
    for (; size - done >= 8; done += 8) {
        uint64_t word = load_64(text + done);
        if (unlikely(!is_plain(word))) {
            return done + count_plain(at + done, text + done, 8);
        }
        memcpy(at + done, &word, sizeof word);
    }
    size_t left = size - done;
    if (left == 0) {
        return size; /* text may be NULL */
    }
    if (left >= 4) {
        /* Two halves that overlap. */
        uint32_t low = load_32(text + done), high = load_32(text + size - 4);
        if (likely(is_plain((uint64_t)high << 32 | low))) {
            memcpy(at + done, &low, sizeof low);
            memcpy(at + size - 4, &high, sizeof high);
            return size;
        }
    }
    return done + count_plain(at + done, text + done, left);
}

static char *put_escape(char *at, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    char letter = 0;
    switch (byte) {
    case '"':
    case '\\': letter = (char)byte; break;
    case '\n': letter = 'n'; break;
    case '\r': letter = 'r'; break;
    case '\t': letter = 't'; break;
    case '\b': letter = 'b'; break;
    case '\f': letter = 'f'; break;
    default: break;
    }
    *at++ = '\\';
    if (letter != 0) {
        *at++ = letter;
        return at;
    }
    memcpy(at, "u00", 3);
    at[3] = digits[byte >> 4];
    at[4] = digits[byte & 15];
    return at + 5;
}

char *rf_json_put_escaped(struct rf_buf *out, char *at, const char *text, size_t size, size_t done)
{
    while (done < size) {
        at = put_escape(at, (unsigned char)text[done++]);
        at = rf_json_room(out, at, size - done + RF_JSON_SLACK);
        size_t more = rf_json_copy_plain(at, text + done, size - done);
        at += more;
        done += more;
    }
    *at++ = '"';
    return at;
}

/* Room for rf_json_base64_size + RF_JSON_SLACK bytes was made. */
static char *put_base64_digits(char *at, const char *bytes, size_t size)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = (const unsigned char *)bytes;
    for (; size >= 3; size -= 3, from += 3, at += 4) {
        uint32_t group = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        at[0] = letters[group >> 18];
        at[1] = letters[group >> 12 & 63];
        at[2] = letters[group >> 6 & 63];
        at[3] = letters[group & 63];
    }
    if (size > 0) {
        uint32_t group = (uint32_t)from[0] << 16 | (size == 2 ? (uint32_t)from[1] << 8 : 0);
        at[0] = letters[group >> 18];
        at[1] = letters[group >> 12 & 63];
        at[2] = size == 2 ? letters[group >> 6 & 63] : '=';
        at[3] = '=';
        at += 4;
    }
    return at;
}

char *rf_json_put_base64(char *at, const char *bytes, size_t size)
{
    *at++ = '"';
    at = put_base64_digits(at, bytes, size);
    *at++ = '"';
    return at;
}

char *rf_json_put_geometry(struct rf_buf *out, char *at, const struct rf_value *value)
{
    enum { SRID_SIZE = 4 };
    static const char srid_name[] = "{\"srid\":", wkb_name[] = ",\"wkb\":";
    rf_assert(value->size >= SRID_SIZE);
    const unsigned char *bytes = (const unsigned char *)value->text;
    uint32_t srid = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                    (uint32_t)bytes[3] << 24;
    size_t size = value->size - SRID_SIZE;
    at = rf_json_room(out, at, rf_json_base64_size(size) + 2 * RF_JSON_SLACK);
    memcpy(at, srid_name, sizeof srid_name - 1);
    at = rf_digits_u64(at + sizeof srid_name - 1, srid);
    memcpy(at, wkb_name, sizeof wkb_name - 1);
    at = rf_json_put_base64(at + sizeof wkb_name - 1, value->text + SRID_SIZE, size);
    *at++ = '}';
    return at;
}

char *rf_json_put_vector(struct rf_buf *out, char *at, const struct rf_value *value)
{
    struct rf_str singles = rf_value_str(*value);
    if (!rf_vector_is_finite(singles)) {
        return NULL;
    }
    at = rf_json_room(out, at, RF_VECTOR_TEXT_MAX(singles.size) + RF_JSON_SLACK);
    return at + rf_vector_text(at, singles);
}

char *rf_json_put_document(struct rf_buf *out, char *at, const struct rf_value *value)
{
    return rf_bson_json_put(out, at, rf_value_str(*value), RF_BSON_JSON_RELAXED);
}

void rf_json_add_string(struct rf_buf *out, struct rf_str text)
{
    finish(out,
           rf_json_put_string(out, begin(out, text.size + RF_JSON_SLACK), text.data, text.size));
}

void rf_json_add_base64(struct rf_buf *out, struct rf_str bytes)
{
    finish(out, rf_json_put_base64(begin(out, rf_json_base64_size(bytes.size) + RF_JSON_SLACK),
                                   bytes.data, bytes.size));
}

void rf_json_add_base64_digits(struct rf_buf *out, struct rf_str bytes)
{
    char *at = begin(out, rf_json_base64_size(bytes.size) + RF_JSON_SLACK);
    finish(out, put_base64_digits(at, bytes.data, bytes.size));
}

void rf_json_add_instant(struct rf_buf *out, int64_t micros)
{
    char *at = begin(out, RF_JSON_SLACK);
    *at++ = '"';
    at += rf_datetime_text(at, rf_datetime_of_micros(micros), 'T', micros % 1000000 == 0 ? 0 : 6);
    *at++ = 'Z';
    *at++ = '"';
    finish(out, at);
}

bool rf_json_add_value(struct rf_buf *out, const struct rf_value *value)
{
    char *at = rf_json_put_value(out, begin(out, value->size + RF_JSON_SLACK), value);
    if (at != NULL) {
        finish(out, at);
    }
    return at != NULL;
}

void rf_json_names_init(struct rf_json_names *names, const struct rf_table *table,
                        const uint32_t *numbers, uint32_t count)
{
    enum { STEP = 16 };
    struct rf_buf text = {0};
    for (uint32_t i = 0; i < count; i++) {
        rf_json_add_string(&text, table->columns[numbers ? numbers[i] : i].name);
        rf_buf_add_byte(&text, ':');
    }
    size_t items_size = count * sizeof *names->items;
    names->items = rf_alloc_zero(1, items_size + text.size + STEP);
    names->count = count;
    char *kept = (char *)names->items + items_size;
    if (text.size > 0) {
        memcpy(kept, text.data, text.size);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = numbers ? numbers[i] : i;
        rf_buf_reset(&text);
        rf_json_add_string(&text, table->columns[number].name);
        names->items[i] = (struct rf_json_name){kept, (uint32_t)text.size + 1, number};
        kept += text.size + 1;
    }
    rf_buf_deinit(&text);
}

void rf_json_names_deinit(struct rf_json_names *names)
{
    free(names->items);
    *names = (struct rf_json_names){0};
}

bool rf_json_add_row(struct rf_buf *out, const struct rf_json_names *names,
                     const struct rf_value *image, uint32_t *column)
{
    const size_t start = out->size;
    char *at = begin(out, RF_JSON_SLACK);
    *at++ = '{';
    const struct rf_json_name *name = names->items;
    for (uint32_t left = names->count; left > 0; left--, name++) {
        const struct rf_value *value = &image[name->column];
        if (unlikely(value->kind == RF_ABSENT)) {
            continue;
        }
        at = rf_json_room(out, at, name->size + (size_t)value->size + 2 * RF_JSON_SLACK);
        at = rf_json_put_value(out, rf_json_put_name(at, name), value);
        if (unlikely(at == NULL)) {
            out->size = start;
            *column = name->column;
            return false;
        }
        *at++ = ',';
    }
    /* The last comma becomes the brace. */
    at -= at[-1] == ',';
    *at++ = '}';
    finish(out, at);
    return true;
}
