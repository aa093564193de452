#include "net/mongo_who.h"

/* KIND=hex of the ObjectId that lies at a path in the reply. False: none does. */
static bool take_id(const bson_t *reply, const char *path, const char *kind, struct rf_buf *out)
{
    bson_iter_t iter, found;
    char hex[25];
    if (!bson_iter_init(&iter, reply) || !bson_iter_find_descendant(&iter, path, &found) ||
        !BSON_ITER_HOLDS_OID(&found)) {
        return false;
    }
    bson_oid_to_string(bson_iter_oid(&found), hex);
    rf_buf_reset(out);
    rf_buf_printf(out, "%s=%s", kind, hex);
    return true;
}

/* The first document of a collection. */
static enum rf_status find_first(struct rf_mongo *mongo, const char *database,
                                 const char *collection, bson_t *reply, struct rf_error *err)
{
    bson_t command = BSON_INITIALIZER;
    rf_assert(BSON_APPEND_UTF8(&command, "find", collection) &&
              BSON_APPEND_INT32(&command, "limit", 1) &&
              BSON_APPEND_BOOL(&command, "singleBatch", true));
    enum rf_status status = rf_mongo_run(mongo, database, &command, reply, err);
    bson_destroy(&command);
    return status;
}

enum rf_status rf_mongo_who(struct rf_mongo *mongo, struct rf_buf *who, bool *found, bson_t *reply,
                            struct rf_error *err)
{
    enum rf_status status;
    if (mongo->mongos) {
        status = find_first(mongo, "config", "version", reply, err);
        *found = status == RF_OK && take_id(reply, "cursor.firstBatch.0.clusterId", "cluster", who);
        return status;
    }
    bson_t command = BSON_INITIALIZER;
    rf_assert(BSON_APPEND_INT32(&command, "replSetGetConfig", 1));
    status = rf_mongo_run(mongo, "admin", &command, reply, err);
    bson_destroy(&command);
    *found = status == RF_OK && take_id(reply, "config.settings.replicaSetId", "set", who);
    return status;
}

enum rf_status rf_mongo_who_marker(struct rf_mongo *mongo, struct rf_buf *who, bool *found,
                                   bson_t *reply, struct rf_error *err)
{
    enum rf_status status =
        find_first(mongo, RF_MONGO_WHO_DATABASE, RF_MONGO_WHO_COLLECTION, reply, err);
    *found = status == RF_OK && take_id(reply, "cursor.firstBatch.0._id", "marker", who);
    return status;
}
