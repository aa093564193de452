#include "wire/gtid_set.h"

#include "base/memory.h"
#include "event/digits.h"
#include "wire/cursor.h"

#include <stdlib.h>

/* ---- UUIDs and tags ------------------------------------------------------------------------ */

/* True in front of the byte that a dash precedes. */
static bool dashed(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool rf_uuid_parse(struct rf_str text, struct rf_uuid *uuid)
{
    struct rf_uuid read;
    const char *at = text.data;
    if (text.size != RF_UUID_TEXT_SIZE) {
        return false;
    }
    for (size_t i = 0; i < RF_UUID_SIZE; i++) {
        if (dashed(i) && *at++ != '-') {
            return false;
        }
        int high = rf_digit_of_hex(at[0]), low = rf_digit_of_hex(at[1]);
        if (high < 0 || low < 0) {
            return false;
        }
        read.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *uuid = read;
    return true;
}

void rf_uuid_print(struct rf_buf *out, const struct rf_uuid *uuid)
{
    static const char digits[] = "0123456789abcdef";
    char *to = rf_buf_reserve(out, RF_UUID_TEXT_SIZE);
    for (size_t i = 0; i < RF_UUID_SIZE; i++) {
        if (dashed(i)) {
            *to++ = '-';
        }
        *to++ = digits[uuid->bytes[i] >> 4];
        *to++ = digits[uuid->bytes[i] & 15];
    }
    out->size += RF_UUID_TEXT_SIZE;
}

bool rf_uuid_equal(const struct rf_uuid *a, const struct rf_uuid *b)
{
    return memcmp(a->bytes, b->bytes, RF_UUID_SIZE) == 0;
}

bool rf_gtid_origin_tag(struct rf_gtid_origin *origin, struct rf_str tag)
{
    char small[RF_GTID_TAG_MAX];
    if (tag.size > RF_GTID_TAG_MAX) {
        return false;
    }
    for (size_t i = 0; i < tag.size; i++) {
        char byte = tag.data[i];
        bool digit = byte >= '0' && byte <= '9';
        byte = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
        if (!(byte >= 'a' && byte <= 'z') && byte != '_' && !(digit && i > 0)) {
            return false;
        }
        small[i] = byte;
    }
    memset(origin->tag, 0, sizeof origin->tag);
    memcpy(origin->tag, small, tag.size);
    origin->tag_size = (uint8_t)tag.size;
    return true;
}

static int compare(const struct rf_gtid_origin *a, const struct rf_gtid_origin *b)
{
    int order = memcmp(a->uuid.bytes, b->uuid.bytes, RF_UUID_SIZE);
    return order != 0 ? order : memcmp(a->tag, b->tag, RF_GTID_TAG_MAX);
}

/* ---- One transaction ----------------------------------------------------------------------- */

static bool parse_number(struct rf_str text, uint64_t *number)
{
    uint64_t read;
    if (!rf_str_to_u64(text, &read) || read == 0 || read > RF_GTID_NUMBER_MAX) {
        return false;
    }
    *number = read;
    return true;
}

bool rf_mysql_gtid_parse(struct rf_str text, struct rf_mysql_gtid *gtid)
{
    struct rf_mysql_gtid read = {0};
    struct rf_str rest = text, uuid, tag = RF_STR_NONE, number;
    if (!rf_str_split(&rest, ':', &uuid) || !rf_uuid_parse(uuid, &read.origin.uuid) ||
        !rf_str_split(&rest, ':', &number)) {
        return false;
    }
    if (rest.data != NULL) {
        tag = number;
        number = rest;
        if (tag.size == 0 || !rf_gtid_origin_tag(&read.origin, tag)) {
            return false;
        }
    }
    if (!parse_number(number, &read.number)) {
        return false;
    }
    *gtid = read;
    return true;
}

void rf_mysql_gtid_print(struct rf_buf *out, const struct rf_mysql_gtid *gtid)
{
    rf_uuid_print(out, &gtid->origin.uuid);
    rf_buf_add_byte(out, ':');
    if (gtid->origin.tag_size > 0) {
        rf_buf_add(out, gtid->origin.tag, gtid->origin.tag_size);
        rf_buf_add_byte(out, ':');
    }
    rf_buf_add_u64(out, gtid->number);
}

bool rf_mysql_gtid_equal(const struct rf_mysql_gtid *a, const struct rf_mysql_gtid *b)
{
    return a->number == b->number && compare(&a->origin, &b->origin) == 0;
}

/* ---- Intervals of one origin --------------------------------------------------------------- */

/* The first interval that ends at `number` or behind it. */
static uint32_t interval_place(const struct rf_gtid_run *run, uint64_t number)
{
    uint32_t low = 0, high = run->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run->items[middle].last < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Puts the intervals of `from` to `from + taken` out and `added` in their place. */
static void splice(struct rf_gtid_run *run, uint32_t from, uint32_t taken,
                   const struct rf_gtid_interval *added, uint32_t added_count)
{
    uint32_t count = run->count - taken + added_count;
    rf_assert(run->count < UINT32_MAX / 2);
    if (count > run->capacity) {
        run->capacity = run->capacity * 2 > count ? run->capacity * 2 : count;
        run->items = rf_realloc(run->items, run->capacity * sizeof *run->items);
    }
    if (taken != added_count && from + taken < run->count) {
        memmove(run->items + from + added_count, run->items + from + taken,
                (run->count - from - taken) * sizeof *run->items);
    }
    if (added_count > 0) {
        memcpy(run->items + from, added, added_count * sizeof *run->items);
    }
    run->count = count;
}

/* False when all of it was there already. */
static bool run_add(struct rf_gtid_run *run, struct rf_gtid_interval added)
{
    /* What touches it counts as well: 3 and 4 are one interval. */
    uint32_t from = interval_place(run, added.first - 1), to = from;
    if (from < run->count && run->items[from].first <= added.first &&
        run->items[from].last >= added.last) {
        return false;
    }
    while (to < run->count && run->items[to].first <= added.last + 1) {
        to++;
    }
    if (to > from) {
        struct rf_gtid_interval first = run->items[from], last = run->items[to - 1];
        added.first = first.first < added.first ? first.first : added.first;
        added.last = last.last > added.last ? last.last : added.last;
    }
    splice(run, from, to - from, &added, 1);
    return true;
}

static void run_subtract(struct rf_gtid_run *run, struct rf_gtid_interval taken)
{
    struct rf_gtid_interval left[2];
    uint32_t from = interval_place(run, taken.first), to = from, count = 0;
    while (to < run->count && run->items[to].first <= taken.last) {
        to++;
    }
    if (to == from) {
        return;
    }
    if (run->items[from].first < taken.first) {
        left[count++] = (struct rf_gtid_interval){run->items[from].first, taken.first - 1};
    }
    if (run->items[to - 1].last > taken.last) {
        left[count++] = (struct rf_gtid_interval){taken.last + 1, run->items[to - 1].last};
    }
    splice(run, from, to - from, left, count);
}

static bool run_has(const struct rf_gtid_run *run, struct rf_gtid_interval wanted)
{
    uint32_t at = interval_place(run, wanted.first);
    return at < run->count && run->items[at].first <= wanted.first &&
           run->items[at].last >= wanted.last;
}

/* ---- Sets ---------------------------------------------------------------------------------- */

/* Where the origin stands, or belongs. */
static uint32_t place(const struct rf_gtid_set *set, const struct rf_gtid_origin *origin)
{
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&set->items[middle].origin, origin) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct rf_gtid_run *find(const struct rf_gtid_set *set,
                                      const struct rf_gtid_origin *origin)
{
    uint32_t at = place(set, origin);
    return at < set->count && compare(&set->items[at].origin, origin) == 0 ? &set->items[at] : NULL;
}

/* The origin's run; an empty new one when it has none, to be filled at once. */
static struct rf_gtid_run *obtain(struct rf_gtid_set *set, const struct rf_gtid_origin *origin)
{
    if (set->recent < set->count && compare(&set->items[set->recent].origin, origin) == 0) {
        return &set->items[set->recent];
    }
    uint32_t at = place(set, origin);
    set->recent = at;
    if (at < set->count && compare(&set->items[at].origin, origin) == 0) {
        return &set->items[at];
    }
    if (set->count == set->capacity) {
        uint32_t capacity = set->capacity ? set->capacity * 2 : 2;
        rf_assert(set->count < UINT32_MAX / 4);
        set->items = rf_realloc(set->items, capacity * sizeof *set->items);
        memset(set->items + set->capacity, 0, (capacity - set->capacity) * sizeof *set->items);
        set->capacity = capacity;
    }
    struct rf_gtid_run spare = set->items[set->count];
    memmove(set->items + at + 1, set->items + at, (set->count - at) * sizeof *set->items);
    spare.origin = *origin;
    spare.count = 0;
    set->items[at] = spare;
    set->count++;
    return &set->items[at];
}

bool rf_gtid_set_add(struct rf_gtid_set *set, const struct rf_mysql_gtid *gtid)
{
    struct rf_gtid_run *run = obtain(set, &gtid->origin);
    return run_add(run, (struct rf_gtid_interval){gtid->number, gtid->number});
}

bool rf_gtid_set_has(const struct rf_gtid_set *set, const struct rf_mysql_gtid *gtid)
{
    const struct rf_gtid_run *run = find(set, &gtid->origin);
    return run != NULL && run_has(run, (struct rf_gtid_interval){gtid->number, gtid->number});
}

bool rf_gtid_set_contains(const struct rf_gtid_set *set, const struct rf_gtid_set *other)
{
    for (uint32_t i = 0; i < other->count; i++) {
        const struct rf_gtid_run *theirs = &other->items[i], *ours = find(set, &theirs->origin);
        for (uint32_t j = 0; j < theirs->count; j++) {
            if (ours == NULL || !run_has(ours, theirs->items[j])) {
                return false;
            }
        }
    }
    return true;
}

void rf_gtid_set_unite(struct rf_gtid_set *set, const struct rf_gtid_set *other)
{
    for (uint32_t i = 0; i < other->count; i++) {
        struct rf_gtid_run *run = obtain(set, &other->items[i].origin);
        for (uint32_t j = 0; j < other->items[i].count; j++) {
            run_add(run, other->items[i].items[j]);
        }
    }
}

void rf_gtid_set_subtract(struct rf_gtid_set *set, const struct rf_gtid_set *other)
{
    for (uint32_t i = 0; i < other->count; i++) {
        uint32_t at = place(set, &other->items[i].origin);
        if (at == set->count || compare(&set->items[at].origin, &other->items[i].origin) != 0) {
            continue;
        }
        for (uint32_t j = 0; j < other->items[i].count; j++) {
            run_subtract(&set->items[at], other->items[i].items[j]);
        }
        if (set->items[at].count == 0) {
            struct rf_gtid_run spare = set->items[at];
            set->count--;
            memmove(set->items + at, set->items + at + 1, (set->count - at) * sizeof *set->items);
            set->items[set->count] = spare;
        }
    }
}

void rf_gtid_set_copy(struct rf_gtid_set *set, const struct rf_gtid_set *other)
{
    rf_gtid_set_reset(set);
    rf_gtid_set_unite(set, other);
}

void rf_gtid_set_reset(struct rf_gtid_set *set)
{
    set->count = 0;
    set->recent = 0;
}

void rf_gtid_set_deinit(struct rf_gtid_set *set)
{
    for (uint32_t i = 0; i < set->capacity; i++) {
        free(set->items[i].items);
    }
    free(set->items);
    *set = (struct rf_gtid_set){0};
}

/* ---- Text ---------------------------------------------------------------------------------- */

static bool parse_interval(struct rf_str text, struct rf_gtid_interval *interval)
{
    struct rf_str rest = text, first;
    rf_str_split(&rest, '-', &first);
    if (!parse_number(rf_str_trim(first), &interval->first)) {
        return false;
    }
    interval->last = interval->first;
    return rest.data == NULL ||
           (parse_number(rf_str_trim(rest), &interval->last) && interval->last >= interval->first);
}

/* "UUID:1-3:tag:5"; *wrong becomes the part that is none. */
static bool parse_server(struct rf_gtid_set *set, struct rf_str text, struct rf_str *wrong)
{
    struct rf_gtid_origin origin = {0};
    struct rf_str rest = text, part;
    bool some = false;
    rf_str_split(&rest, ':', &part);
    *wrong = part = rf_str_trim(part);
    if (!rf_uuid_parse(part, &origin.uuid)) {
        return false;
    }
    *wrong = text;
    while (rf_str_split(&rest, ':', &part)) {
        struct rf_gtid_interval interval;
        part = rf_str_trim(part);
        if (parse_interval(part, &interval)) {
            run_add(obtain(set, &origin), interval);
            some = true;
        } else if (part.size > 0 && rf_gtid_origin_tag(&origin, part)) {
            some = false; /* a tag's intervals come behind it */
        } else {
            *wrong = part.size > 0 ? part : text;
            return false;
        }
    }
    return some;
}

enum rf_status rf_gtid_set_parse(struct rf_gtid_set *set, struct rf_str text, struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_gtid_set parsed = {0};
    struct rf_str rest = rf_str_trim(text), field, wrong;
    while (rest.size > 0 && rf_str_split(&rest, ',', &field)) {
        bool ends_early = rest.data != NULL && rest.size == 0;
        if (ends_early || !parse_server(&parsed, rf_str_trim(field), &wrong)) {
            wrong = ends_early ? text : wrong;
            status = rf_fail(err, RF_CONFIG, "\"%.*s\" is not a set of GTIDs", RF_STR_ARG(wrong));
            rf_error_hint(err, "A set is one UUID:numbers per server, with commas between them: "
                               "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-7:9:tag:1-3");
            goto done;
        }
    }
    rf_gtid_set_copy(set, &parsed);

done:
    rf_gtid_set_deinit(&parsed);
    return status;
}

void rf_gtid_set_print(struct rf_buf *out, const struct rf_gtid_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const struct rf_gtid_run *run = &set->items[i];
        if (i == 0 || !rf_uuid_equal(&run->origin.uuid, &run[-1].origin.uuid)) {
            rf_buf_add_str(out, i > 0 ? RF_STR(",") : RF_STR_NONE);
            rf_uuid_print(out, &run->origin.uuid);
        }
        if (run->origin.tag_size > 0) {
            rf_buf_add_byte(out, ':');
            rf_buf_add(out, run->origin.tag, run->origin.tag_size);
        }
        for (uint32_t j = 0; j < run->count; j++) {
            rf_buf_add_byte(out, ':');
            rf_buf_add_u64(out, run->items[j].first);
            if (run->items[j].last > run->items[j].first) {
                rf_buf_add_byte(out, '-');
                rf_buf_add_u64(out, run->items[j].last);
            }
        }
    }
}

/* ---- Bytes --------------------------------------------------------------------------------- */

static void add_number(struct rf_buf *out, uint64_t number)
{
    char *to = rf_buf_reserve(out, 8);
    for (int i = 0; i < 8; i++) {
        to[i] = (char)(number >> (8 * i));
    }
    out->size += 8;
}

void rf_gtid_set_encode(struct rf_buf *out, const struct rf_gtid_set *set)
{
    bool tags = false;
    for (uint32_t i = 0; i < set->count && !tags; i++) {
        tags = set->items[i].origin.tag_size > 0;
    }
    add_number(out, tags ? (uint64_t)1 << 56 | (uint64_t)set->count << 8 | 1 : set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct rf_gtid_run *run = &set->items[i];
        rf_buf_add(out, run->origin.uuid.bytes, RF_UUID_SIZE);
        if (tags) {
            rf_buf_add_byte(out, (char)(run->origin.tag_size << 1));
            rf_buf_add(out, run->origin.tag, run->origin.tag_size);
        }
        add_number(out, run->count);
        for (uint32_t j = 0; j < run->count; j++) {
            add_number(out, run->items[j].first);
            add_number(out, run->items[j].last + 1);
        }
    }
}

static void decode_run(struct rf_cursor *cursor, bool tags, struct rf_gtid_set *set)
{
    enum { INTERVAL_SIZE = 16 };
    struct rf_gtid_origin origin = {0};
    struct rf_str uuid = rf_cursor_str(cursor, RF_UUID_SIZE, "UUID");
    if (uuid.size > 0) {
        memcpy(origin.uuid.bytes, uuid.data, RF_UUID_SIZE);
    }
    if (tags) {
        /* A length of 64 and more has another form, and no tag is that long. */
        uint8_t size = rf_cursor_u8(cursor, "length of a tag");
        struct rf_str tag = rf_cursor_str(cursor, size >> 1, "tag");
        if ((size & 1) != 0 || !rf_gtid_origin_tag(&origin, tag)) {
            rf_cursor_fail(cursor, "tag");
        }
    }
    uint64_t count = rf_cursor_u64(cursor, "number of intervals");
    if (count == 0 || count > rf_cursor_left(cursor) / INTERVAL_SIZE) {
        rf_cursor_fail(cursor, "number of intervals");
        return;
    }
    uint64_t before = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t first = rf_cursor_u64(cursor, "interval");
        uint64_t end = rf_cursor_u64(cursor, "interval");
        if (first <= before || end <= first || end > RF_GTID_NUMBER_MAX + 1) {
            rf_cursor_fail(cursor, "interval");
            return;
        }
        run_add(obtain(set, &origin), (struct rf_gtid_interval){first, end - 1});
        before = end;
    }
}

enum rf_status rf_gtid_set_decode(struct rf_gtid_set *set, struct rf_str body, struct rf_error *err)
{
    struct rf_cursor cursor = rf_cursor_of(body);
    struct rf_gtid_set decoded = {0};
    uint64_t count = rf_cursor_u64(&cursor, "number of servers");
    bool tags = count >> 56 == 1;
    if (tags) {
        count = (count & UINT64_C(0x00ffffffffffff00)) >> 8;
    }
    for (uint64_t i = 0; i < count && cursor.missing == NULL; i++) {
        decode_run(&cursor, tags, &decoded);
    }
    if (rf_cursor_left(&cursor) > 0) {
        rf_cursor_fail(&cursor, "end");
    }
    enum rf_status status = rf_cursor_check(&cursor, "set of GTIDs", err);
    if (status == RF_OK) {
        rf_gtid_set_copy(set, &decoded);
    }
    rf_gtid_set_deinit(&decoded);
    return status;
}
