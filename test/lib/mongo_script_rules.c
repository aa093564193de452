/* What becomes of each command: it is kept, a rule may hold for it, its answer may be spoilt. */
#include "lib/mongo_script_own.h"

#include "base/memory.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NAME_SIZE = 320, WAIT_S = 20 };

/* A rule of the test's, with its strings and how far it is. */
struct rule {
    struct rule *next;
    struct rf_mongo_script_rule is;
    bson_t *document; /* of json */
    uint32_t matched;
};

/* A command that came. */
struct seen {
    char *name;
    bson_t *command;
};

/* ---------------------------------------------------------------------------------------- names */

/* The command's name; "hello" for all that say it. */
static const char *name_of(const bson_t *command)
{
    bson_iter_t first;
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    const char *name = bson_iter_key(&first);
    return strcmp(name, "isMaster") == 0 || strcmp(name, "ismaster") == 0 ? "hello" : name;
}

/* Whether the command is on this collection, "database.collection". */
static bool is_on(const bson_t *command, const char *collection)
{
    bson_iter_t first, database;
    char name[NAME_SIZE];
    rf_assert(bson_iter_init(&first, command) && bson_iter_next(&first));
    rf_assert(bson_iter_init_find(&database, command, "$db"));
    if (!BSON_ITER_HOLDS_UTF8(&first)) {
        return false;
    }
    snprintf(name, sizeof name, "%s.%s", bson_iter_utf8(&database, NULL),
             bson_iter_utf8(&first, NULL));
    return strcmp(name, collection) == 0;
}

/* Part of what every client does by itself. */
static bool is_small_talk(const char *name)
{
    static const char *const names[] = {"hello", "saslStart", "saslContinue",
                                        "ping",  "buildInfo", "endSessions"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* -------------------------------------------------------------------------------------- records */

static void record(struct rf_mongo_script *script, const char *name, const bson_t *command)
{
    if (script->options.unrecorded) {
        return;
    }
    if (script->seen_count == script->seen_capacity) {
        script->seen_capacity = script->seen_capacity * 2 + 64;
        script->seen = rf_realloc(script->seen, script->seen_capacity * sizeof *script->seen);
    }
    script->seen[script->seen_count++] = (struct seen){
        .name = rf_str_dup(rf_str_of(name)),
        .command = bson_copy(command),
    };
    pthread_cond_broadcast(&script->set->changed);
}

static bool is_counted(const struct seen *seen, const char *name)
{
    return name == NULL ? strcmp(seen->name, "hello") != 0 : strcmp(seen->name, name) == 0;
}

static uint32_t count_of(const struct rf_mongo_script *script, const char *name)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < script->seen_count; i++) {
        count += is_counted(&script->seen[i], name);
    }
    return count;
}

uint32_t rf_mongo_script_count(struct rf_mongo_script *script, const char *name)
{
    pthread_mutex_lock(&script->set->lock);
    uint32_t count = count_of(script, name);
    pthread_mutex_unlock(&script->set->lock);
    return count;
}

char *rf_mongo_script_command(struct rf_mongo_script *script, const char *name, uint32_t nth)
{
    char *copy = NULL;
    pthread_mutex_lock(&script->set->lock);
    for (uint32_t i = 0, count = 0; i < script->seen_count && copy == NULL; i++) {
        count += is_counted(&script->seen[i], name);
        if (count == nth) {
            char *json = bson_as_canonical_extended_json(script->seen[i].command, NULL);
            copy = rf_str_dup(rf_str_of(json));
            bson_free(json);
        }
    }
    pthread_mutex_unlock(&script->set->lock);
    return copy;
}

/* -------------------------------------------------------------------------------------- waiting */

/* Waits with the lock until the number that `of` tells is reached; false: not in time. */
static bool wait_for(struct rf_mongo_script *script,
                     uint32_t (*of)(const struct rf_mongo_script *script, const char *name),
                     const char *name, uint32_t count)
{
    struct timespec limit;
    int late = 0;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += WAIT_S;
    pthread_mutex_lock(&script->set->lock);
    while (of(script, name) < count && late == 0) {
        late = pthread_cond_timedwait(&script->set->changed, &script->set->lock, &limit);
    }
    bool reached = of(script, name) >= count;
    pthread_mutex_unlock(&script->set->lock);
    return reached;
}

bool rf_mongo_script_wait(struct rf_mongo_script *script, const char *name, uint32_t count)
{
    return wait_for(script, count_of, name, count);
}

static uint32_t held_of(const struct rf_mongo_script *script, const char *name)
{
    (void)name;
    return script->held;
}

bool rf_mongo_script_wait_held(struct rf_mongo_script *script, uint32_t count)
{
    return wait_for(script, held_of, NULL, count);
}

/* With the lock. Returns RF_MONGO_SCRIPT_ENDS when the server is stopped meanwhile. */
static enum rf_mongo_script_outcome hold(struct rf_mongo_script *script)
{
    uint32_t before = script->releases;
    script->held++;
    pthread_cond_broadcast(&script->set->changed);
    while (script->releases == before && !script->stopping) {
        pthread_cond_wait(&script->set->changed, &script->set->lock);
    }
    script->held--;
    return script->stopping ? RF_MONGO_SCRIPT_ENDS : RF_MONGO_SCRIPT_GOES_ON;
}

static enum rf_mongo_script_outcome wait_for_thaw(struct rf_mongo_script *script)
{
    while (script->frozen && !script->stopping) {
        pthread_cond_wait(&script->set->changed, &script->set->lock);
    }
    return script->stopping ? RF_MONGO_SCRIPT_ENDS : RF_MONGO_SCRIPT_GOES_ON;
}

void rf_mongo_script_release(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    script->releases++;
    pthread_cond_broadcast(&script->set->changed);
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_freeze(struct rf_mongo_script *script, bool frozen)
{
    pthread_mutex_lock(&script->set->lock);
    script->frozen = frozen;
    pthread_cond_broadcast(&script->set->changed);
    pthread_mutex_unlock(&script->set->lock);
}

/* ---------------------------------------------------------------------------------------- rules */

static char *copy_of(const char *text)
{
    return text != NULL ? rf_str_dup(rf_str_of(text)) : NULL;
}

void rf_mongo_script_rule(struct rf_mongo_script *script, const struct rf_mongo_script_rule *is)
{
    struct rule *rule = rf_alloc_zero(1, sizeof *rule);
    struct rule **place = &script->rules;
    bool needs_json = is->act == RF_MONGO_SCRIPT_ANSWER || is->act == RF_MONGO_SCRIPT_FAIL;
    rf_assert(needs_json == (is->json != NULL));
    rule->is = *is;
    rule->is.command = copy_of(is->command);
    rule->is.collection = copy_of(is->collection);
    rule->is.json = NULL;
    if (is->json != NULL) {
        bson_error_t error;
        rule->document = bson_new_from_json((const uint8_t *)is->json, -1, &error);
        if (rule->document == NULL) {
            fprintf(stderr, "%s: %s\n", is->json, error.message);
            abort();
        }
    }
    pthread_mutex_lock(&script->set->lock);
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = rule;
    pthread_mutex_unlock(&script->set->lock);
}

void rf_mongo_script_clear(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    while (script->rules != NULL) {
        struct rule *rule = script->rules;
        script->rules = rule->next;
        free((char *)(uintptr_t)rule->is.command);
        free((char *)(uintptr_t)rule->is.collection);
        bson_destroy(rule->document);
        free(rule);
    }
    pthread_mutex_unlock(&script->set->lock);
}

uint32_t rf_mongo_script_applied(struct rf_mongo_script *script)
{
    pthread_mutex_lock(&script->set->lock);
    uint32_t applied = script->applied;
    pthread_mutex_unlock(&script->set->lock);
    return applied;
}

static bool holds_for(const struct rule *rule, const char *name, const bson_t *command)
{
    bool named =
        rule->is.command != NULL ? strcmp(rule->is.command, name) == 0 : !is_small_talk(name);
    return named && (rule->is.collection == NULL || is_on(command, rule->is.collection));
}

/* Every rule counts the command; the oldest whose turn it is holds. A copy, as it may be cleared
 * while the command waits; its document is the copier's. False: the truth holds. */
static bool find_rule(struct rf_mongo_script *script, const char *name, const bson_t *command,
                      struct rule *out)
{
    bool found = false;
    for (struct rule *rule = script->rules; rule != NULL; rule = rule->next) {
        uint32_t nth = rule->is.nth > 0 ? rule->is.nth : 1;
        uint32_t times = rule->is.times > 0 ? rule->is.times : 1;
        if (holds_for(rule, name, command)) {
            rule->matched++;
            if (!found && rule->matched >= nth && rule->matched - nth < times) {
                found = true;
                *out = *rule;
                out->document = rule->document ? bson_copy(rule->document) : NULL;
            }
        }
    }
    script->applied += found;
    return found;
}

/* -------------------------------------------------------------------------------------- answers */

/* The fields of `over`, and those of the truth that it has not. */
static void overlay(bson_t *reply, const bson_t *over)
{
    bson_t merged = BSON_INITIALIZER;
    bson_iter_t field;
    rf_assert(bson_iter_init(&field, reply));
    while (bson_iter_next(&field)) {
        if (!bson_has_field(over, bson_iter_key(&field))) {
            rf_assert(bson_append_iter(&merged, NULL, 0, &field));
        }
    }
    rf_assert(bson_concat(&merged, over));
    bson_reinit(reply);
    rf_assert(bson_concat(reply, &merged));
    bson_destroy(&merged);
}

static bool array_of(const bson_t *document, const char *name, bson_t *array)
{
    bson_iter_t field;
    const uint8_t *data;
    uint32_t size;
    if (document == NULL || !bson_iter_init_find(&field, document, name) ||
        !BSON_ITER_HOLDS_ARRAY(&field)) {
        return false;
    }
    bson_iter_array(&field, &size, &data);
    return bson_init_static(array, data, size);
}

static void set_number(struct rf_buf *out, size_t at, uint32_t number)
{
    number = htole32(number);
    rf_assert(at + sizeof number <= out->size);
    memcpy(out->data + at, &number, sizeof number);
}

/* Makes of an answer's bytes what the rule wants. */
static enum rf_mongo_script_outcome spoil(enum rf_mongo_script_act act, bool query,
                                          struct rf_buf *out)
{
    size_t document = query ? 36 : 21;
    switch (act) {
    case RF_MONGO_SCRIPT_ANSWER:
    case RF_MONGO_SCRIPT_FAIL:
    case RF_MONGO_SCRIPT_HOLD: return RF_MONGO_SCRIPT_GOES_ON;
    case RF_MONGO_SCRIPT_CUT: out->size = 0; return RF_MONGO_SCRIPT_ENDS;
    case RF_MONGO_SCRIPT_RESET: out->size = 0; return RF_MONGO_SCRIPT_RESETS;
    case RF_MONGO_SCRIPT_LOSE: out->size = 0; return RF_MONGO_SCRIPT_GOES_ON;
    case RF_MONGO_SCRIPT_HALF: out->size /= 2; return RF_MONGO_SCRIPT_ENDS;
    case RF_MONGO_SCRIPT_GARBAGE:
        rf_buf_set(out, RF_STR("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        return RF_MONGO_SCRIPT_ENDS;
    case RF_MONGO_SCRIPT_LONG:
        set_number(out, 0, (uint32_t)out->size + 1000);
        return RF_MONGO_SCRIPT_GOES_ON;
    case RF_MONGO_SCRIPT_SHORT: set_number(out, 0, 7); return RF_MONGO_SCRIPT_GOES_ON;
    case RF_MONGO_SCRIPT_DAMAGED:
        set_number(out, document, (uint32_t)(out->size - document) + 1000);
        return RF_MONGO_SCRIPT_GOES_ON;
    case RF_MONGO_SCRIPT_OTHER: break;
    }
    set_number(out, 8, 0x7ffffff0);
    return RF_MONGO_SCRIPT_GOES_ON;
}

/* With the lock. */
static enum rf_mongo_script_outcome apply(struct rf_mongo_script_client *client,
                                          const struct rf_mongo_script_request *request,
                                          const struct rule *rule, struct rf_buf *out)
{
    struct rf_mongo_script *script = client->script;
    enum rf_mongo_script_act act = rule->is.act;
    bool waits = act == RF_MONGO_SCRIPT_HOLD, answers = act == RF_MONGO_SCRIPT_ANSWER;
    bool executed = rule->is.executed || act == RF_MONGO_SCRIPT_FAIL || waits;
    bson_t reply = BSON_INITIALIZER, failing;
    enum rf_mongo_script_outcome outcome = RF_MONGO_SCRIPT_GOES_ON;
    if (waits && !rule->is.executed) {
        outcome = hold(script);
    }
    if (outcome == RF_MONGO_SCRIPT_GOES_ON) {
        if (executed) {
            bool fails =
                act == RF_MONGO_SCRIPT_FAIL && array_of(rule->document, "writeErrors", &failing);
            rf_mongo_script_execute(client, &request->command, fails ? &failing : NULL, &reply);
        } else {
            rf_assert(BSON_APPEND_DOUBLE(&reply, "ok", 1));
        }
        if (answers && executed) {
            overlay(&reply, rule->document);
        } else if (answers) {
            bson_reinit(&reply);
            rf_assert(bson_concat(&reply, rule->document));
        }
        if (waits && rule->is.executed) {
            outcome = hold(script);
        }
    }
    if (outcome == RF_MONGO_SCRIPT_GOES_ON) {
        rf_mongo_script_reply(request, &reply, out);
        outcome = spoil(act, request->query, out);
    }
    bson_destroy(&reply);
    return outcome;
}

enum rf_mongo_script_outcome rf_mongo_script_take(struct rf_mongo_script_client *client,
                                                  const struct rf_mongo_script_request *request,
                                                  struct rf_buf *out)
{
    struct rf_mongo_script *script = client->script;
    const char *name = name_of(&request->command);
    struct rule rule = {0};
    pthread_mutex_lock(&script->set->lock);
    record(script, name, &request->command);
    enum rf_mongo_script_outcome outcome = wait_for_thaw(script);
    if (outcome == RF_MONGO_SCRIPT_GOES_ON) {
        if (find_rule(script, name, &request->command, &rule)) {
            outcome = apply(client, request, &rule, out);
        } else {
            bson_t reply = BSON_INITIALIZER;
            rf_mongo_script_execute(client, &request->command, NULL, &reply);
            rf_mongo_script_reply(request, &reply, out);
            bson_destroy(&reply);
        }
    }
    bson_destroy(rule.document);
    pthread_mutex_unlock(&script->set->lock);
    if (request->quiet) {
        rf_buf_reset(out);
    }
    return outcome;
}

void rf_mongo_script_records_destroy(struct rf_mongo_script *script)
{
    for (uint32_t i = 0; i < script->seen_count; i++) {
        free(script->seen[i].name);
        bson_destroy(script->seen[i].command);
    }
    free(script->seen);
}
