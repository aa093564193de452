/* The way to the servers of the containers: where each listens, as whom we come, with which
 * password. All of it is in the containers' homes, so that programs find each other by themselves.
 *
 * Used by the programs that write and read. Thread: one per connection. */
#ifndef ROWFERRY_PROGRAMS_ACCESS_H
#define ROWFERRY_PROGRAMS_ACCESS_H

#include "container/home.h"
#include "net/cql.h"
#include "net/mongo.h"
#include "net/mysql.h"
#include "net/redis.h"

/* One server, and one user of it. Zeroed is empty. */
struct rf_access {
    struct rf_home home;
    uint16_t port;
    const char *user;       /* NULL: it asks for none */
    struct rf_buf password; /* terminated; empty without a user */
};

/* Finds the container ("mysql") and the password of that user ("pluto"; NULL: none is needed).
 * Returns RF_OK; RF_RETRY, with err->connect: it was not created, and the hint says how; RF_CONFIG:
 * it may not be read. Give access back in any case. */
RF_USE_RESULT enum rf_status rf_access_find(struct rf_access *access, const char *container,
                                            const char *user, struct rf_error *err);
void rf_access_deinit(struct rf_access *access);

/* Appends the lines of a configuration that log in there as that user: "    user: ...", where it is
 * not in the address (`named`), and the file of the password. Nothing where it asks for none. */
void rf_access_add_login(struct rf_buf *out, const struct rf_access *access, bool named);

/* Find, connect and log in, as `pluto` where the server knows users. What is connected is closed
 * before. Returns as rf_access_find and the client do. */
RF_USE_RESULT enum rf_status rf_access_mysql(struct rf_mysql *mysql, int64_t timeout_ms,
                                             struct rf_error *err);
RF_USE_RESULT enum rf_status rf_access_mongo(struct rf_mongo *mongo, int64_t timeout_ms,
                                             struct rf_error *err);
RF_USE_RESULT enum rf_status rf_access_redis(struct rf_redis *redis, int64_t timeout_ms,
                                             struct rf_error *err);
/* interrupted: as rf_cql_address has it; it outlives the connection. */
RF_USE_RESULT enum rf_status rf_access_cassandra(struct rf_cql *cql, int64_t timeout_ms,
                                                 const atomic_bool *interrupted,
                                                 struct rf_error *err);

/* Whether there is a container of that name at all ("cassandra"). */
bool rf_access_exists(const char *container);
/* Whether the container's server asks for users at all: only MongoDB's server for tests does not.
 */
bool rf_access_needs_user(const struct rf_home *home);

#endif
