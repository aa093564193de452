#include "source/position.h"

#include "source/index.h"

#define PREFIX_MARIADB RF_STR("mariadb:")
#define PREFIX_MYSQL   RF_STR("mysql:")

enum { FILE_NAME_MAX = 512 }; /* FN_REFLEN of the server */

void rf_position_deinit(struct rf_position *position)
{
    rf_gtids_deinit(&position->gtids);
    rf_buf_deinit(&position->file);
    rf_prepared_deinit(&position->prepared);
    *position = (struct rf_position){0};
}

void rf_position_copy(struct rf_position *to, const struct rf_position *from)
{
    struct rf_position copy = *from;
    copy.gtids = to->gtids;
    copy.file = to->file;
    copy.prepared = to->prepared;
    rf_gtids_copy(&copy.gtids, &from->gtids);
    rf_buf_set(&copy.file, rf_buf_str(&from->file));
    rf_prepared_copy(&copy.prepared, &from->prepared);
    *to = copy;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void print_number(struct rf_buf *out, struct rf_str name, uint64_t number)
{
    rf_buf_add_byte(out, ';');
    rf_buf_add_str(out, name);
    rf_buf_add_byte(out, '=');
    rf_buf_add_u64(out, number);
}

void rf_position_print(struct rf_buf *out, const struct rf_position *position)
{
    rf_buf_add_str(out, position->gtids.mysql ? PREFIX_MYSQL : PREFIX_MARIADB);
    rf_buf_add_str(out, RF_STR("gtid="));
    rf_gtids_print(out, &position->gtids);
    if (position->file.size > 0) {
        rf_buf_add_str(out, RF_STR(";file="));
        rf_position_print_file(out, rf_buf_str(&position->file));
        if (position->has_last) {
            print_number(out, RF_STR("start"), position->start);
        }
        print_number(out, RF_STR("end"), position->end);
        if (position->has_last && !position->by_place) {
            rf_buf_add_str(out, RF_STR(";last="));
            rf_txid_print(out, &position->last, RF_STR_NONE);
        }
        if (position->has_last) {
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
    if (position->has_uuid) {
        rf_buf_add_str(out, RF_STR(";uuid="));
        rf_uuid_print(out, &position->uuid);
    }
    if (position->by_place) {
        rf_buf_add_str(out, RF_STR(";by=place"));
    } else if (position->by_gtid && position->file.size > 0) {
        rf_buf_add_str(out, RF_STR(";by=gtid"));
    }
    if (position->prepared.count > 0) {
        rf_buf_add_str(out, RF_STR(";prepared="));
        rf_prepared_print(out, &position->prepared);
    }
}

/* ---- Reading ------------------------------------------------------------------------------- */

static bool parse_u32(struct rf_str text, uint32_t *out)
{
    uint64_t number;
    if (!rf_str_to_u64(text, &number) || number == 0 || number > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

enum field {
    GTID,
    FILE_NAME,
    START,
    END,
    LAST,
    TIME,
    SUM,
    SERVER,
    CREATED,
    UUID,
    BY,
    PREPARED,
    FIELD_COUNT
};
static const char *const field_names[FIELD_COUNT] = {"gtid",    "file", "start", "end",
                                                     "last",    "time", "sum",   "server",
                                                     "created", "uuid", "by",    "prepared"};

static bool parse_field(struct rf_position *position, enum field field, struct rf_str value)
{
    switch (field) {
    case GTID: return rf_gtids_parse(&position->gtids, position->gtids.mysql, value, NULL) == RF_OK;
    case FILE_NAME: return rf_position_parse_file(&position->file, value);
    case START: return rf_str_to_u64(value, &position->start);
    case END: return rf_str_to_u64(value, &position->end);
    case LAST: return rf_txid_parse(value, &position->last);
    case TIME: {
        uint64_t time;
        bool good = rf_str_to_u64(value, &time) && time <= UINT32_MAX;
        position->time = good ? (uint32_t)time : 0;
        return good;
    }
    case SUM: return parse_u32(value, &position->sum);
    case SERVER: return parse_u32(value, &position->server_id);
    case CREATED: return parse_u32(value, &position->created);
    case UUID:
        position->has_uuid = rf_uuid_parse(value, &position->uuid);
        return position->has_uuid && position->gtids.mysql;
    case BY:
        position->by_place = rf_str_equal(value, RF_STR("place"));
        position->by_gtid = rf_str_equal(value, RF_STR("gtid"));
        return position->by_gtid || (position->by_place && position->gtids.mysql);
    case PREPARED: return rf_prepared_parse(&position->prepared, value, position->gtids.mysql);
    case FIELD_COUNT: break;
    }
    return false;
}

/* What is prepared lies before the position: by its GTID where it has one. */
static bool is_before(const struct rf_position *position)
{
    bool before = true;
    for (uint32_t i = 0; i < position->prepared.count; i++) {
        const struct rf_txid *txid = &position->prepared.items[i].txid;
        before &= txid->kind == RF_TXID_PLACE || rf_gtids_has(&position->gtids, txid);
    }
    return before;
}

/* Fields that need each other, and numbers that cannot be. */
static bool is_whole(struct rf_position *position, unsigned seen)
{
    bool last = (seen & 1u << START) != 0, sum = (seen & 1u << SUM) != 0;
    bool file = (seen & 1u << FILE_NAME) != 0, named = (seen & 1u << LAST) != 0;
    if (!(seen & 1u << GTID) || file != ((seen & 1u << END) != 0) || (last && !file) ||
        (sum && !last) || last != ((seen & 1u << TIME) != 0) ||
        named != (last && !position->by_place) || (position->by_place && !file) ||
        (position->by_gtid && !file)) {
        return false;
    }
    position->has_last = last;
    if (last && !named) {
        position->last = (struct rf_txid){.kind = RF_TXID_PLACE, .offset = position->start};
    }
    return (!last || (position->start < position->end && position->start > 0)) &&
           (!named || rf_gtids_has(&position->gtids, &position->last)) &&
           (!file || position->end >= 4) && is_before(position);
}

static bool is_position(struct rf_str text)
{
    return rf_str_starts(text, PREFIX_MARIADB) || rf_str_starts(text, PREFIX_MYSQL);
}

enum rf_status rf_position_parse(struct rf_position *position, struct rf_str text,
                                 struct rf_error *err)
{
    struct rf_str rest = text, field;
    unsigned seen = 0;
    if (!is_position(text)) {
        return rf_fail(err, RF_CONFIG, "not a position of a MariaDB or MySQL log: \"%.*s\"",
                       RF_STR_ARG(text));
    }
    position->gtids.mysql = rf_str_starts(text, PREFIX_MYSQL);
    size_t prefix = position->gtids.mysql ? PREFIX_MYSQL.size : PREFIX_MARIADB.size;
    rest.data += prefix;
    rest.size -= prefix;
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

/* Of either kind; none is no set. */
static bool parse_gtids(struct rf_gtids *gtids, struct rf_str text)
{
    return rf_str_trim(text).size > 0 && (rf_gtids_parse(gtids, false, text, NULL) == RF_OK ||
                                          rf_gtids_parse(gtids, true, text, NULL) == RF_OK);
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
    if (is_position(text)) {
        start->kind = RF_START_POSITION;
        return rf_position_parse(&start->position, text, err);
    }
    if (parse_gtids(&start->position.gtids, text)) {
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
                  "now, earliest, GTIDs such as 0-1-300000,1-2-7 (MySQL: UUID:1-300000), file and "
                  "offset such as bin.000003:1234, or a whole position as `rowferry position show` "
                  "prints it");
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

/* A position, a set, or the id of a transaction that has no GTID. */
static bool read_any(struct rf_position *position, struct rf_str text)
{
    if (is_position(text)) {
        return rf_position_parse(position, text, NULL) == RF_OK;
    }
    if (parse_gtids(&position->gtids, text)) {
        return true;
    }
    position->by_place = position->gtids.mysql = parse_place(position, text);
    return position->by_place;
}

/* Files are compared by their numbers. What a transaction's id names is its beginning. */
static bool place_contains(const struct rf_position *outer, const struct rf_position *inner,
                           bool transaction)
{
    struct rf_str base, other_base;
    uint64_t number, other;
    if (outer->has_uuid && inner->has_uuid && !rf_uuid_equal(&outer->uuid, &inner->uuid)) {
        return false;
    }
    if (!rf_index_number(rf_buf_str(&outer->file), &base, &number) ||
        !rf_index_number(rf_buf_str(&inner->file), &other_base, &other) ||
        !rf_str_equal(base, other_base)) {
        return rf_str_equal(rf_buf_str(&outer->file), rf_buf_str(&inner->file)) &&
               outer->end >= inner->end + transaction;
    }
    return number > other || (number == other && outer->end >= inner->end + transaction);
}

bool rf_position_contains(struct rf_str position, struct rf_str other)
{
    struct rf_position outer = {0}, inner = {0};
    bool contains = read_any(&outer, position) && read_any(&inner, other) &&
                    outer.gtids.mysql == inner.gtids.mysql &&
                    rf_gtids_contain(&outer.gtids, &inner.gtids) &&
                    (!inner.by_place || place_contains(&outer, &inner, !is_position(other)));
    rf_position_deinit(&outer);
    rf_position_deinit(&inner);
    return contains;
}
