#include "net/redis_guard.h"

#include "base/random.h"

#include <stdio.h>

enum {
    EXPECTED_MAX = sizeof((struct rf_redis_guard *)0)->expected / sizeof(struct rf_redis_expected),
    PUSH_BYTES = 64 * 1024,
    UNSENT_MAX = 1024 * 1024,
};

/* --------------------------------------------------------------------------------------- errors */

static enum rf_status refused(struct rf_redis_guard *guard, struct rf_str text, const void *tag,
                              struct rf_error *err)
{
    enum rf_status status = rf_redis_error(&guard->redis, text, err);
    guard->refused = tag;
    if (status == RF_REJECT && tag == RF_REDIS_NO_TAG) {
        status = rf_fail(err, RF_FATAL, "Redis at %s refused to keep the position: %.*s",
                         guard->redis.where, RF_STR_ARG(text));
        rf_error_hint(err, "look at the key %s", rf_buf_cstr(&guard->key));
    }
    return status;
}

/* The hash is not as we left it. */
static enum rf_status replaced(struct rf_redis_guard *guard, const struct rf_redis_reply *reply,
                               struct rf_error *err)
{
    const char *key = rf_buf_cstr(&guard->key), *where = guard->redis.where;
    if (reply->kind == RF_REDIS_NIL) {
        rf_fail(err, RF_FATAL,
                "the position has vanished from Redis at %s: its data were lost, or removed",
                where);
        rf_error_hint(err, "key %s is gone; docs/delivery.md says what to do", key);
    } else if (!rf_str_equal(reply->text, rf_str_of(guard->owner))) {
        rf_fail(err, RF_FATAL, "another process has taken over this pipeline in Redis at %s",
                where);
        rf_error_hint(err, "key %s has another owner; give each pipeline a --name of its own", key);
    } else {
        rf_fail(err, RF_FATAL, "somebody has changed the position of this pipeline in Redis at %s",
                where);
        rf_error_hint(err, "key %s belongs to rowferry alone", key);
    }
    return RF_FATAL;
}

/* -------------------------------------------------------------------------------------- replies */

static void expect(struct rf_redis_guard *guard, enum rf_redis_expect kind, uint32_t count)
{
    rf_assert(guard->expected_count < EXPECTED_MAX);
    struct rf_redis_expected *last =
        &guard->expected[(guard->expected_first + guard->expected_count++) % EXPECTED_MAX];
    last->kind = kind;
    last->count = count;
}

static enum rf_status take_exec(struct rf_redis_guard *guard, uint32_t commands,
                                const struct rf_redis_reply *reply, struct rf_error *err)
{
    const void *const *tags = guard->tags[guard->answered % 2];
    guard->answered++;
    if (reply->kind == RF_REDIS_NIL) {
        guard->undone = true;
        return RF_OK;
    }
    if (reply->kind == RF_REDIS_ERROR) {
        return refused(guard, reply->text, RF_REDIS_NO_TAG, err);
    }
    if (reply->kind != RF_REDIS_ARRAY || reply->count != commands) {
        return rf_fail(err, RF_RETRY, "Redis at %s gave %u answers to %u commands",
                       guard->redis.where, reply->count, commands);
    }
    return reply->error_at == UINT32_MAX ? RF_OK
                                         : refused(guard, reply->error, tags[reply->error_at], err);
}

/* Not taken into the group, which is carried out as a whole or not at all: so those before it were
 * not either, and no row is to blame. */
static enum rf_status not_queued(struct rf_redis_guard *guard, struct rf_str text,
                                 struct rf_error *err)
{
    enum rf_status status = rf_redis_error(&guard->redis, text, err);
    if (status == RF_REJECT) {
        status =
            rf_fail(err, RF_CONFIG, "Redis at %s does not know what to do with a command: %.*s",
                    guard->redis.where, RF_STR_ARG(text));
        rf_error_hint(err, "is it Redis, 4.0 or later, and no proxy?");
    }
    return status;
}

static enum rf_status take(void *argument, const struct rf_redis_reply *reply, struct rf_error *err)
{
    struct rf_redis_guard *guard = argument;
    rf_assert(guard->expected_count > 0);
    struct rf_redis_expected *expected = &guard->expected[guard->expected_first];
    enum rf_redis_expect kind = expected->kind;
    uint32_t count = expected->count--;
    if (kind != RF_REDIS_EXPECT_QUEUED || count == 1) {
        guard->expected_first = (guard->expected_first + 1) % EXPECTED_MAX;
        guard->expected_count--;
    }
    if (kind == RF_REDIS_EXPECT_EXEC) {
        return take_exec(guard, count, reply, err);
    }
    if (reply->kind == RF_REDIS_ERROR) {
        return not_queued(guard, reply->text, err);
    }
    if (kind == RF_REDIS_EXPECT_OWNER &&
        (guard->undone || !rf_str_equal(reply->text, rf_str_of(guard->owner)))) {
        return replaced(guard, reply, err);
    }
    return RF_OK;
}

enum rf_status rf_redis_guard_ask(struct rf_redis_guard *guard, const struct rf_str *words,
                                  uint32_t count, struct rf_error *err)
{
    struct rf_redis *redis = &guard->redis;
    rf_assert(redis->asked == redis->answered);
    redis->take = NULL;
    redis->keep = true;
    rf_redis_command(redis, words, count);
    enum rf_status status = rf_redis_wait(redis, redis->asked, err);
    if (status == RF_OK && redis->reply.kind == RF_REDIS_ERROR) {
        status = refused(guard, redis->reply.text, RF_REDIS_NO_TAG, err);
    }
    redis->take = take;
    redis->argument = guard;
    redis->keep = false;
    return status;
}

/* --------------------------------------------------------------------------------------- owning */

/* Watches the hash, and then reads who owns it: what happens to it behind this reading makes the
 * next EXEC fail, and what happened before is seen. */
static void arm(struct rf_redis_guard *guard)
{
    struct rf_str watch[] = {RF_STR("WATCH"), rf_buf_str(&guard->key)};
    struct rf_str owner[] = {RF_STR("HGET"), rf_buf_str(&guard->key), RF_STR("owner")};
    rf_redis_command(&guard->redis, watch, 2);
    expect(guard, RF_REDIS_EXPECT_OK, 1);
    rf_redis_command(&guard->redis, owner, 3);
    expect(guard, RF_REDIS_EXPECT_OWNER, 1);
    guard->guarded = guard->redis.asked;
}

enum rf_status rf_redis_guard_read(struct rf_redis_guard *guard, struct rf_error *err)
{
    struct rf_str watch[] = {RF_STR("WATCH"), rf_buf_str(&guard->key)};
    struct rf_str read[] = {RF_STR("HGETALL"), rf_buf_str(&guard->key)};
    enum rf_status status = rf_redis_guard_ask(guard, watch, 2, err);
    return status == RF_OK ? rf_redis_guard_ask(guard, read, 2, err) : status;
}

enum rf_status rf_redis_guard_take(struct rf_redis_guard *guard, uint64_t epoch,
                                   struct rf_error *err)
{
    char number[24];
    unsigned char random[RF_REDIS_OWNER_SIZE / 2];
    enum rf_status status = rf_random_hex(random, sizeof random, guard->owner, err);
    if (status != RF_OK) {
        return status;
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)epoch);
    struct rf_str multi[] = {RF_STR("MULTI")}, exec[] = {RF_STR("EXEC")};
    struct rf_str set[] = {RF_STR("HSET"),    rf_buf_str(&guard->key), RF_STR("epoch"),
                           rf_str_of(number), RF_STR("owner"),         rf_str_of(guard->owner)};
    status = rf_redis_guard_ask(guard, multi, 1, err);
    if (status == RF_OK) {
        status = rf_redis_guard_ask(guard, set, sizeof set / sizeof *set, err);
    }
    if (status == RF_OK) {
        status = rf_redis_guard_ask(guard, exec, 1, err);
    }
    if (status == RF_OK && guard->redis.reply.kind != RF_REDIS_ARRAY) {
        return rf_fail(err, RF_RETRY, "another process opened %s in Redis at %s in the same moment",
                       rf_buf_cstr(&guard->key), guard->redis.where);
    }
    if (status == RF_OK) {
        arm(guard);
        status = rf_redis_wait(&guard->redis, guard->redis.asked, err);
    }
    return status;
}

/* --------------------------------------------------------------------------------------- groups */

static enum rf_status close_group(struct rf_redis_guard *guard, struct rf_error *err)
{
    struct rf_str exec[] = {RF_STR("EXEC")};
    if (!guard->open) {
        return RF_OK;
    }
    enum rf_status status = rf_redis_wait(&guard->redis, guard->guarded, err);
    if (status != RF_OK) {
        return status;
    }
    rf_redis_command(&guard->redis, exec, 1);
    expect(guard, RF_REDIS_EXPECT_EXEC, guard->commands);
    guard->open = false;
    guard->sent++;
    arm(guard);
    return rf_redis_push(&guard->redis, UNSENT_MAX, err);
}

enum rf_status rf_redis_group_open(struct rf_redis_guard *guard, struct rf_error *err)
{
    struct rf_str multi[] = {RF_STR("MULTI")};
    enum rf_status status = RF_OK;
    if (guard->open && (guard->commands + RF_REDIS_UNIT_COMMANDS > RF_REDIS_GROUP_COMMANDS ||
                        guard->bytes >= RF_REDIS_GROUP_BYTES)) {
        status = close_group(guard, err);
    }
    if (status == RF_OK && !guard->open) {
        rf_redis_command(&guard->redis, multi, 1);
        expect(guard, RF_REDIS_EXPECT_OK, 1);
        guard->open = true;
        guard->commands = 0;
        guard->bytes = 0;
    }
    guard->begun = guard->redis.out.size;
    return status;
}

void rf_redis_group_command(struct rf_redis_guard *guard, const void *tag, uint32_t arguments)
{
    rf_assert(guard->open && guard->commands < RF_REDIS_GROUP_COMMANDS);
    struct rf_redis_expected *last =
        &guard->expected[(guard->expected_first + guard->expected_count + EXPECTED_MAX - 1) %
                         EXPECTED_MAX];
    if (guard->expected_count > 0 && last->kind == RF_REDIS_EXPECT_QUEUED) {
        last->count++;
    } else {
        expect(guard, RF_REDIS_EXPECT_QUEUED, 1);
    }
    guard->tags[guard->sent % 2][guard->commands++] = tag;
    rf_redis_begin(&guard->redis, arguments);
}

enum rf_status rf_redis_group_push(struct rf_redis_guard *guard, struct rf_error *err)
{
    const struct rf_redis *redis = &guard->redis;
    guard->bytes += redis->out.size - guard->begun;
    if (redis->out.size - redis->sent < PUSH_BYTES) {
        return RF_OK;
    }
    return rf_redis_push(&guard->redis, UNSENT_MAX, err);
}

enum rf_status rf_redis_group_finish(struct rf_redis_guard *guard, struct rf_error *err)
{
    enum rf_status status = close_group(guard, err);
    return status == RF_OK ? rf_redis_wait(&guard->redis, guard->redis.asked, err) : status;
}

void rf_redis_guard_close(struct rf_redis_guard *guard)
{
    rf_redis_close(&guard->redis);
    rf_buf_deinit(&guard->key);
}
