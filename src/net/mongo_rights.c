#include "net/mongo_rights.h"

static bool is_text(const bson_iter_t *document, const char *field, const char *text, bool *there)
{
    bson_iter_t iter;
    *there = bson_iter_recurse(document, &iter) && bson_iter_find(&iter, field);
    return *there && BSON_ITER_HOLDS_UTF8(&iter) && strcmp(bson_iter_utf8(&iter, NULL), text) == 0;
}

/* {db, collection}, each empty for any, or {anyResource: true}. */
static bool covers(const bson_iter_t *resource, const char *database, const char *collection)
{
    bson_iter_t iter;
    bool names_database, names_collection;
    bool fits_database = is_text(resource, "db", database, &names_database) ||
                         is_text(resource, "db", "", &names_database);
    bool fits_collection = is_text(resource, "collection", collection, &names_collection) ||
                           is_text(resource, "collection", "", &names_collection);
    if (names_database && names_collection) {
        return fits_database && fits_collection;
    }
    return bson_iter_recurse(resource, &iter) && bson_iter_find(&iter, "anyResource") &&
           bson_iter_as_bool(&iter);
}

static unsigned actions_of(const bson_iter_t *list, const char *const *actions, uint32_t count)
{
    bson_iter_t iter;
    unsigned bits = 0;
    bool within = bson_iter_recurse(list, &iter);
    while (within && bson_iter_next(&iter)) {
        for (uint32_t i = 0; i < count && BSON_ITER_HOLDS_UTF8(&iter); i++) {
            bits |= strcmp(bson_iter_utf8(&iter, NULL), actions[i]) == 0 ? 1u << i : 0;
        }
    }
    return bits;
}

unsigned rf_mongo_granted(const bson_iter_t *privileges, const char *database,
                          const char *collection, const char *const *actions, uint32_t count)
{
    bson_iter_t privilege, resource, list;
    unsigned bits = 0;
    bool within = bson_iter_recurse(privileges, &privilege);
    while (within && bson_iter_next(&privilege)) {
        if (bson_iter_recurse(&privilege, &resource) && bson_iter_find(&resource, "resource") &&
            covers(&resource, database, collection) && bson_iter_recurse(&privilege, &list) &&
            bson_iter_find(&list, "actions")) {
            bits |= actions_of(&list, actions, count);
        }
    }
    return bits;
}
