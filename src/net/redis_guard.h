/* Groups of Redis commands that take effect only as long as we own a hash.
 *
 * Used by what writes to Redis and must stop when another process, or a later connection of the
 * same one, has taken its place. The hash has the field `owner`, a number drawn by whoever takes
 * it. It is watched all the time: after each EXEC it is watched again and its owner read, and the
 * next EXEC is sent only when that owner was seen to be ourselves. So nothing of a group is
 * carried out once somebody else has taken the hash or it is gone, not even what an earlier
 * connection of our own has left in the network. No round trip is spent on it while groups follow
 * each other.
 *
 * Redis does not roll back when one command of a group fails: the others take effect. Each command
 * therefore has a tag, a pointer of the caller's, by which the one that was refused is known.
 *
 * Zeroed is valid and closed. The rules of net/redis.h hold.
 *
 * Source: https://redis.io/docs/interact/transactions/ */
#ifndef ROWFERRY_NET_REDIS_GUARD_H
#define ROWFERRY_NET_REDIS_GUARD_H

#include "net/redis.h"

enum {
    RF_REDIS_GROUP_COMMANDS = 1000, /* at most in one group */
    RF_REDIS_GROUP_BYTES = 1024 * 1024,
    RF_REDIS_UNIT_COMMANDS = 65, /* that rf_redis_group_open makes room for */
    RF_REDIS_OWNER_SIZE = 32,
};
#define RF_REDIS_NO_TAG NULL

/* What the next replies are. */
enum rf_redis_expect {
    RF_REDIS_EXPECT_OK,
    RF_REDIS_EXPECT_OWNER,
    RF_REDIS_EXPECT_QUEUED,
    RF_REDIS_EXPECT_EXEC,
};
struct rf_redis_expected {
    enum rf_redis_expect kind;
    uint32_t count; /* so many of them in a row; of EXEC: commands in the group */
};

struct rf_redis_guard {
    struct rf_redis redis;
    struct rf_buf key; /* of the hash; set before anything else */
    char owner[RF_REDIS_OWNER_SIZE + 1];
    const void *refused; /* after RF_REJECT: the tag of the command that it is about */

    struct rf_redis_expected expected[16];
    uint32_t expected_first, expected_count;
    uint64_t guarded; /* with so many replies read, the owner is known behind the last EXEC */
    bool undone;      /* an EXEC was not carried out; the owner, read next, says why */

    bool open;         /* a group is */
    uint32_t commands; /* in it */
    size_t bytes;      /* in its units that are complete */
    size_t begun;      /* where in redis.out the unit begins */
    uint32_t sent;     /* groups closed; at most one more than were answered */
    uint32_t answered; /* groups whose EXEC was answered */
    const void *tags[2][RF_REDIS_GROUP_COMMANDS]; /* by group */
};

/* One command and its reply, kept in guard->redis.reply with its items, when nothing else is under
 * way. Returns RF_OK; RF_RETRY; what rf_redis_error makes of a refusal. */
RF_USE_RESULT enum rf_status rf_redis_guard_ask(struct rf_redis_guard *guard,
                                                const struct rf_str *words, uint32_t count,
                                                struct rf_error *err);

/* Reads the hash: the reply's items are its fields and values in turn. From here on any change of
 * it makes the taking fail. */
RF_USE_RESULT enum rf_status rf_redis_guard_read(struct rf_redis_guard *guard,
                                                 struct rf_error *err);
/* Takes the hash, behind the reading of it: draws an owner and writes it, and the epoch. Returns
 * RF_OK; RF_RETRY: also when somebody changed it since it was read. */
RF_USE_RESULT enum rf_status rf_redis_guard_take(struct rf_redis_guard *guard, uint64_t epoch,
                                                 struct rf_error *err);

/* Makes sure that a group is open with room for RF_REDIS_UNIT_COMMANDS more: commands that belong
 * together are one unit, and in one group. May close a full one. Returns as
 * rf_redis_group_finish. */
RF_USE_RESULT enum rf_status rf_redis_group_open(struct rf_redis_guard *guard,
                                                 struct rf_error *err);
/* Begins the next command of the unit; its arguments follow by rf_redis_bulk. */
void rf_redis_group_command(struct rf_redis_guard *guard, const void *tag, uint32_t arguments);
/* Between units: sends what there is when it is much, and takes the replies that have come. */
RF_USE_RESULT enum rf_status rf_redis_group_push(struct rf_redis_guard *guard,
                                                 struct rf_error *err);
/* Closes the open group, if there is one, sends everything and reads every reply.
 * Returns RF_OK: all commands were carried out; RF_RETRY; RF_CONFIG; RF_REJECT: Redis refused the
 * command of the tag `refused`, and all before it were carried out; RF_FATAL: the hash is not ours
 * any more, or a command without a tag was refused. */
RF_USE_RESULT enum rf_status rf_redis_group_finish(struct rf_redis_guard *guard,
                                                   struct rf_error *err);

/* Accepts closed ones. */
void rf_redis_guard_close(struct rf_redis_guard *guard);

#endif
