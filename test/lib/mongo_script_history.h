/* What happened to the scripted server's documents, in order: its oplog.
 *
 * Used by lib/mongo_script.h alone, under its lock. A store without one (history NULL) records
 * nothing. Each change has its own time of the logical clock, but for those of a bundle, which are
 * a transaction. */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_HISTORY_H
#define ROWFERRY_TEST_MONGO_SCRIPT_HISTORY_H

#include <bson/bson.h>
#include <rowferry/str.h>

enum { RF_MONGO_SCRIPT_TOKEN_SIZE = 40 };

/* One change. */
struct rf_mongo_script_entry {
    const char *type;            /* "insert", ... */
    char *database, *collection; /* collection empty: dropDatabase */
    char *to;                    /* of a rename: the new collection, in the same database */
    bson_t *key;                 /* {_id: ...}; NULL: it is about a collection */
    bson_t *before, *after;
    bson_t *update; /* the updateDescription */
    uint32_t seconds, increment, index;
    uint32_t transaction; /* 0: none */
    char token[RF_MONGO_SCRIPT_TOKEN_SIZE];
};

struct rf_mongo_script_history {
    struct rf_mongo_script_entry *entries;
    uint32_t count, capacity;
    uint64_t lost;  /* entries that are not kept any more */
    uint32_t ticks; /* of the clock */
    uint32_t index, transaction;
    bool bundled;
    bson_oid_t identity; /* the replica set's */
};

struct rf_mongo_script_history *rf_mongo_script_history_create(void);
void rf_mongo_script_history_destroy(struct rf_mongo_script_history *history);
/* What follows is one transaction, until false. */
void rf_mongo_script_history_bundle(struct rf_mongo_script_history *history, bool bundled);
/* before, after: NULL where there was or is none. `replaces`: an update that gave the whole
 * document. name is "database.collection". */
void rf_mongo_script_history_document(struct rf_mongo_script_history *history, const char *name,
                                      const bson_t *before, const bson_t *after, bool replaces);
/* "create", "drop", "rename", "dropDatabase" (name is the database alone). */
void rf_mongo_script_history_collection(struct rf_mongo_script_history *history, const char *type,
                                        const char *name, const char *to);
/* Keeps nothing of it: the oplog has rolled over. */
void rf_mongo_script_history_lose(struct rf_mongo_script_history *history);
/* As a backup has it that was made before the last so many entries, which are no transactions. */
void rf_mongo_script_history_set_back(struct rf_mongo_script_history *history, uint32_t count);
/* The clock as it stands. */
void rf_mongo_script_history_time(const struct rf_mongo_script_history *history, uint32_t *seconds,
                                  uint32_t *increment);
/* The token of what the clock says: behind every entry, before every later one. */
void rf_mongo_script_history_now(const struct rf_mongo_script_history *history,
                                 char token[RF_MONGO_SCRIPT_TOKEN_SIZE]);

#endif
