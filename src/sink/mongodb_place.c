/* The document of the position, in rowferry.positions:
 *
 *     _id        {pipeline, sink}
 *     position   the source's position behind the last flush
 *     updated    when that was
 *     epoch      of the start that holds it
 *     owner      drawn by whoever opened it last
 *
 * Each write of it asks for the owner: it does nothing once another start, or a later connection of
 * our own, has taken it. Before rows are written the owner is looked at, too. The document is
 * written with majority and journal, whatever the rows are. */
#include "base/clock.h"
#include "base/random.h"
#include "sink/mongodb_sink.h"
#include "sink/place.h"

enum { DUPLICATE_KEY = 11000 };

/* What was read. Empty texts: it is not there. */
struct place {
    bool found;
    struct rf_buf position, owner;
    uint64_t epoch;
};

static void add_id(struct rf_mongodb_sink *sink)
{
    size_t id = rf_bson_open(&sink->command, RF_BSON_DOCUMENT, "_id");
    rf_bson_add_utf8(&sink->command, "pipeline", rf_str_of(sink->pipeline));
    rf_bson_add_utf8(&sink->command, "sink", rf_str_of(sink->instance));
    rf_bson_end(&sink->command, id);
}

static void set_text(struct rf_buf *out, const bson_iter_t *iter)
{
    uint32_t size;
    if (BSON_ITER_HOLDS_UTF8(iter)) {
        const char *text = bson_iter_utf8(iter, &size);
        rf_buf_set(out, (struct rf_str){text, size});
    }
}

static enum rf_status read_place(struct rf_mongodb_sink *sink, struct place *place,
                                 struct rf_error *err)
{
    struct rf_mongodb_frame frame;
    bson_t reply;
    bson_iter_t document, field;
    bool damaged = false;
    rf_mongodb_find_begin(sink, RF_MONGODB_POSITIONS, &frame);
    add_id(sink);
    enum rf_status status =
        rf_mongodb_find_end(sink, &frame, RF_MONGODB_OWN, &reply, &document, &place->found, err);
    if (place->found && bson_iter_recurse(&document, &field)) {
        while (bson_iter_next(&field)) {
            if (strcmp(bson_iter_key(&field), "position") == 0) {
                set_text(&place->position, &field);
                damaged |= !BSON_ITER_HOLDS_UTF8(&field);
            } else if (strcmp(bson_iter_key(&field), "owner") == 0) {
                set_text(&place->owner, &field);
            } else if (strcmp(bson_iter_key(&field), "epoch") == 0) {
                damaged |= !BSON_ITER_HOLDS_NUMBER(&field);
                place->epoch = (uint64_t)bson_iter_as_int64(&field);
            }
        }
    }
    bson_destroy(&reply);
    if (damaged) {
        status = rf_fail(err, RF_FATAL, "the document of the position in %s is damaged",
                         sink->mongo.peer);
        rf_error_hint(err, "look at it in " RF_MONGODB_OWN "." RF_MONGODB_POSITIONS);
    }
    return status;
}

static enum rf_status draw_owner(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    unsigned char random[RF_MONGODB_OWNER_SIZE / 2];
    enum rf_status status = rf_random_hex(random, sizeof random, sink->owner, err);
    if (status == RF_OK) {
        memcpy(&sink->window.seed, random, sizeof sink->window.seed);
    }
    return status;
}

/* The filter: this document, with that text in a field; NULL: without such a field. */
static void ask_for(struct rf_buf *out, const char *name, const struct rf_buf *text)
{
    if (text->size > 0) {
        rf_bson_add_utf8(out, name, rf_buf_str(text));
    } else {
        size_t without = rf_bson_open(out, RF_BSON_DOCUMENT, name);
        rf_bson_add_bool(out, "$exists", false);
        rf_bson_end(out, without);
    }
}

/* Only what was read is taken: whoever changed it meanwhile is not overwritten. */
static enum rf_status take(struct rf_mongodb_sink *sink, const struct place *place,
                           struct rf_error *err)
{
    struct rf_buf *out = &sink->command;
    struct rf_mongodb_frame frame;
    bson_t reply;
    rf_mongodb_update_begin(sink, RF_MONGODB_POSITIONS, &frame);
    add_id(sink);
    ask_for(out, "owner", &place->owner);
    ask_for(out, "position", &place->position);
    rf_mongodb_update_with(sink, &frame);
    size_t set = rf_bson_open(out, RF_BSON_DOCUMENT, "$set");
    rf_bson_add_int64(out, "epoch", (int64_t)sink->epoch);
    rf_bson_add_utf8(out, "owner", rf_str_of(sink->owner));
    rf_bson_end(out, set);
    enum rf_status status = rf_mongodb_update_end(sink, &frame, true, &reply, err);
    bool taken = status == RF_OK && rf_mongodb_number(&reply, "n") == 1;
    if (rf_mongodb_has_error(&reply, DUPLICATE_KEY) || (status == RF_OK && !taken)) {
        status =
            rf_fail(err, RF_RETRY, "another process opened pipeline %s in %s in the same moment",
                    sink->name, sink->mongo.peer);
    }
    bson_destroy(&reply);
    return status;
}

enum rf_status rf_mongodb_place_take(struct rf_mongodb_sink *sink, const struct rf_context *ctx,
                                     struct rf_error *err)
{
    struct place place = {0};
    sink->epoch = ctx->epoch;
    enum rf_status status = read_place(sink, &place, err);
    if (status == RF_OK) {
        status = rf_place_check_epoch(ctx, place.epoch, sink->mongo.peer, "MongoDB", err);
    }
    if (status == RF_OK) {
        status = rf_place_check_position(ctx, rf_buf_str(&place.position), sink->mongo.peer, err);
    }
    if (status == RF_OK) {
        status = draw_owner(sink, err);
    }
    if (status == RF_OK) {
        status = take(sink, &place, err);
    }
    if (status == RF_OK && !ctx->ordered) {
        rf_buf_set(&sink->position, rf_buf_str(&place.position));
    }
    rf_buf_deinit(&place.position);
    rf_buf_deinit(&place.owner);
    return status;
}

/* The document is not as we left it. */
static enum rf_status replaced(const struct rf_mongodb_sink *sink, bool found, struct rf_error *err)
{
    if (found) {
        rf_fail(err, RF_FATAL, "another process has taken over this pipeline in %s",
                sink->mongo.peer);
        rf_error_hint(err, "give each pipeline a --name of its own");
    } else {
        rf_fail(err, RF_FATAL, "the position has vanished from %s: its data were lost, or removed",
                sink->mongo.peer);
        rf_error_hint(err, "docs/delivery.md says what to do about a destination that lost its "
                           "data");
    }
    return RF_FATAL;
}

enum rf_status rf_mongodb_place_check(struct rf_mongodb_sink *sink, struct rf_error *err)
{
    struct place place = {0};
    enum rf_status status = read_place(sink, &place, err);
    if (status == RF_OK && !rf_str_equal(rf_buf_str(&place.owner), rf_str_of(sink->owner))) {
        status = replaced(sink, place.found, err);
    }
    rf_buf_deinit(&place.position);
    rf_buf_deinit(&place.owner);
    return status;
}

enum rf_status rf_mongodb_place_write(struct rf_mongodb_sink *sink, struct rf_str position,
                                      struct rf_error *err)
{
    struct rf_buf *out = &sink->command;
    struct rf_mongodb_frame frame;
    bson_t reply;
    rf_mongodb_update_begin(sink, RF_MONGODB_POSITIONS, &frame);
    add_id(sink);
    rf_bson_add_utf8(out, "owner", rf_str_of(sink->owner));
    rf_mongodb_update_with(sink, &frame);
    size_t set = rf_bson_open(out, RF_BSON_DOCUMENT, "$set");
    rf_bson_add_utf8(out, "position", position);
    rf_bson_add_date(out, "updated", rf_clock_wall_us() / 1000);
    rf_bson_end(out, set);
    enum rf_status status = rf_mongodb_update_end(sink, &frame, false, &reply, err);
    bool written = status == RF_OK && rf_mongodb_number(&reply, "n") == 1;
    bson_destroy(&reply);
    if (status == RF_OK && !written) {
        status = rf_mongodb_place_check(sink, err);
        /* It is ours again by now, which it never was. */
        return status == RF_OK ? replaced(sink, true, err) : status;
    }
    return status;
}
