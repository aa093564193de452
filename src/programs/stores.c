#include "programs/stores.h"

#include "base/clock.h"
#include "programs/stores_links.h"

#include <stdio.h>

/* Short, as one thread serves all of them: who is slower than this is away. */
enum { TIMEOUT_MS = 1500, RETRY_MS = 1000, SLOW_MS = 500, SLOW_RETRY_MS = 4000 };

const char *rf_store_title(enum rf_store store)
{
    static const char *const titles[] = {"MySQL", "MongoDB", "Redis", "Cassandra"};

    return titles[store];
}

/* ---- Connections ----------------------------------------------------------------------------- */

static void close_store(struct rf_stores *stores, enum rf_store store)
{
    switch (store) {
    case RF_STORE_MYSQL: rf_mysql_close(&stores->mysql); break;
    case RF_STORE_MONGO: rf_mongo_close(&stores->mongo); break;
    case RF_STORE_REDIS: rf_redis_close(&stores->redis); break;
    case RF_STORE_CASSANDRA: rf_cql_close(&stores->cassandra); break;
    case RF_STORES: break;
    }
    stores->open[store] = false;
}

static enum rf_status connect_store(struct rf_stores *stores, enum rf_store store,
                                    struct rf_error *err)
{
    switch (store) {
    case RF_STORE_MYSQL: return rf_access_mysql(&stores->mysql, TIMEOUT_MS, err);
    case RF_STORE_MONGO: return rf_access_mongo(&stores->mongo, TIMEOUT_MS, err);
    case RF_STORE_REDIS: return rf_access_redis(&stores->redis, TIMEOUT_MS, err);
    case RF_STORE_CASSANDRA:
        return rf_access_cassandra(&stores->cassandra, TIMEOUT_MS, &stores->interrupted, err);
    case RF_STORES: break;
    }
    rf_assert(false);
    return RF_FATAL;
}

enum rf_status rf_stores_done(struct rf_stores *stores, enum rf_store store, enum rf_status status,
                              const struct rf_error *err)
{
    if (status == RF_OK) {
        return status;
    }
    bool refused = status == RF_CONFIG && stores->open[store];
    close_store(stores, store);
    if (refused) {
        return status; /* it is there; the next call connects again */
    }
    /* A connection refused costs nothing; one that says nothing costs the time-out at each try. */
    bool slow = rf_clock_ms() - stores->begun_ms[store] > SLOW_MS;
    stores->retry_ms[store] = rf_clock_ms() + (slow ? SLOW_RETRY_MS : RETRY_MS);
    snprintf(stores->away[store], sizeof stores->away[store], "%.150s", err->message);
    return status;
}

enum rf_status rf_stores_open(struct rf_stores *stores, enum rf_store store, struct rf_error *err)
{
    stores->begun_ms[store] = rf_clock_ms();
    if (stores->open[store]) {
        return RF_OK;
    }
    if (rf_clock_ms() < stores->retry_ms[store]) {
        return rf_fail(err, RF_RETRY, "%s", stores->away[store]);
    }
    enum rf_status status = connect_store(stores, store, err);
    if (status == RF_OK) {
        stores->open[store] = true;
        stores->away[store][0] = '\0';
    }
    return rf_stores_done(stores, store, status, err);
}

void rf_stores_interrupt(struct rf_stores *stores)
{
    rf_mysql_interrupt(&stores->mysql);
    rf_mongo_interrupt(&stores->mongo);
    rf_redis_interrupt(&stores->redis);
    atomic_store(&stores->interrupted, true);
}

void rf_stores_close(struct rf_stores *stores)
{
    for (int store = 0; store < RF_STORES; store++) {
        close_store(stores, (enum rf_store)store);
    }
}

enum rf_store rf_store_of(const char *container)
{
    static const char *const containers[RF_STORES] = {"mysql", "mongo", "redis", "cassandra"};
    int store = 0;

    while (store < RF_STORES && strcmp(containers[store], container) != 0) {
        store++;
    }
    return (enum rf_store)store;
}

void rf_stores_try(struct rf_stores *stores, bool with_cassandra)
{
    for (int store = 0; store < RF_STORES; store++) {
        struct rf_error kept = {0}; /* as stores->away has it */
        if (store != RF_STORE_CASSANDRA || with_cassandra) {
            enum rf_status status = rf_stores_open(stores, (enum rf_store)store, &kept);
            (void)status;
        }
    }
}

/* ---- Calls ----------------------------------------------------------------------------------- */

enum rf_status rf_stores_post(struct rf_stores *stores, const struct rf_post *post,
                              struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_MYSQL, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_posts_write(&stores->mysql, post, 1, err);
    return rf_stores_done(stores, RF_STORE_MYSQL, status, err);
}

enum rf_status rf_stores_posts(struct rf_stores *stores, struct rf_post *posts, uint32_t *count,
                               struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_MYSQL, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_posts_last(&stores->mysql, posts, count, err);
    return rf_stores_done(stores, RF_STORE_MYSQL, status, err);
}

enum rf_status rf_stores_clear_posts(struct rf_stores *stores, uint64_t *out, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_MYSQL, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_posts_clear(&stores->mysql, out, err);
    return rf_stores_done(stores, RF_STORE_MYSQL, status, err);
}

enum rf_status rf_stores_note(struct rf_stores *stores, const struct rf_post *post,
                              struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_MONGO, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_stores_mongo_note(&stores->mongo, post, err);
    return rf_stores_done(stores, RF_STORE_MONGO, status, err);
}

enum rf_status rf_stores_notes(struct rf_stores *stores, struct rf_post *notes, uint32_t *count,
                               uint64_t *total, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_MONGO, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_stores_mongo_notes(&stores->mongo, notes, count, err);
    if (status == RF_OK) {
        status = rf_stores_mongo_count(&stores->mongo, "notes", total, err);
    }
    return rf_stores_done(stores, RF_STORE_MONGO, status, err);
}

enum rf_status rf_stores_clear_notes(struct rf_stores *stores, uint64_t *out, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_MONGO, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_stores_mongo_clear(&stores->mongo, "notes", out, err);
    return rf_stores_done(stores, RF_STORE_MONGO, status, err);
}

enum rf_status rf_stores_find(struct rf_stores *stores, enum rf_store store, struct rf_post *posts,
                              uint32_t count, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, store, err);

    if (status != RF_OK || count == 0) {
        return status;
    }
    switch (store) {
    case RF_STORE_MYSQL: status = rf_posts_find(&stores->mysql, posts, count, err); break;
    case RF_STORE_MONGO:
        status = rf_stores_mongo_find(&stores->mongo, "posts", posts, count, err);
        break;
    case RF_STORE_REDIS: status = rf_stores_redis_find(&stores->redis, posts, count, err); break;
    case RF_STORE_CASSANDRA:
        status = rf_stores_cassandra_find(&stores->cassandra, posts, count, err);
        break;
    case RF_STORES: rf_assert(false);
    }
    return rf_stores_done(stores, store, status, err);
}

enum rf_status rf_stores_find_notes(struct rf_stores *stores, enum rf_store store,
                                    struct rf_post *notes, uint32_t count, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, store, err);

    if (status != RF_OK || count == 0) {
        return status;
    }
    switch (store) {
    case RF_STORE_MONGO:
        status = rf_stores_mongo_find(&stores->mongo, "notes", notes, count, err);
        break;
    case RF_STORE_REDIS: status = rf_stores_redis_notes(&stores->redis, notes, count, err); break;
    case RF_STORE_CASSANDRA:
        status = rf_stores_cassandra_notes(&stores->cassandra, notes, count, err);
        break;
    case RF_STORE_MYSQL:
    case RF_STORES: rf_assert(false);
    }
    return rf_stores_done(stores, store, status, err);
}

enum rf_status rf_stores_count(struct rf_stores *stores, enum rf_store store,
                               struct rf_store_count *out, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, store, err);

    *out = (struct rf_store_count){0};
    if (status != RF_OK) {
        return status;
    }
    switch (store) {
    case RF_STORE_MYSQL: status = rf_posts_count(&stores->mysql, &out->rows, err); break;
    case RF_STORE_MONGO:
        status = rf_stores_mongo_count(&stores->mongo, "posts", &out->rows, err);
        break;
    case RF_STORE_REDIS: status = rf_stores_redis_count(&stores->redis, out, err); break;
    case RF_STORE_CASSANDRA:
        status = rf_stores_cassandra_count(&stores->cassandra, out, err);
        break;
    case RF_STORES: rf_assert(false);
    }
    return rf_stores_done(stores, store, status, err);
}

enum rf_status rf_stores_date(struct rf_stores *stores, char *out, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_REDIS, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_stores_redis_date(&stores->redis, out, err);
    return rf_stores_done(stores, RF_STORE_REDIS, status, err);
}

enum rf_status rf_stores_max(struct rf_stores *stores, char *out, struct rf_error *err)
{
    enum rf_status status = rf_stores_open(stores, RF_STORE_CASSANDRA, err);

    if (status != RF_OK) {
        return status;
    }
    status = rf_stores_cassandra_max(&stores->cassandra, out, err);
    return rf_stores_done(stores, RF_STORE_CASSANDRA, status, err);
}
