/* The stage $match behind $changeStream, so that what is not captured does not leave the server: it
 * is neither looked up nor sent, and can neither be too large nor lack an image.
 *
 * The server leaves out a part of what is left out here again, and never more: * and ? of a pattern
 * may stand for the point between the two names, which the server keeps apart. What ends a stream
 * or a whole database always passes, and a rename by either of its names.
 *
 * A server goes on behind a resume token only when its stream still has that token's event. So a
 * place says which stream it is of (picks), and one of another stream is gone on from by its time.
 *
 * Source: MongoDB Manual, "Change Streams", "Modify Change Stream Output", $match; bsonspec.org. */
#include "source/mongodb.h"

#include "wire/bson.h"

static bool is_wild(struct rf_str text)
{
    return text.size > 0 &&
           (memchr(text.data, '*', text.size) != NULL || memchr(text.data, '?', text.size) != NULL);
}

/* The part behind the point. */
static struct rf_str collection_of(const struct rf_pattern *pattern)
{
    size_t before = pattern->database.size + 1;
    return (struct rf_str){pattern->full.data + before, pattern->full.size - before};
}

static bool is_whole_database(const struct rf_pattern *pattern)
{
    return rf_str_equal(collection_of(pattern), RF_STR("*"));
}

bool rf_mongodb_source_one_database(const struct rf_pick *pick, struct rf_str *database)
{
    *database = RF_STR_NONE;
    for (uint32_t i = 0; i < pick->count; i++) {
        const struct rf_pattern *pattern = &pick->patterns[i];
        if (pattern->leaves_out) {
            continue;
        }
        if (is_wild(pattern->database) ||
            (database->size > 0 && !rf_str_equal(*database, pattern->database))) {
            return false;
        }
        *database = pattern->database;
    }
    return database->size > 0;
}

/* ----------------------------------------------------------------------------------- conditions */

/* `side` is "ns" or "to", `part` "db" or "coll". */
static void name_of(char out[16], const char *side, const char *part)
{
    size_t size = strlen(side);
    memcpy(out, side, size);
    out[size] = '.';
    memcpy(out + size + 1, part, strlen(part) + 1);
}

static void add_equal(struct rf_buf *out, const char *side, const char *part, struct rf_str text)
{
    char name[16];
    name_of(name, side, part);
    rf_bson_add_utf8(out, name, text);
}

/* A regular expression that has all that the pattern has; a prefix ends at the first wild one. */
static void add_like(struct rf_buf *out, const char *side, const char *part, struct rf_str pattern,
                     bool prefix)
{
    char name[16];
    name_of(name, side, part);
    rf_buf_add_byte(out, RF_BSON_REGEX);
    rf_buf_add(out, name, strlen(name) + 1);
    rf_buf_add_byte(out, '^');
    for (size_t i = 0; i < pattern.size; i++) {
        char byte = pattern.data[i];
        bool wild = byte == '*' || byte == '?';
        if (wild && prefix) {
            break;
        }
        if (wild) { /* ? is one byte, and not always a character */
            rf_buf_add_str(out, RF_STR(".*"));
            continue;
        }
        if (byte != '\0' && strchr("\\^$.|+()[]{}", byte) != NULL) {
            rf_buf_add_byte(out, '\\');
        }
        rf_buf_add_byte(out, byte);
    }
    if (!prefix) {
        rf_buf_add_byte(out, '$');
    }
    rf_buf_add(out, "\0s", 3); /* the end, and the option that . is a newline too */
}

/* As an item of a list: what the pattern has, or more. */
static void add_pattern(struct rf_buf *out, uint32_t number, const char *side,
                        const struct rf_pattern *pattern)
{
    struct rf_str collection = collection_of(pattern);
    size_t item = rf_bson_open_item(out, number);
    if (is_wild(pattern->database)) {
        add_like(out, side, "db", pattern->database, true);
    } else {
        add_equal(out, side, "db", pattern->database);
        if (is_wild(collection) && !is_whole_database(pattern)) {
            add_like(out, side, "coll", collection, false);
        } else if (!is_wild(collection)) {
            add_equal(out, side, "coll", collection);
        }
    }
    rf_bson_end(out, item);
}

/* The server can be told of a leaving-out one only what that surely leaves out. */
static bool is_sure(const struct rf_pattern *pattern)
{
    return !is_wild(pattern->database) &&
           (!is_wild(collection_of(pattern)) || is_whole_database(pattern));
}

static bool narrows(const struct rf_mongodb_source *state, const struct rf_pattern *pattern)
{
    return !is_whole_database(pattern) || state->database.size == 0;
}

/* Whether what is picked is less than the stream has by itself. */
static bool has_picks(const struct rf_mongodb_source *state)
{
    bool narrow = state->pick.has_positive;
    for (uint32_t i = 0; i < state->pick.count; i++) {
        const struct rf_pattern *pattern = &state->pick.patterns[i];
        narrow &= pattern->leaves_out || narrows(state, pattern);
    }
    return narrow;
}

static bool leaves_out(const struct rf_mongodb_source *state)
{
    bool leaves = state->database.size == 0; /* our own database */
    for (uint32_t i = 0; i < state->pick.count; i++) {
        leaves |= state->pick.patterns[i].leaves_out && is_sure(&state->pick.patterns[i]);
    }
    return leaves;
}

/* As an item of a list: what is captured, by one of an event's names. */
static void add_side(const struct rf_mongodb_source *state, struct rf_buf *out, uint32_t number,
                     const char *side)
{
    size_t item = rf_bson_open_item(out, number);
    uint32_t count = 0;
    char name[16];
    name_of(name, side, "db");
    if (has_picks(state)) {
        size_t list = rf_bson_open(out, RF_BSON_ARRAY, "$or");
        for (uint32_t i = 0; i < state->pick.count; i++) {
            if (!state->pick.patterns[i].leaves_out) {
                add_pattern(out, count++, side, &state->pick.patterns[i]);
            }
        }
        rf_bson_end(out, list);
    } else {
        size_t there = rf_bson_open(out, RF_BSON_DOCUMENT, name);
        rf_bson_add_bool(out, "$exists", true);
        rf_bson_end(out, there);
    }
    if (leaves_out(state)) {
        size_t list = rf_bson_open(out, RF_BSON_ARRAY, "$nor");
        size_t own = rf_bson_open_item(out, 0);
        rf_bson_add_utf8(out, name, RF_STR(RF_MONGODB_SOURCE_OWN));
        rf_bson_end(out, own);
        count = 1;
        for (uint32_t i = 0; i < state->pick.count; i++) {
            if (state->pick.patterns[i].leaves_out && is_sure(&state->pick.patterns[i])) {
                add_pattern(out, count++, side, &state->pick.patterns[i]);
            }
        }
        rf_bson_end(out, list);
    }
    rf_bson_end(out, item);
}

/* As an item of a list: what is about more than collections. */
static void add_ends(struct rf_buf *out, uint32_t number)
{
    static const char *const types[] = {"dropDatabase", "invalidate"};
    size_t item = rf_bson_open_item(out, number);
    size_t type = rf_bson_open(out, RF_BSON_DOCUMENT, "operationType");
    size_t list = rf_bson_open(out, RF_BSON_ARRAY, "$in");
    rf_bson_add_utf8(out, "0", rf_str_of(types[0]));
    rf_bson_add_utf8(out, "1", rf_str_of(types[1]));
    rf_bson_end(out, list);
    rf_bson_end(out, type);
    rf_bson_end(out, item);
}

/* ------------------------------------------------------------------------------------ the stage */

bool rf_mongodb_source_match_add(const struct rf_mongodb_source *state, struct rf_buf *out,
                                 uint32_t number)
{
    if (state->collection.size > 0 || (!has_picks(state) && !leaves_out(state))) {
        return false;
    }
    size_t stage = rf_bson_open_item(out, number);
    size_t match = rf_bson_open(out, RF_BSON_DOCUMENT, "$match");
    size_t list = rf_bson_open(out, RF_BSON_ARRAY, "$or");
    add_side(state, out, 0, "ns");
    add_side(state, out, 1, "to");
    add_ends(out, 2);
    rf_bson_end(out, list);
    rf_bson_end(out, match);
    rf_bson_end(out, stage);
    return true;
}

uint32_t rf_mongodb_source_picks(const struct rf_mongodb_source *state)
{
    struct rf_buf text = {0};
    uint32_t hash = 2166136261U; /* FNV-1a */
    rf_buf_add_str(&text, rf_buf_str(&state->database));
    rf_buf_add_byte(&text, '\0');
    rf_buf_add_str(&text, rf_buf_str(&state->collection));
    rf_mongodb_source_match_add(state, &text, 1);
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619U;
    }
    rf_buf_deinit(&text);
    return hash != 0 ? hash : 1;
}
