#include "wire/gtid.h"

#include "base/memory.h"
#include "wire/cursor.h"

#include <stdlib.h>

bool rf_gtid_parse(struct rf_str text, struct rf_gtid *gtid)
{
    struct rf_str rest = text, field;
    uint64_t numbers[3];
    for (size_t i = 0; i < 3; i++) {
        if (!rf_str_split(&rest, '-', &field) || !rf_str_to_u64(field, &numbers[i])) {
            return false;
        }
    }
    if (rest.data != NULL || numbers[0] > UINT32_MAX || numbers[1] > UINT32_MAX) {
        return false;
    }
    *gtid = (struct rf_gtid){(uint32_t)numbers[0], (uint32_t)numbers[1], numbers[2]};
    return true;
}

void rf_gtid_print(struct rf_buf *out, struct rf_gtid gtid)
{
    rf_buf_add_u64(out, gtid.domain);
    rf_buf_add_byte(out, '-');
    rf_buf_add_u64(out, gtid.server_id);
    rf_buf_add_byte(out, '-');
    rf_buf_add_u64(out, gtid.sequence);
}

/* Where the domain stands, or belongs. */
static uint32_t place(const struct rf_gtid_list *list, uint32_t domain)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->items[middle].domain < domain) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct rf_gtid *rf_gtid_list_find(const struct rf_gtid_list *list, uint32_t domain)
{
    uint32_t at = place(list, domain);
    return at < list->count && list->items[at].domain == domain ? &list->items[at] : NULL;
}

static void reserve(struct rf_gtid_list *list, uint32_t capacity)
{
    if (list->capacity < capacity) {
        uint32_t grown = list->capacity ? list->capacity * 2 : 4;
        list->capacity = grown > capacity ? grown : capacity;
        list->items = rf_realloc(list->items, list->capacity * sizeof *list->items);
    }
}

void rf_gtid_list_update(struct rf_gtid_list *list, struct rf_gtid gtid)
{
    uint32_t at = place(list, gtid.domain);
    if (at == list->count || list->items[at].domain != gtid.domain) {
        rf_assert(list->count < UINT32_MAX / 2);
        reserve(list, list->count + 1);
        memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof *list->items);
        list->count++;
    }
    list->items[at] = gtid;
}

enum rf_status rf_gtid_list_parse(struct rf_gtid_list *list, struct rf_str text,
                                  struct rf_error *err)
{
    enum rf_status status = RF_OK;
    struct rf_gtid_list parsed = {0};
    struct rf_str rest = rf_str_trim(text), field;
    while (rest.size > 0 && rf_str_split(&rest, ',', &field)) {
        struct rf_gtid gtid;
        field = rf_str_trim(field);
        if (!rf_gtid_parse(field, &gtid)) {
            status = rf_fail(err, RF_CONFIG, "\"%.*s\" is not a GTID", RF_STR_ARG(field));
            rf_error_hint(err, "A position is one domain-server-sequence per domain, with commas "
                               "between them: 0-1-42,7-2-12.");
            goto done;
        }
        if (rf_gtid_list_find(&parsed, gtid.domain) != NULL) {
            status = rf_fail(err, RF_CONFIG, "GTID domain %u comes twice in \"%.*s\"", gtid.domain,
                             RF_STR_ARG(text));
            goto done;
        }
        rf_gtid_list_update(&parsed, gtid);
        if (rest.data != NULL && rest.size == 0) {
            status = rf_fail(err, RF_CONFIG, "a GTID is missing behind the last comma of \"%.*s\"",
                             RF_STR_ARG(text));
            goto done;
        }
    }
    rf_gtid_list_copy(list, &parsed);

done:
    rf_gtid_list_deinit(&parsed);
    return status;
}

void rf_gtid_list_print(struct rf_buf *out, const struct rf_gtid_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0) {
            rf_buf_add_byte(out, ',');
        }
        rf_gtid_print(out, list->items[i]);
    }
}

bool rf_gtid_list_has(const struct rf_gtid_list *list, struct rf_gtid gtid)
{
    const struct rf_gtid *last = rf_gtid_list_find(list, gtid.domain);
    return last != NULL && (last->sequence > gtid.sequence ||
                            (last->sequence == gtid.sequence && last->server_id == gtid.server_id));
}

bool rf_gtid_list_contains(const struct rf_gtid_list *list, const struct rf_gtid_list *other)
{
    for (uint32_t i = 0; i < other->count; i++) {
        if (!rf_gtid_list_has(list, other->items[i])) {
            return false;
        }
    }
    return true;
}

void rf_gtid_list_copy(struct rf_gtid_list *list, const struct rf_gtid_list *other)
{
    reserve(list, other->count);
    if (other->count > 0) {
        memcpy(list->items, other->items, other->count * sizeof *list->items);
    }
    list->count = other->count;
}

void rf_gtid_list_reset(struct rf_gtid_list *list)
{
    list->count = 0;
}

void rf_gtid_list_deinit(struct rf_gtid_list *list)
{
    free(list->items);
    *list = (struct rf_gtid_list){0};
}

enum rf_status rf_gtid_event_parse(struct rf_str body, uint32_t server_id,
                                   struct rf_gtid_event *event, struct rf_error *err)
{
    enum { EXTRA_SEVERAL_ENGINES = 0x01, EXTRA_ENDS_ALTER = 0x04 | 0x08, EXTRA_THREAD = 0x10 };
    struct rf_cursor cursor = rf_cursor_of(body);
    struct rf_gtid_event read = {.gtid.server_id = server_id};

    read.gtid.sequence = rf_cursor_u64(&cursor, "sequence number");
    read.gtid.domain = rf_cursor_u32(&cursor, "domain");
    read.flags = rf_cursor_u8(&cursor, "flags");
    if (read.flags & RF_GTID_GROUP_COMMIT_ID) {
        read.commit_id = rf_cursor_u64(&cursor, "commit id");
    }
    if (read.flags & (RF_GTID_PREPARED_XA | RF_GTID_COMPLETED_XA)) {
        read.xid_format = rf_cursor_u32(&cursor, "XA format id");
        uint8_t global_size = rf_cursor_u8(&cursor, "XA global id size");
        uint8_t branch_size = rf_cursor_u8(&cursor, "XA branch size");
        read.xid_global = rf_cursor_str(&cursor, global_size, "XA global id");
        read.xid_branch = rf_cursor_str(&cursor, branch_size, "XA branch");
    }
    if (rf_cursor_left(&cursor) > 0) {
        read.extra_flags = rf_cursor_u8(&cursor, "extra flags");
        if (read.extra_flags & EXTRA_SEVERAL_ENGINES) {
            rf_cursor_u8(&cursor, "number of engines");
        }
        if (read.extra_flags & EXTRA_ENDS_ALTER) {
            rf_cursor_u64(&cursor, "sequence number of START ALTER");
        }
        if (read.extra_flags & EXTRA_THREAD) {
            read.has_thread = true;
            read.thread_id = rf_cursor_u32(&cursor, "thread id");
        }
    }
    enum rf_status status = rf_cursor_check(&cursor, "GTID event", err);
    if (status == RF_OK) {
        *event = read;
    }
    return status;
}

enum rf_status rf_gtid_list_event_parse(struct rf_str body, struct rf_gtid_list *list,
                                        struct rf_error *err)
{
    enum { COUNT_MASK = 0x0fffffff, ENTRY_SIZE = 16 };
    struct rf_cursor cursor = rf_cursor_of(body);
    uint32_t count = rf_cursor_u32(&cursor, "count") & COUNT_MASK;

    /* An empty list has two bytes behind it, so that it can be overwritten with a dummy event. */
    if (rf_cursor_left(&cursor) < (size_t)count * ENTRY_SIZE) {
        rf_cursor_fail(&cursor, "entry");
    }
    enum rf_status status = rf_cursor_check(&cursor, "GTID_LIST event", err);
    if (status != RF_OK) {
        return status;
    }
    rf_gtid_list_reset(list);
    for (uint32_t i = 0; i < count; i++) {
        struct rf_gtid gtid;
        gtid.domain = rf_cursor_u32(&cursor, "domain");
        gtid.server_id = rf_cursor_u32(&cursor, "server id");
        gtid.sequence = rf_cursor_u64(&cursor, "sequence number");
        rf_gtid_list_update(list, gtid);
    }
    return RF_OK;
}
