#include "source/position.h"

#define PREFIX RF_STR("mariadb:")

enum { FILE_NAME_MAX = 512 }; /* FN_REFLEN of the server */

void rf_position_deinit(struct rf_position *position)
{
    rf_gtid_list_deinit(&position->gtids);
    rf_buf_deinit(&position->file);
    *position = (struct rf_position){0};
}

void rf_position_copy(struct rf_position *to, const struct rf_position *from)
{
    struct rf_position copy = *from;
    copy.gtids = to->gtids;
    copy.file = to->file;
    rf_gtid_list_copy(&copy.gtids, &from->gtids);
    rf_buf_set(&copy.file, rf_buf_str(&from->file));
    *to = copy;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static bool is_plain(unsigned char byte)
{
    return byte > ' ' && byte != 0x7f && byte != '%' && byte != ';' && byte != ',' && byte != '=';
}

static void print_file(struct rf_buf *out, struct rf_str file)
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

static void print_number(struct rf_buf *out, struct rf_str name, uint64_t number)
{
    rf_buf_add_byte(out, ';');
    rf_buf_add_str(out, name);
    rf_buf_add_byte(out, '=');
    rf_buf_add_u64(out, number);
}

void rf_position_print(struct rf_buf *out, const struct rf_position *position)
{
    rf_buf_add_str(out, PREFIX);
    rf_buf_add_str(out, RF_STR("gtid="));
    rf_gtid_list_print(out, &position->gtids);
    if (position->file.size > 0) {
        rf_buf_add_str(out, RF_STR(";file="));
        print_file(out, rf_buf_str(&position->file));
        if (position->has_last) {
            print_number(out, RF_STR("start"), position->start);
        }
        print_number(out, RF_STR("end"), position->end);
        if (position->has_last) {
            rf_buf_add_str(out, RF_STR(";last="));
            rf_gtid_print(out, position->last);
            print_number(out, RF_STR("time"), position->time);
        }
        if (position->has_last && position->sum != 0) {
            print_number(out, RF_STR("sum"), position->sum);
        }
    }
    if (position->server_id != 0) {
        print_number(out, RF_STR("server"), position->server_id);
    }
    if (position->created != 0) {
        print_number(out, RF_STR("created"), position->created);
    }
}

/* ---- Reading ------------------------------------------------------------------------------- */

static int hex(char byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

/* Only what print_file makes is read, so that a position has one text. */
static bool parse_file(struct rf_buf *file, struct rf_str text)
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

static bool parse_u32(struct rf_str text, uint32_t *out)
{
    uint64_t number;
    if (!rf_str_to_u64(text, &number) || number == 0 || number > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

enum field { GTID, FILE_NAME, START, END, LAST, TIME, SUM, SERVER, CREATED, FIELD_COUNT };
static const char *const field_names[FIELD_COUNT] = {"gtid", "file", "start",  "end",    "last",
                                                     "time", "sum",  "server", "created"};

static bool parse_field(struct rf_position *position, enum field field, struct rf_str value)
{
    switch (field) {
    case GTID: return rf_gtid_list_parse(&position->gtids, value, NULL) == RF_OK;
    case FILE_NAME: return parse_file(&position->file, value);
    case START: return rf_str_to_u64(value, &position->start);
    case END: return rf_str_to_u64(value, &position->end);
    case LAST: return rf_gtid_parse(value, &position->last);
    case TIME: {
        uint64_t time;
        bool good = rf_str_to_u64(value, &time) && time <= UINT32_MAX;
        position->time = good ? (uint32_t)time : 0;
        return good;
    }
    case SUM: return parse_u32(value, &position->sum);
    case SERVER: return parse_u32(value, &position->server_id);
    case CREATED: return parse_u32(value, &position->created);
    case FIELD_COUNT: break;
    }
    return false;
}

/* Fields that need each other, and numbers that cannot be. */
static bool is_whole(struct rf_position *position, unsigned seen)
{
    bool last = (seen & 1u << LAST) != 0, sum = (seen & 1u << SUM) != 0;
    bool file = (seen & 1u << FILE_NAME) != 0;
    if (!(seen & 1u << GTID) || file != ((seen & 1u << END) != 0) || (last && !file) ||
        (sum && !last) || last != ((seen & 1u << START) != 0) ||
        last != ((seen & 1u << TIME) != 0)) {
        return false;
    }
    position->has_last = last;
    return (!last || (position->start < position->end && position->start > 0 &&
                      rf_gtid_list_has(&position->gtids, position->last))) &&
           (!file || position->end >= 4);
}

enum rf_status rf_position_parse(struct rf_position *position, struct rf_str text,
                                 struct rf_error *err)
{
    struct rf_str rest = text, field;
    unsigned seen = 0;
    if (!rf_str_starts(text, PREFIX)) {
        return rf_fail(err, RF_CONFIG, "not a position of a MariaDB log: \"%.*s\"",
                       RF_STR_ARG(text));
    }
    rest.data += PREFIX.size;
    rest.size -= PREFIX.size;
    while (rf_str_split(&rest, ';', &field)) {
        struct rf_str name;
        struct rf_str value = field;
        rf_str_split(&value, '=', &name);
        unsigned i = 0;
        while (i < FIELD_COUNT && !rf_str_equal(name, rf_str_of(field_names[i]))) {
            i++;
        }
        if (i == FIELD_COUNT || (seen >> i) != 0 || value.data == NULL ||
            !parse_field(position, (enum field)i, value)) {
            rf_position_deinit(position);
            return rf_fail(err, RF_CONFIG,
                           "a position that does not make sense at \"%.*s\": \"%.*s\"",
                           RF_STR_ARG(field), RF_STR_ARG(text));
        }
        seen |= 1u << i;
    }
    if (!is_whole(position, seen)) {
        rf_position_deinit(position);
        return rf_fail(err, RF_CONFIG, "a position whose parts do not fit together: \"%.*s\"",
                       RF_STR_ARG(text));
    }
    return RF_OK;
}

/* "bin.000003:1234": the offset is what stands behind the last colon. */
static bool parse_place(struct rf_position *position, struct rf_str text)
{
    const char *colon = text.size > 0 ? memrchr(text.data, ':', text.size) : NULL;
    if (colon == NULL || colon == text.data || colon - text.data > FILE_NAME_MAX) {
        return false;
    }
    struct rf_str file = {text.data, (size_t)(colon - text.data)};
    struct rf_str offset = {colon + 1, text.size - file.size - 1};
    for (size_t i = 0; i < file.size; i++) {
        if ((unsigned char)file.data[i] < ' ' || file.data[i] == '/') {
            return false;
        }
    }
    if (!rf_str_to_u64(offset, &position->end) || position->end < 4) {
        return false;
    }
    rf_buf_set(&position->file, file);
    return true;
}

enum rf_status rf_start_parse(struct rf_start *start, struct rf_str text, struct rf_error *err)
{
    text = rf_str_trim(text);
    if (rf_str_equal(text, RF_STR("now"))) {
        start->kind = RF_START_NOW;
        return RF_OK;
    }
    if (rf_str_equal(text, RF_STR("earliest"))) {
        start->kind = RF_START_EARLIEST;
        return RF_OK;
    }
    if (rf_str_starts(text, PREFIX)) {
        start->kind = RF_START_POSITION;
        return rf_position_parse(&start->position, text, err);
    }
    if (text.size > 0 && rf_gtid_list_parse(&start->position.gtids, text, NULL) == RF_OK) {
        start->kind = RF_START_GTIDS;
        return RF_OK;
    }
    if (parse_place(&start->position, text)) {
        start->kind = RF_START_PLACE;
        return RF_OK;
    }
    rf_position_deinit(&start->position);
    rf_fail(err, RF_CONFIG, "not a place to begin: \"%.*s\"", RF_STR_ARG(text));
    rf_error_hint(err,
                  "now, earliest, GTIDs such as 0-1-300000,1-2-7, file and offset such as "
                  "bin.000003:1234, or a whole position as `rowferry position show` prints it");
    return RF_CONFIG;
}

enum rf_status rf_start_check(struct rf_str text, struct rf_error *err)
{
    struct rf_start start = {0};
    enum rf_status status = rf_start_parse(&start, text, err);

    rf_position_deinit(&start.position);
    return status;
}

/* ---- Comparing ----------------------------------------------------------------------------- */

static bool gtids_of(struct rf_gtid_list *gtids, struct rf_str text)
{
    if (!rf_str_starts(text, PREFIX)) {
        return rf_str_trim(text).size > 0 && rf_gtid_list_parse(gtids, text, NULL) == RF_OK;
    }
    struct rf_position position = {0};
    bool good = rf_position_parse(&position, text, NULL) == RF_OK;
    if (good) {
        rf_gtid_list_copy(gtids, &position.gtids);
    }
    rf_position_deinit(&position);
    return good;
}

bool rf_position_contains(struct rf_str position, struct rf_str other)
{
    struct rf_gtid_list outer = {0}, inner = {0};
    bool contains = gtids_of(&outer, position) && gtids_of(&inner, other) &&
                    rf_gtid_list_contains(&outer, &inner);
    rf_gtid_list_deinit(&outer);
    rf_gtid_list_deinit(&inner);
    return contains;
}
