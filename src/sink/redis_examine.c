/* What has to be so of a Redis server, and what is better so. */
#include "net/tls.h"
#include "sink/redis_sink.h"

#include <rowferry/sink.h>

/* A field of what INFO answers. */
static struct rf_str info_field(struct rf_str text, const char *name)
{
    struct rf_str line, key;
    while (rf_str_split(&text, '\n', &line)) {
        line = rf_str_trim(line);
        if (rf_str_split(&line, ':', &key) && rf_str_equal(key, rf_str_of(name))) {
            return line;
        }
    }
    return RF_STR_NONE;
}

enum rf_status rf_redis_sink_check(struct rf_redis_sink *sink, struct rf_error *err)
{
    struct rf_str words[] = {RF_STR("INFO")};
    enum rf_status status = rf_redis_guard_ask(&sink->guard, words, 1, err);
    if (status == RF_CONFIG && rf_str_starts(sink->guard.redis.reply.text, RF_STR("NOPERM"))) {
        return RF_OK; /* what it would have told shows up later, as an error of a command */
    }
    if (status != RF_OK) {
        return status;
    }
    struct rf_str version = info_field(sink->guard.redis.reply.text, "redis_version"),
                  major = RF_STR_NONE;
    struct rf_str rest = version;
    uint64_t number = 0;
    unsigned least = sink->as == RF_REDIS_STREAM ? 5 : 4;
    if (rf_str_split(&rest, '.', &major) && rf_str_to_u64(major, &number) && number < least) {
        return rf_fail(err, RF_CONFIG, "Redis at %s is %.*s; this needs %u.0 or later",
                       sink->guard.redis.where, RF_STR_ARG(version), least);
    }
    if (rf_str_equal(info_field(sink->guard.redis.reply.text, "cluster_enabled"), RF_STR("1"))) {
        rf_fail(err, RF_CONFIG, "Redis at %s runs in cluster mode, which is not supported",
                sink->guard.redis.where);
        rf_error_hint(err,
                      "a group of changes and the position could not be written together there");
        return RF_CONFIG;
    }
    return RF_OK;
}

/* A setting that decides what is left after a crash. */
static void examine_setting(struct rf_redis_sink *sink, struct rf_findings *findings,
                            struct rf_finding finding)
{
    struct rf_str words[] = {RF_STR("CONFIG"), RF_STR("GET"), rf_str_of(finding.what)};
    struct rf_error why = {0};

    sink->guard.redis.keep = true;
    enum rf_status status = rf_redis_guard_ask(&sink->guard, words, 3, &why);
    if (status != RF_OK || sink->guard.redis.reply.item_count < 2) {
        rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_UNKNOWN,
                                                     .what = finding.what,
                                                     .needed = finding.needed,
                                                     .why = why.message[0] ? why.message : NULL});
        return;
    }
    struct rf_str value = sink->guard.redis.reply.items[1];
    if (rf_str_equal(value, rf_str_of(finding.needed))) {
        finding.why = finding.fix = NULL;
    } else {
        finding.verdict = RF_FINDING_ADVICE;
    }
    rf_finding_add_text(findings, finding, "%.*s", RF_STR_ARG(value));
}

static void examine_settings(struct rf_redis_sink *sink, struct rf_findings *findings)
{
    static const struct rf_finding wanted[] = {
        {.what = "appendonly",
         .needed = "yes",
         .why = "a crash of Redis takes the last minutes back; their changes come again",
         .fix = "CONFIG SET appendonly yes, and CONFIG REWRITE"},
        {.what = "appendfsync",
         .needed = "always",
         .why = "a crash of its machine takes the last second back; its changes come again",
         .fix = "CONFIG SET appendfsync always, and CONFIG REWRITE"},
        {.what = "maxmemory-policy",
         .needed = "noeviction",
         .why = "when it is full, Redis drops rows, and maybe our position, without a word",
         .fix = "CONFIG SET maxmemory-policy noeviction, and CONFIG REWRITE"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        examine_setting(sink, findings, wanted[i]);
    }
}

enum rf_status rf_redis_sink_examine(void *state, const struct rf_context *ctx,
                                     struct rf_findings *findings, struct rf_error *err)
{
    struct rf_redis_sink *sink = state;
    struct rf_error wrong = {0};
    enum rf_status status = rf_redis_sink_connect(sink, ctx, err);

    if (status == RF_OK) {
        status = rf_redis_sink_check(sink, &wrong);
        struct rf_str text = sink->guard.redis.reply.text;
        rf_finding_add_text(findings, (struct rf_finding){.what = "server"}, "Redis %.*s",
                            RF_STR_ARG(info_field(text, "redis_version")));
        if (rf_str_equal(info_field(text, "role"), RF_STR("slave"))) {
            rf_finding_add(findings, (struct rf_finding){.verdict = RF_FINDING_WRONG,
                                                         .what = "role",
                                                         .found = "replica",
                                                         .needed = "master",
                                                         .why = "a replica takes no writes",
                                                         .fix = "name its master's address"});
        }
        rf_finding_add_error(findings, "version and mode", &wrong);
        rf_finding_add_encryption(findings, sink->guard.redis.tls.session != NULL, sink->tls_verify,
                                  rf_host_is_loopback(sink->host));
        if (status == RF_RETRY) {
            *err = wrong;
            return status;
        }
        examine_settings(sink, findings);
        status = RF_OK;
    }
    return status;
}
