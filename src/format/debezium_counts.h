/* How many events a transaction has had so far, in all and of each table: for debezium's
 * transaction metadata.
 *
 * Private to debezium.c. Tables are told apart by their names, as one may get another version
 * within a transaction. Memory grows with the tables of the largest transaction and is used again.
 * Thread: the owner's.
 *
 * Source: Debezium, "Transaction metadata". */
#ifndef ROWFERRY_FORMAT_DEBEZIUM_COUNTS_H
#define ROWFERRY_FORMAT_DEBEZIUM_COUNTS_H

#include <rowferry/str.h>

struct rf_debezium_count {
    uint32_t name_start; /* in `names` */
    uint32_t name_size;
    uint64_t events; /* 0: all were taken back */
};

/* Zeroed is empty and valid. */
struct rf_debezium_counts {
    uint64_t total;
    struct rf_debezium_count *items; /* in the order of the tables' first events */
    uint32_t count;
    uint32_t capacity;
    uint32_t *places; /* an item's number + 1 by hash of its name; 0: free */
    uint32_t place_capacity;
    struct rf_buf names;
};

void rf_debezium_counts_reset(struct rf_debezium_counts *counts);
/* One more event of this table: counts->total grows, and so does what is returned, which is valid
 * until the next call. */
const struct rf_debezium_count *rf_debezium_counts_add(struct rf_debezium_counts *counts,
                                                       struct rf_str table);
/* Takes one event back that was added before. */
void rf_debezium_counts_take_back(struct rf_debezium_counts *counts, struct rf_str table);
/* The name of an item; valid until the next add. */
static inline struct rf_str rf_debezium_count_name(const struct rf_debezium_counts *counts,
                                                   const struct rf_debezium_count *item)
{
    return (struct rf_str){counts->names.data + item->name_start, item->name_size};
}
void rf_debezium_counts_deinit(struct rf_debezium_counts *counts);

#endif
