#include "event/pattern.h"

#include "event/name.h"

enum rf_status rf_pattern_read(struct rf_str text, struct rf_arena *arena, struct rf_pattern *out,
                               struct rf_error *err)
{
    struct rf_str name = rf_str_trim(text);
    bool leaves_out = rf_str_starts(name, RF_STR("-"));
    if (leaves_out) {
        name = (struct rf_str){name.data + 1, name.size - 1};
    }
    const char *dot = name.size > 0 ? memchr(name.data, '.', name.size) : NULL;
    size_t database = dot ? (size_t)(dot - name.data) : name.size;
    if (database == 0 || database + 1 == name.size) {
        rf_fail(err, RF_CONFIG, "not a pattern for tables: \"%.*s\"", RF_STR_ARG(text));
        rf_error_hint(err, "database.table, with * for any characters; database alone for all its "
                           "tables; a leading - leaves tables out");
        return RF_CONFIG;
    }
    size_t size = name.size + (dot ? 0 : 2);
    char *full = rf_arena_alloc(arena, size);
    memcpy(full, name.data, name.size);
    if (dot == NULL) {
        memcpy(full + name.size, ".*", 2);
    }
    *out = (struct rf_pattern){
        .full = {full, size},
        .database = {full, database},
        .leaves_out = leaves_out,
    };
    return RF_OK;
}

struct rf_pattern rf_pattern_fold(struct rf_pattern pattern, struct rf_arena *arena)
{
    char *full = rf_arena_alloc(arena, pattern.full.size);
    rf_name_fold(full, pattern.full);
    pattern.full.data = pattern.database.data = full;
    return pattern;
}

bool rf_pattern_picks_table(const struct rf_pattern *patterns, uint32_t count,
                            struct rf_str full_name)
{
    bool picked = false, asks = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct rf_pattern *pattern = &patterns[i];
        asks |= !pattern->leaves_out;
        if (rf_str_match(pattern->full, full_name)) {
            if (pattern->leaves_out) {
                return false;
            }
            picked = true;
        }
    }
    return picked || !asks;
}

bool rf_pattern_picks_database(const struct rf_pattern *patterns, uint32_t count,
                               struct rf_str database)
{
    bool picked = false, asks = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct rf_pattern *pattern = &patterns[i];
        asks |= !pattern->leaves_out;
        if (!rf_str_match(pattern->database, database)) {
            continue;
        }
        struct rf_str rest = {pattern->full.data + pattern->database.size,
                              pattern->full.size - pattern->database.size};
        if (!pattern->leaves_out) {
            picked = true;
        } else if (rf_str_equal(rest, RF_STR(".*"))) {
            return false;
        }
    }
    return picked || !asks;
}
