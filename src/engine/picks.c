#include "engine/picks.h"

/* FNV-1a, with a last step that spreads each bit over all. */
static uint64_t add(uint64_t hash, struct rf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    }
    return (hash ^ 0xFF) * UINT64_C(1099511628211); /* no byte of a text in UTF-8: its end */
}

uint64_t rf_picks_hash(struct rf_str name, struct rf_str value)
{
    uint64_t hash = add(add(UINT64_C(14695981039346656037), name), value);
    hash = (hash ^ hash >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    hash = (hash ^ hash >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

static bool is_none(const char *name)
{
    (void)name;
    return false;
}

/* What says where the log is and how it is fetched, not what is taken of it. A name that is not
 * here counts: a number that changes without need costs a gap in the stamps, one that stays the
 * same although other events come would give two events one stamp. */
static bool is_of_server(const char *name)
{
    static const char *const names[] = {
        "host", "port", "user", "socket", "server_id", "heartbeat", "follow",
    };
    static const char *const prefixes[] = {"tls", "ssl"};
    static const char *const suffixes[] = {"_timeout", "_bytes"};
    struct rf_str text = rf_str_of(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (rf_str_starts(text, rf_str_of(prefixes[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        struct rf_str suffix = rf_str_of(suffixes[i]);
        if (text.size > suffix.size && strcmp(name + text.size - suffix.size, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A server's path says which tables; a file's, where the log is. */
static bool is_of_file(const char *name)
{
    return is_of_server(name) || strcmp(name, "path") == 0;
}

/* Over the settings that this table knows, whatever their order. Secrets never go in, not even
 * hashed: the number is kept where others may read it. */
static uint64_t sum_of(const char *owner, const struct rf_option *options,
                       struct rf_settings settings, bool (*is_left_out)(const char *name))
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < settings.count; i++) {
        struct rf_str name = rf_str_of(settings.items[i].name);
        const struct rf_option *option = rf_options_find(options, settings.items[i].name);
        if (option != NULL && option->kind != RF_OPTION_SECRET && !is_left_out(name.data)) {
            sum += rf_picks_hash(rf_str_of(owner), name) ^
                   rf_picks_hash(name, rf_str_of(settings.items[i].value));
        }
    }
    return sum;
}

uint64_t rf_picks_of(const struct rf_source_spec *source, const struct rf_sink_spec *sink)
{
    const struct rf_source_type *from = source->type;
    bool is_server = rf_options_find(from->options, "host") != NULL;
    uint64_t sum =
        sum_of(from->name, from->options, source->settings, is_server ? is_of_server : is_of_file);
    for (uint32_t i = 0; i < sink->transform_count; i++) {
        const struct rf_transform_type *type = sink->transforms[i];
        sum += sum_of(type->name, type->options, sink->settings, is_none);
    }
    return sum != 0 ? sum : 1;
}
