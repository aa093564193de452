#include "container/notes.h"

static const char database[] = "pluto", collection[] = "notes";

enum { WIRE_PRE_IMAGES = 17 /* MongoDB 6.0 */, EXISTS_ALREADY = 48 };

static bool has_pre_images(const struct rf_mongo *mongo)
{
    return mongo->max_wire >= WIRE_PRE_IMAGES;
}

/* A command about the collection, with them turned on. */
static enum rf_status run_with_images(struct rf_mongo *mongo, const char *name,
                                      struct rf_error *err)
{
    bson_t *command = BCON_NEW(name, BCON_UTF8(collection)), images, reply;

    if (has_pre_images(mongo)) {
        BSON_APPEND_DOCUMENT_BEGIN(command, "changeStreamPreAndPostImages", &images);
        BSON_APPEND_BOOL(&images, "enabled", true);
        bson_append_document_end(command, &images);
    }
    enum rf_status status = rf_mongo_run(mongo, database, command, &reply, err);
    bson_destroy(&reply);
    bson_destroy(command);
    return status;
}

/* Whether they are on. */
static enum rf_status look_at_images(struct rf_mongo *mongo, bool *on, struct rf_error *err)
{
    bson_t *command = BCON_NEW("listCollections", BCON_INT32(1), "filter", "{", "name",
                               BCON_UTF8(collection), "}");
    bson_t reply;
    bson_iter_t at, enabled;
    enum rf_status status = rf_mongo_run(mongo, database, command, &reply, err);

    *on = status == RF_OK && bson_iter_init(&at, &reply) &&
          bson_iter_find_descendant(
              &at, "cursor.firstBatch.0.options.changeStreamPreAndPostImages.enabled", &enabled) &&
          bson_iter_as_bool(&enabled);
    bson_destroy(&reply);
    bson_destroy(command);
    return status;
}

enum rf_status rf_container_notes(struct rf_mongo *mongo, bool *made, struct rf_error *err)
{
    struct rf_error failure = {0};
    bool on = !has_pre_images(mongo);
    enum rf_status status = run_with_images(mongo, "create", &failure);

    *made = status == RF_OK;
    if (*made) {
        return RF_OK;
    }
    if (failure.code != EXISTS_ALREADY) {
        *err = failure;
        return status;
    }
    status = RF_OK;
    if (!on) {
        status = look_at_images(mongo, &on, err);
    }
    if (status == RF_OK && !on) {
        status = run_with_images(mongo, "collMod", err);
        if (status != RF_OK) {
            rf_error_hint(err, "'container create mongo' turns the pre-images of pluto.notes on");
        }
    }
    return status;
}
