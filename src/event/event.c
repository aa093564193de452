#include <rowferry/event.h>

const char *rf_op_name(enum rf_op op)
{
    static const char *const names[] = {"none",     "create", "update", "delete",
                                        "truncate", "ddl",    "read"};
    return (unsigned)op < sizeof names / sizeof *names ? names[op] : "unknown";
}

bool rf_event_changes_key(const struct rf_event *event)
{
    if (event->op != RF_UPDATE || event->before == NULL || event->after == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < event->table->key_count; i++) {
        uint32_t column = event->table->key_columns[i];
        if (!rf_value_equal(event->before[column], event->after[column])) {
            return true;
        }
    }
    return false;
}
