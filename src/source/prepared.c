#include "source/prepared.h"

#include "base/memory.h"

#include <stdlib.h>

enum {
    FILE_NAME_MAX = 512, /* FN_REFLEN of the server */
    OFFSET_MIN = 4,      /* behind the magic number */
    XID_PART_MAX = 64,   /* bytes, of global and branch part */
    FINGERPRINT_DIGITS = 16,
};

/* ---- The list ------------------------------------------------------------------------------ */

void rf_prepared_add(struct rf_prepared_list *list, const struct rf_prepared *from)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
        list->items = rf_realloc(list->items, capacity * sizeof *list->items);
        memset(list->items + list->capacity, 0, (capacity - list->capacity) * sizeof *list->items);
        list->capacity = capacity;
    }
    struct rf_prepared *prepared = &list->items[list->count++];
    prepared->txid = from->txid;
    rf_buf_set(&prepared->file, rf_buf_str(&from->file));
    prepared->start = from->start;
    rf_buf_set(&prepared->xid, rf_buf_str(&from->xid));
    prepared->picks = from->picks;
}

uint32_t rf_prepared_find(const struct rf_prepared_list *list, const struct rf_txid *txid,
                          struct rf_str file, uint64_t start)
{
    uint32_t i = 0;
    for (; i < list->count; i++) {
        const struct rf_prepared *prepared = &list->items[i];
        if (!rf_txid_equal(&prepared->txid, txid)) {
            continue;
        }
        if (txid->kind != RF_TXID_PLACE ||
            (prepared->start == start && rf_str_equal(rf_buf_str(&prepared->file), file))) {
            break;
        }
    }
    return i;
}

void rf_prepared_remove(struct rf_prepared_list *list, uint32_t number)
{
    struct rf_prepared taken = list->items[number];
    list->count--;
    memmove(list->items + number, list->items + number + 1,
            (list->count - number) * sizeof *list->items);
    list->items[list->count] = taken;
}

void rf_prepared_copy(struct rf_prepared_list *to, const struct rf_prepared_list *from)
{
    to->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        rf_prepared_add(to, &from->items[i]);
    }
}

void rf_prepared_deinit(struct rf_prepared_list *list)
{
    for (uint32_t i = 0; i < list->capacity; i++) {
        rf_buf_deinit(&list->items[i].file);
        rf_buf_deinit(&list->items[i].xid);
    }
    free(list->items);
    *list = (struct rf_prepared_list){0};
}

/* ---- Text ---------------------------------------------------------------------------------- */

static bool is_plain(unsigned char byte)
{
    return byte > ' ' && byte != 0x7f && memchr("%;,=", byte, 4) == NULL;
}

void rf_position_print_file(struct rf_buf *out, struct rf_str file)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < file.size; i++) {
        unsigned char byte = (unsigned char)file.data[i];
        if (is_plain(byte)) {
            rf_buf_add_byte(out, (char)byte);
        } else {
            rf_buf_add_byte(out, '%');
            rf_buf_add_byte(out, digits[byte >> 4]);
            rf_buf_add_byte(out, digits[byte & 15]);
        }
    }
}

static int hex(char byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

bool rf_position_parse_file(struct rf_buf *file, struct rf_str text)
{
    rf_buf_reset(file);
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '%' && text.size - i > 2) {
            int high = hex(text.data[i + 1]), low = hex(text.data[i + 2]);
            if (high < 0 || low < 0 || is_plain((unsigned char)(high << 4 | low))) {
                return false;
            }
            byte = (char)(high << 4 | low);
            i += 2;
        } else if (!is_plain((unsigned char)byte)) {
            return false;
        }
        rf_buf_add_byte(file, byte);
    }
    return file->size > 0 && file->size <= FILE_NAME_MAX &&
           memchr(file->data, 0, file->size) == NULL;
}

static void print_place(struct rf_buf *out, const struct rf_prepared *prepared)
{
    rf_position_print_file(out, rf_buf_str(&prepared->file));
    rf_buf_add_byte(out, ':');
    rf_buf_add_u64(out, prepared->start);
}

/* X'6f6e65',X'',1 is written 6f6e65..1. */
static void print_no_rows(struct rf_buf *out, const struct rf_prepared *prepared)
{
    enum { GLOBAL = 1, BRANCH = 3, FORMAT = 4, FIELDS };
    struct rf_str rest = rf_buf_str(&prepared->xid), fields[FIELDS] = {{0}};
    for (unsigned i = 0; i < FIELDS; i++) {
        rf_str_split(&rest, '\'', &fields[i]);
    }
    rf_str_take_byte(&fields[FORMAT], ',');
    rf_buf_printf(out, "=%016llx.%.*s.%.*s.%.*s", (unsigned long long)prepared->picks,
                  RF_STR_ARG(fields[GLOBAL]), RF_STR_ARG(fields[BRANCH]),
                  RF_STR_ARG(fields[FORMAT]));
}

void rf_prepared_print(struct rf_buf *out, const struct rf_prepared_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct rf_prepared *prepared = &list->items[i];
        rf_buf_add_str(out, i > 0 ? RF_STR(",") : RF_STR_NONE);
        if (prepared->txid.kind != RF_TXID_PLACE) {
            rf_txid_print(out, &prepared->txid, RF_STR_NONE);
            rf_buf_add_str(out, prepared->file.size > 0 ? RF_STR("@") : RF_STR_NONE);
        }
        if (prepared->file.size > 0) {
            print_place(out, prepared);
        }
        if (prepared->xid.size > 0) {
            print_no_rows(out, prepared);
        }
    }
}

void rf_prepared_name(struct rf_buf *out, const struct rf_prepared *prepared)
{
    rf_txid_print(out, &prepared->txid, rf_buf_str(&prepared->file));
}

static bool parse_place(struct rf_prepared *prepared, struct rf_str text)
{
    const char *colon = text.size > 0 ? memrchr(text.data, ':', text.size) : NULL;
    if (colon == NULL) {
        return false;
    }
    struct rf_str name = {text.data, (size_t)(colon - text.data)};
    struct rf_str offset = {colon + 1, text.size - name.size - 1};
    return rf_position_parse_file(&prepared->file, name) &&
           rf_str_to_u64(offset, &prepared->start) && prepared->start >= OFFSET_MIN;
}

/* Digits as rf_held_print_xid and %016llx make them. *number: of the last 16 of them. */
static bool parse_hex(struct rf_str text, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *digit = memchr(digits, text.data[i], sizeof digits - 1);
        if (digit == NULL) {
            return false;
        }
        *number = *number << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

static bool is_xid_part(struct rf_str text)
{
    uint64_t unused;
    return text.size % 2 == 0 && text.size <= (size_t)2 * XID_PART_MAX && parse_hex(text, &unused);
}

static bool parse_no_rows(struct rf_prepared *prepared, struct rf_str text)
{
    struct rf_str picks, global, branch;
    uint64_t format;
    if (!rf_str_split(&text, '.', &picks) || !rf_str_split(&text, '.', &global) ||
        !rf_str_split(&text, '.', &branch) || picks.size != FINGERPRINT_DIGITS ||
        !parse_hex(picks, &prepared->picks) || !is_xid_part(global) || !is_xid_part(branch) ||
        !rf_str_to_u64(text, &format) || format > UINT32_MAX) {
        return false;
    }
    rf_buf_printf(&prepared->xid, "X'%.*s',X'%.*s',%llu", RF_STR_ARG(global), RF_STR_ARG(branch),
                  (unsigned long long)format);
    return true;
}

static bool parse_one(struct rf_prepared *prepared, struct rf_str text, bool mysql)
{
    struct rf_str no_rows = text, place, name;
    rf_str_split(&no_rows, '=', &text);
    if (no_rows.data != NULL && !parse_no_rows(prepared, no_rows)) {
        return false;
    }
    place = text;
    rf_str_split(&place, '@', &name);
    if (rf_txid_parse(name, &prepared->txid) && (prepared->txid.kind == RF_TXID_MYSQL) == mysql) {
        return place.data == NULL || parse_place(prepared, place);
    }
    bool good = mysql && parse_place(prepared, text);
    prepared->txid = (struct rf_txid){.kind = RF_TXID_PLACE, .offset = prepared->start};
    return good;
}

bool rf_prepared_parse(struct rf_prepared_list *list, struct rf_str text, bool mysql)
{
    struct rf_str field;
    bool good = text.size > 0;
    list->count = 0;
    while (good && rf_str_split(&text, ',', &field)) {
        struct rf_prepared one = {0};
        struct rf_str file;
        good = parse_one(&one, field, mysql);
        file = rf_buf_str(&one.file);
        good = good && rf_prepared_find(list, &one.txid, file, one.start) == list->count;
        if (good) {
            rf_prepared_add(list, &one);
        }
        rf_buf_deinit(&one.file);
        rf_buf_deinit(&one.xid);
    }
    return good;
}
