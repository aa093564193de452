/* What a user of MongoDB may do, by what the command connectionStatus tells with showPrivileges.
 *
 * Used by what looks at a server before anything runs.
 *
 * Source: MongoDB Manual, "connectionStatus", "Resource Document", "Privilege Actions". */
#ifndef ROWFERRY_NET_MONGO_RIGHTS_H
#define ROWFERRY_NET_MONGO_RIGHTS_H

#include <bson/bson.h>

/* Which of `count` actions (at most 32, by name) may be done to a collection, by all privileges
 * together, as bits in the order of the names. `privileges` is the list authenticatedUserPrivileges
 * of the answer. */
unsigned rf_mongo_granted(const bson_iter_t *privileges, const char *database,
                          const char *collection, const char *const *actions, uint32_t count);

#endif
