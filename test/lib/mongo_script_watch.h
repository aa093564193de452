/* The change streams of the scripted server: `aggregate` with $changeStream, getMore, killCursors,
 * and what a replica set says of itself.
 *
 * Used by lib/mongo_script.h alone, under its lock. Each command appends its whole answer. A server
 * without a history refuses streams as one by itself does: 40573. */
#ifndef ROWFERRY_TEST_MONGO_SCRIPT_WATCH_H
#define ROWFERRY_TEST_MONGO_SCRIPT_WATCH_H

#include "lib/mongo_script_own.h"

typedef void rf_mongo_script_watcher(struct rf_mongo_script_client *client, const bson_t *command,
                                     bson_t *reply);
rf_mongo_script_watcher rf_mongo_script_watch_begin, rf_mongo_script_watch_more,
    rf_mongo_script_watch_kill, rf_mongo_script_watch_config;
/* Ends all streams of a member. */
void rf_mongo_script_watch_end(struct rf_mongo_script *script);

#endif
