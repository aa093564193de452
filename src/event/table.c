#include <rowferry/event.h>
#include <stdlib.h>

struct rf_table *rf_table_retain(struct rf_table *table)
{
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    return table;
}

void rf_table_release(struct rf_table *table)
{
    if (table != NULL &&
        atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) == 1) {
        free(table->memory);
        free(table);
    }
}

int rf_table_find(const struct rf_table *table, struct rf_str column)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (rf_str_equal(table->columns[i].name, column)) {
            return (int)i;
        }
    }
    return -1;
}
