/* Which deployment of MongoDB a connection leads to, whatever its addresses are.
 *
 * Used by what must not take one deployment for another. A replica set and a sharded cluster have
 * an id of their own, made when they were, which members and names may outlive; a copy of the files
 * has it too. Not every user may read it, and not every server of the protocol has one: there a
 * document of ours, in rowferry.deployment, may say who it is. As text:
 *
 *   set=64f0...        a replica set, 24 hexadecimal digits
 *   cluster=64f0...    a sharded cluster
 *   marker=64f0...     our document
 *
 * The positions of the source `mongodb` begin with "mongodb:" and this text.
 *
 * Source: MongoDB Manual, replSetGetConfig (settings.replicaSetId), config.version (clusterId). */
#ifndef ROWFERRY_NET_MONGO_WHO_H
#define ROWFERRY_NET_MONGO_WHO_H

#include "net/mongo.h"

#define RF_MONGO_WHO_DATABASE   "rowferry"
#define RF_MONGO_WHO_COLLECTION "deployment"

/* Asks the server; *found is false, and `who` as it was, where the answer has no id. `reply` is
 * always initialised here and the caller's to destroy. Returns as rf_mongo_run. Thread: the
 * connection's. */
RF_USE_RESULT enum rf_status rf_mongo_who(struct rf_mongo *mongo, struct rf_buf *who, bool *found,
                                          bson_t *reply, struct rf_error *err);
/* The same of our document. */
RF_USE_RESULT enum rf_status rf_mongo_who_marker(struct rf_mongo *mongo, struct rf_buf *who,
                                                 bool *found, bson_t *reply, struct rf_error *err);

#endif
