/* What the scheduler asks of Redis. Rows are hashes, pluto:posts:ID; notes are,
 * mongo:pluto:notes:ID. */
#include "programs/stores_links.h"

#include <stdio.h>

enum { SCAN_MAX = 20000, SCAN_STEP = 1000 };

#define PREFIX "pluto:posts:"
#define NOTES  "mongo:pluto:notes:"

/* One command, and its reply in redis->reply, which is no error. */
static enum rf_status ask(struct rf_redis *redis, const struct rf_str *words, uint32_t count,
                          struct rf_error *err)
{
    rf_redis_command(redis, words, count);
    enum rf_status status = rf_redis_wait(redis, redis->asked, err);

    if (status == RF_OK && redis->reply.kind == RF_REDIS_ERROR) {
        status = rf_redis_error(redis, redis->reply.text, err);
    }
    return status;
}

/* Where the answers of many commands go, in order. */
struct taking {
    struct rf_post *posts;
    uint32_t at;
    const struct rf_redis *redis;
};

static enum rf_status take_stamp(void *argument, const struct rf_redis_reply *reply,
                                 struct rf_error *err)
{
    struct taking *taking = argument;
    struct rf_post *post = &taking->posts[taking->at++];

    if (reply->kind == RF_REDIS_ERROR) {
        return rf_redis_error(taking->redis, reply->text, err);
    }
    struct rf_str text = reply->kind == RF_REDIS_BULK ? reply->text : RF_STR_NONE;
    snprintf(post->stamp, sizeof post->stamp, "%.*s", RF_STR_ARG(text));
    return RF_OK;
}

static enum rf_status find(struct rf_redis *redis, const char *prefix, struct rf_post *posts,
                           uint32_t count, struct rf_error *err)
{
    struct taking taking = {posts, 0, redis};
    char key[64];

    for (uint32_t i = 0; i < count; i++) {
        int size = snprintf(key, sizeof key, "%s%s", prefix, posts[i].id);
        struct rf_str words[] = {RF_STR("HGET"), {key, (size_t)size}, RF_STR("stamp")};
        rf_redis_command(redis, words, 3);
    }
    redis->take = take_stamp;
    redis->argument = &taking;
    enum rf_status status = rf_redis_wait(redis, redis->asked, err);
    redis->take = NULL;
    redis->argument = NULL;
    return status;
}

enum rf_status rf_stores_redis_find(struct rf_redis *redis, struct rf_post *posts, uint32_t count,
                                    struct rf_error *err)
{
    return find(redis, PREFIX, posts, count, err);
}

enum rf_status rf_stores_redis_notes(struct rf_redis *redis, struct rf_post *notes, uint32_t count,
                                     struct rf_error *err)
{
    return find(redis, NOTES, notes, count, err);
}

enum rf_status rf_stores_redis_date(struct rf_redis *redis, char *out, struct rf_error *err)
{
    struct rf_str words[] = {RF_STR("GET"), RF_STR("LastInsertDate")};
    enum rf_status status = ask(redis, words, 2, err);

    out[0] = '\0';
    if (status == RF_OK && redis->reply.kind == RF_REDIS_BULK) {
        snprintf(out, RF_POST_STAMP_SIZE + 1, "%.*s", RF_STR_ARG(redis->reply.text));
    }
    return status;
}

/* SCAN: the cursor is the first text of the reply, the keys are all others. It may give a key twice
 * while the number of keys changes. */
static enum rf_status scan(struct rf_redis *redis, uint64_t *out, struct rf_error *err)
{
    char cursor[24] = "0", step[16];
    enum rf_status status = RF_OK;

    snprintf(step, sizeof step, "%d", SCAN_STEP);
    *out = 0;
    redis->keep = true;
    do {
        struct rf_str words[] = {RF_STR("SCAN"),     rf_str_of(cursor), RF_STR("MATCH"),
                                 RF_STR(PREFIX "*"), RF_STR("COUNT"),   rf_str_of(step)};
        status = ask(redis, words, 6, err);
        if (status == RF_OK && redis->reply.item_count == 0) {
            status = rf_fail(err, RF_CONFIG, "Redis answered SCAN with something else");
        }
        if (status == RF_OK) {
            snprintf(cursor, sizeof cursor, "%.*s", RF_STR_ARG(redis->reply.items[0]));
            *out += redis->reply.item_count - 1;
        }
    } while (status == RF_OK && strcmp(cursor, "0") != 0);
    redis->keep = false;
    return status;
}

enum rf_status rf_stores_redis_count(struct rf_redis *redis, struct rf_store_count *out,
                                     struct rf_error *err)
{
    struct rf_str word = RF_STR("DBSIZE");
    enum rf_status status = ask(redis, &word, 1, err);

    if (status != RF_OK) {
        return status;
    }
    /* All keys but a few are rows; to count them exactly takes a look at each. */
    out->rows = redis->reply.integer > 0 ? (uint64_t)redis->reply.integer : 0;
    out->about = out->rows > SCAN_MAX;
    return out->about ? RF_OK : scan(redis, &out->rows, err);
}
