/* A day in the life of a source: batches of events that hang together, made from a seed.
 *
 * Transactions are numbered from 1, and a position is such a number as text. Some are larger than a
 * batch; of one the last batch holds nothing but the end. Beside the events stands what happened,
 * in plain text, from which a test can tell what a destination must hold without asking a sink. */
#ifndef ROWFERRY_TEST_FEED_H
#define ROWFERRY_TEST_FEED_H

#include <rowferry/batch.h>

enum { RF_TEST_TABLES = 2, RF_TEST_COLUMNS = 3 };

/* One event. Texts are empty where there is nothing; NULL is SQL's NULL. */
struct rf_test_change {
    enum rf_op op;
    int table;        /* -1: a statement about none */
    char old_key[32]; /* as in a key of Redis: parts joined by ":" */
    char new_key[32];
    char values[RF_TEST_COLUMNS][32]; /* of the new row */
};

struct rf_test_feed {
    struct rf_batch *batches;
    uint32_t batch_count;
    uint64_t last; /* number of the last transaction */
    struct rf_table *tables[RF_TEST_TABLES];
    struct rf_test_change *changes; /* one per event, in order */
    uint32_t change_count;
};

void rf_test_feed_init(struct rf_test_feed *feed, uint64_t seed, uint32_t batch_count);
void rf_test_feed_deinit(struct rf_test_feed *feed);

/* What of that batch lies behind a transaction, as the engine would hand it over. False: nothing,
 * no event and no end of a transaction. */
bool rf_test_feed_view(const struct rf_test_feed *feed, uint32_t batch, uint64_t behind,
                       struct rf_view *view);

/* Pseudo-random numbers that a seed repeats: the next one, below limit. */
uint32_t rf_test_random(uint64_t *seed, uint32_t limit);

#endif
