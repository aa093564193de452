/* GTIDs as text and as events. What is accepted as a position prints as one that means the same. */
#include "wire/gtid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const struct rf_gtid_list *list)
{
    struct rf_buf text = {0};
    struct rf_gtid_list again = {0};
    struct rf_error err = {0};
    for (uint32_t i = 0; i < list->count; i++) {
        rf_assert(i == 0 || list->items[i - 1].domain < list->items[i].domain);
        rf_assert(rf_gtid_list_has(list, list->items[i]));
    }
    rf_gtid_list_print(&text, list);
    rf_assert(rf_gtid_list_parse(&again, rf_buf_str(&text), &err) == RF_OK);
    rf_assert(again.count == list->count);
    rf_assert(rf_gtid_list_contains(list, &again) && rf_gtid_list_contains(&again, list));
    rf_gtid_list_deinit(&again);
    rf_buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rf_str text = {(const char *)data, size};
    struct rf_gtid_list list = {0};
    struct rf_gtid_event event;
    struct rf_error err = {0};
    if (rf_gtid_list_parse(&list, text, &err) == RF_OK) {
        check_list(&list);
    } else {
        rf_assert(err.status == RF_CONFIG && list.count == 0);
    }
    if (rf_gtid_list_event_parse(text, &list, &err) == RF_OK) {
        check_list(&list);
    }
    if (rf_gtid_event_parse(text, 1, &event, &err) == RF_OK) {
        rf_assert(event.xid_global.size + event.xid_branch.size <= size);
    }
    rf_gtid_list_deinit(&list);
    return 0;
}
