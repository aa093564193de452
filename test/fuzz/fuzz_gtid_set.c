/* MySQL's GTIDs as text, as bytes and in events. A set that is accepted has its form, and reads
 * back as the same one from its text and from its bytes. */
#include "wire/binlog.h"
#include "wire/mysql_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(const struct rf_gtid_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const struct rf_gtid_run *run = &set->items[i];
        rf_assert(run->count > 0 && run->items[0].first > 0);
        rf_assert(run->items[run->count - 1].last <= RF_GTID_NUMBER_MAX);
        for (uint32_t j = 0; j < run->count; j++) {
            rf_assert(run->items[j].first <= run->items[j].last);
            rf_assert(j == 0 || run->items[j - 1].last + 1 < run->items[j].first);
        }
    }
}

static void check_same(const struct rf_gtid_set *a, const struct rf_gtid_set *b)
{
    rf_assert(rf_gtid_set_contains(a, b) && rf_gtid_set_contains(b, a));
}

static void check_set(const struct rf_gtid_set *set)
{
    struct rf_buf text = {0}, bytes = {0};
    struct rf_gtid_set again = {0};
    check_form(set);
    rf_gtid_set_print(&text, set);
    rf_assert(rf_gtid_set_parse(&again, rf_buf_str(&text), NULL) == RF_OK);
    check_same(set, &again);
    rf_gtid_set_encode(&bytes, set);
    rf_assert(rf_gtid_set_decode(&again, rf_buf_str(&bytes), NULL) == RF_OK);
    check_same(set, &again);
    rf_gtid_set_unite(&again, set);
    check_same(set, &again);
    rf_gtid_set_subtract(&again, set);
    rf_assert(again.count == 0);
    rf_gtid_set_deinit(&again);
    rf_buf_deinit(&text);
    rf_buf_deinit(&bytes);
}

static void check_event(unsigned type, struct rf_str body)
{
    struct rf_mysql_gtid_event event;
    struct rf_error err = {0};
    if (rf_mysql_gtid_event_parse(type, body, &event, &err) != RF_OK) {
        rf_assert(err.status == RF_FATAL && err.message[0] != '\0');
        return;
    }
    rf_assert((event.gtid.number == 0) == (type == RF_BINLOG_MYSQL_ANONYMOUS_GTID));
    if (event.gtid.number > 0) {
        struct rf_buf text = {0};
        struct rf_mysql_gtid again;
        rf_mysql_gtid_print(&text, &event.gtid);
        rf_assert(rf_mysql_gtid_parse(rf_buf_str(&text), &again));
        rf_assert(rf_mysql_gtid_equal(&event.gtid, &again));
        rf_buf_deinit(&text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_str text = {(const char *)data, size};
    struct rf_gtid_set set = {0}, other = {0};
    struct rf_mysql_heartbeat heartbeat;
    struct rf_mysql_xa_prepare prepare;
    struct rf_error err = {0};
    if (rf_gtid_set_parse(&set, text, &err) == RF_OK) {
        check_set(&set);
    } else {
        rf_assert(err.status == RF_CONFIG && set.count == 0);
    }
    if (rf_gtid_set_decode(&other, text, &err) == RF_OK) {
        check_set(&other);
    } else {
        rf_assert(err.status == RF_FATAL);
    }
    check_event(RF_BINLOG_MYSQL_GTID, text);
    check_event(RF_BINLOG_MYSQL_ANONYMOUS_GTID, text);
    check_event(RF_BINLOG_MYSQL_GTID_TAGGED, text);
    if (rf_mysql_heartbeat_parse(text, &heartbeat, &err) == RF_OK) {
        rf_assert(heartbeat.file.size <= size);
    }
    if (rf_mysql_xa_prepare_parse(text, &prepare, &err) == RF_OK) {
        rf_assert(prepare.global.size + prepare.branch.size <= size);
    }
    rf_gtid_set_deinit(&set);
    rf_gtid_set_deinit(&other);
    return 0;
}
