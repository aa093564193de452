#include "lib/feed.h"

#include "base/memory.h"
#include "lib/events.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS_MAX = 60, EVENTS_PER_BATCH = 30, KEYS = 80 };

/* A row that is there now. */
struct row {
    bool used;
    char key[32];
    char values[RF_TEST_COLUMNS][32];
};

struct maker {
    struct rf_test_feed *feed;
    uint64_t seed;
    struct row rows[RF_TEST_TABLES][ROWS_MAX];
    struct rf_batch *batch;
};

uint32_t rf_test_random(uint64_t *seed, uint32_t limit)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % limit;
}

static struct rf_test_change *add_change(struct maker *maker, enum rf_op op, int table)
{
    struct rf_test_feed *feed = maker->feed;
    if ((feed->change_count & (feed->change_count - 1)) == 0) {
        size_t room = feed->change_count ? feed->change_count * 2 : 1;
        feed->changes = rf_realloc(feed->changes, room * sizeof *feed->changes);
    }
    struct rf_test_change *change = &feed->changes[feed->change_count++];
    *change = (struct rf_test_change){.op = op, .table = table};
    return change;
}

static void row_text(const struct row *row, char out[128])
{
    snprintf(out, 128, "%s|%s|%s", row->values[0], row->values[1], row->values[2]);
}

/* Random values; the key is one that no row of the table has. */
static void draw_row(struct maker *maker, int table, struct row *row, bool new_key)
{
    bool taken = new_key;
    while (taken) {
        uint32_t number = rf_test_random(&maker->seed, KEYS);
        if (table == 0) {
            snprintf(row->values[0], sizeof row->values[0], "%u", number);
            snprintf(row->key, sizeof row->key, "%u", number);
        } else {
            snprintf(row->values[0], sizeof row->values[0], "k%u", number % 7);
            snprintf(row->values[1], sizeof row->values[1], "%u", number);
            snprintf(row->key, sizeof row->key, "k%u:%u", number % 7, number);
        }
        taken = false;
        for (int i = 0; i < ROWS_MAX; i++) {
            const struct row *other = &maker->rows[table][i];
            taken |= other->used && other != row && strcmp(other->key, row->key) == 0;
        }
    }
    for (int i = table + 1; i < RF_TEST_COLUMNS; i++) {
        if (rf_test_random(&maker->seed, 4) == 0) {
            snprintf(row->values[i], sizeof row->values[i], "NULL");
        } else {
            snprintf(row->values[i], sizeof row->values[i], "v%u",
                     rf_test_random(&maker->seed, 1000000));
        }
    }
}

static void make_truncate(struct maker *maker, int table)
{
    add_change(maker, RF_TRUNCATE, table);
    rf_test_truncate(maker->batch, "shop", table == 0 ? "orders" : "pairs");
    for (int i = 0; i < ROWS_MAX; i++) {
        maker->rows[table][i].used = false;
    }
}

static void make_change(struct maker *maker)
{
    int table = (int)rf_test_random(&maker->seed, RF_TEST_TABLES);
    struct rf_table *shape = maker->feed->tables[table];
    struct row *row = &maker->rows[table][rf_test_random(&maker->seed, ROWS_MAX)];
    struct rf_test_change *change;
    char before[128], after[128];
    uint32_t dice = rf_test_random(&maker->seed, 200);
    if (dice == 0) {
        make_truncate(maker, table);
    } else if (dice == 1) {
        add_change(maker, RF_DDL, -1);
        rf_test_ddl(maker->batch, "shop", "CREATE TABLE other (x INT)");
    } else if (!row->used) {
        draw_row(maker, table, row, true);
        row->used = true;
        row_text(row, after);
        rf_test_create(maker->batch, shape, after);
        change = add_change(maker, RF_CREATE, table);
        memcpy(change->new_key, row->key, sizeof row->key);
        memcpy(change->values, row->values, sizeof row->values);
    } else if (dice < 140) {
        change = add_change(maker, RF_UPDATE, table);
        memcpy(change->old_key, row->key, sizeof row->key);
        row_text(row, before);
        draw_row(maker, table, row, dice < 50);
        row_text(row, after);
        rf_test_update(maker->batch, shape, before, after);
        memcpy(change->new_key, row->key, sizeof row->key);
        memcpy(change->values, row->values, sizeof row->values);
    } else {
        change = add_change(maker, RF_DELETE, table);
        memcpy(change->old_key, row->key, sizeof row->key);
        row_text(row, before);
        rf_test_delete(maker->batch, shape, before);
        row->used = false;
    }
}

void rf_test_feed_init(struct rf_test_feed *feed, uint64_t seed, uint32_t batch_count)
{
    struct maker maker = {.feed = feed, .seed = seed};
    *feed = (struct rf_test_feed){
        .batches = rf_alloc_zero(batch_count, sizeof *feed->batches),
        .batch_count = batch_count,
        .tables = {rf_test_table("shop", "orders", "id:int! name:text price:text"),
                   rf_test_table("shop", "pairs", "a:text! b:int! x:text")},
    };
    bool inside = false;
    for (uint32_t i = 0; i < batch_count; i++) {
        maker.batch = &feed->batches[i];
        maker.batch->bytes_max = 1 << 20;
        if (inside) {
            rf_test_resume(maker.batch, feed->last);
            if (i % 8 == 7 || i + 1 == batch_count) {
                rf_test_commit(maker.batch); /* nothing but the end */
                inside = false;
                continue;
            }
        }
        while (maker.batch->count < EVENTS_PER_BATCH) {
            if (!inside) {
                rf_test_begin(maker.batch, ++feed->last);
            }
            for (uint32_t events = rf_test_random(&maker.seed, 12); events > 0; events--) {
                make_change(&maker);
            }
            /* Batches 4 to 6 of 8 are the middle of one large transaction. */
            inside = i % 8 >= 4 && i % 8 <= 6 && i + 1 < batch_count;
            if (!inside) {
                rf_test_commit(maker.batch);
            }
        }
    }
}

void rf_test_feed_deinit(struct rf_test_feed *feed)
{
    for (uint32_t i = 0; i < feed->batch_count; i++) {
        rf_batch_deinit(&feed->batches[i]);
    }
    for (int i = 0; i < RF_TEST_TABLES; i++) {
        rf_table_release(feed->tables[i]);
    }
    free(feed->batches);
    free(feed->changes);
}

static uint64_t number_of(const struct rf_transaction *transaction)
{
    struct rf_str text = transaction->id;
    uint64_t number = 0;
    text.data += sizeof "0-1-" - 1;
    text.size -= sizeof "0-1-" - 1;
    rf_assert(rf_str_to_u64(text, &number));
    return number;
}

bool rf_test_feed_view(const struct rf_test_feed *feed, uint32_t batch, uint64_t behind,
                       struct rf_view *view)
{
    const struct rf_batch *from = &feed->batches[batch];
    uint32_t had = 0;
    while (had < from->transaction_count && number_of(&from->transactions[had]) <= behind) {
        had++;
    }
    if (had == from->transaction_count) {
        return false;
    }
    uint32_t first = from->transactions[had].first;
    *view = (struct rf_view){
        .batch = from,
        .count = from->count - first,
        .transactions = from->transactions + had,
        .transaction_count = from->transaction_count - had,
    };
    if (from->events != NULL) {
        view->events = from->events + first;
    }
    return true;
}
