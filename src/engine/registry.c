#include "engine/registry.h"

#include "base/nearest.h"

/* Declared from the lists, so that a plugin is one file and one line. */
#define RF_PLUGIN_MISSING(name, why)
#define RF_PLUGIN(name) extern const struct rf_source_type rf_source_##name;
#include "generated/sources.def"
#undef RF_PLUGIN
#define RF_PLUGIN(name) extern const struct rf_sink_type rf_sink_##name;
#include "generated/sinks.def"
#undef RF_PLUGIN
#define RF_PLUGIN(name) extern const struct rf_format_type rf_format_##name;
#include "generated/formats.def"
#undef RF_PLUGIN
#define RF_PLUGIN(name) extern const struct rf_transform_type rf_transform_##name;
#include "generated/transforms.def"
#undef RF_PLUGIN
#undef RF_PLUGIN_MISSING

#define RF_PLUGIN_MISSING(name, why) {#name, NULL, why},

static const struct rf_registry_source sources[] = {
#define RF_PLUGIN(name) {#name, &rf_source_##name, NULL},
#include "generated/sources.def"
#undef RF_PLUGIN
    {NULL, NULL, NULL},
};

static const struct rf_registry_sink sinks[] = {
#define RF_PLUGIN(name) {#name, &rf_sink_##name, NULL},
#include "generated/sinks.def"
#undef RF_PLUGIN
    {NULL, NULL, NULL},
};

static const struct rf_registry_format formats[] = {
#define RF_PLUGIN(name) {#name, &rf_format_##name, NULL},
#include "generated/formats.def"
#undef RF_PLUGIN
    {NULL, NULL, NULL},
};

static const struct rf_registry_transform transforms[] = {
#define RF_PLUGIN(name) {#name, &rf_transform_##name, NULL},
#include "generated/transforms.def"
#undef RF_PLUGIN
    {NULL, NULL, NULL},
};
_Static_assert(sizeof transforms / sizeof *transforms <= RF_TRANSFORMS_MAX + 1,
               "a sink may use all of them");

const struct rf_registry_source *rf_registry_sources(void)
{
    return sources;
}
const struct rf_registry_sink *rf_registry_sinks(void)
{
    return sinks;
}
const struct rf_registry_format *rf_registry_formats(void)
{
    return formats;
}
const struct rf_registry_transform *rf_registry_transforms(void)
{
    return transforms;
}

enum { NAMES_MAX = 64 };

static enum rf_status refuse_unknown(const char *kind, const char *name, const char *const *names,
                                     uint32_t count, struct rf_error *err)
{
    const char *nearest = rf_nearest(name, names, count);
    if (nearest != NULL) {
        rf_fail(err, RF_CONFIG, "unknown %s \"%s\"; did you mean \"%s\"?", kind, name, nearest);
    } else {
        rf_fail(err, RF_CONFIG, "unknown %s \"%s\"", kind, name);
    }
    rf_error_hint(err, "`rowferry %ss` lists what this build can do", kind);
    return RF_CONFIG;
}

static enum rf_status refuse_missing(const char *kind, const char *name, const char *why,
                                     struct rf_error *err)
{
    rf_fail(err, RF_CONFIG, "the %s \"%s\" was left out of this build, for want of %s", kind, name,
            why);
    rf_error_hint(err, "install the package that has it and build again");
    return RF_CONFIG;
}

enum rf_status rf_registry_find_source(const char *name, const struct rf_source_type **out,
                                       struct rf_error *err)
{
    const char *names[NAMES_MAX];
    uint32_t count = 0;
    for (const struct rf_registry_source *entry = sources; entry->name != NULL; entry++) {
        if (strcmp(entry->name, name) == 0) {
            *out = entry->type;
            return entry->type ? RF_OK : refuse_missing("source", name, entry->missing, err);
        }
        names[count++] = entry->name;
    }
    return refuse_unknown("source", name, names, count, err);
}

enum rf_status rf_registry_find_sink(const char *name, const struct rf_sink_type **out,
                                     struct rf_error *err)
{
    const char *names[NAMES_MAX];
    uint32_t count = 0;
    for (const struct rf_registry_sink *entry = sinks; entry->name != NULL; entry++) {
        if (strcmp(entry->name, name) == 0) {
            *out = entry->type;
            return entry->type ? RF_OK : refuse_missing("sink", name, entry->missing, err);
        }
        names[count++] = entry->name;
    }
    return refuse_unknown("sink", name, names, count, err);
}

enum rf_status rf_registry_find_format(const char *name, const struct rf_format_type **out,
                                       struct rf_error *err)
{
    const char *names[NAMES_MAX];
    uint32_t count = 0;
    for (const struct rf_registry_format *entry = formats; entry->name != NULL; entry++) {
        if (strcmp(entry->name, name) == 0) {
            *out = entry->type;
            return entry->type ? RF_OK : refuse_missing("format", name, entry->missing, err);
        }
        names[count++] = entry->name;
    }
    return refuse_unknown("format", name, names, count, err);
}
_Static_assert(sizeof sources / sizeof *sources < NAMES_MAX &&
                   sizeof sinks / sizeof *sinks < NAMES_MAX &&
                   sizeof formats / sizeof *formats < NAMES_MAX,
               "the lists of names above are long enough");

enum rf_status rf_registry_source_spec(const char *name, const char *address,
                                       struct rf_settings settings, struct rf_source_spec *out,
                                       struct rf_error *err)
{
    const struct rf_source_type *type = NULL;
    enum rf_status status = rf_registry_find_source(name, &type, err);
    if (status != RF_OK) {
        return status;
    }
    struct rf_option_set set = {type->name, type->options};
    *out = (struct rf_source_spec){.type = type, .address = address, .settings = settings};
    return rf_options_check(&set, 1, settings, err);
}

/* The setting's text, or NULL. Options of all sinks are found before the format is known, whose
 * own stand beside them. */
static const char *said(struct rf_settings settings, const char *name)
{
    for (uint32_t i = 0; i < settings.count; i++) {
        if (strcmp(settings.items[i].name, name) == 0) {
            return settings.items[i].value;
        }
    }
    return NULL;
}

static enum rf_status find_formats(const struct rf_sink_type *type, struct rf_settings settings,
                                   struct rf_sink_spec *out, struct rf_error *err)
{
    const char *name = said(settings, "format");
    enum rf_status status = RF_OK;
    if (type->default_format == NULL && name != NULL) {
        rf_fail(err, RF_CONFIG, "the sink \"%s\" takes no format", type->name);
        rf_error_hint(err, "leave out format=%s", name);
        return RF_CONFIG;
    }
    if (type->default_format != NULL) {
        status = rf_registry_find_format(name ? name : type->default_format, &out->format, err);
    }
    if (status == RF_OK && out->dead_letters != NULL) {
        status = rf_registry_find_format("json", &out->letters_format, err);
    }
    return status;
}

/* Whether a transform is used, only its own options say; so those of all are known names, but
 * nothing is required of one that is not used. */
static enum rf_status check_sink(const struct rf_option_set *own, uint32_t own_count,
                                 struct rf_settings settings, struct rf_sink_spec *out,
                                 struct rf_error *err)
{
    enum { OWN_MAX = 3 };
    struct rf_option_set known[OWN_MAX + RF_TRANSFORMS_MAX], used[OWN_MAX + RF_TRANSFORMS_MAX];
    uint32_t known_count = own_count, used_count = own_count;
    rf_assert(own_count <= OWN_MAX);
    memcpy(known, own, own_count * sizeof *own);
    memcpy(used, own, own_count * sizeof *own);
    const struct rf_registry_transform *missing = NULL;
    for (const struct rf_registry_transform *each = transforms; each->name != NULL; each++) {
        if (each->type == NULL) {
            missing = each; /* a setting that nobody knows may be one of its options */
            continue;
        }
        struct rf_option_set set = {each->type->name, each->type->options};
        known[known_count++] = set;
        if (rf_options_touched(each->type->options, settings)) {
            used[used_count++] = set;
            out->transforms[out->transform_count++] = each->type;
        }
    }
    enum rf_status status = rf_options_check_names(known, known_count, settings, err);
    if (status != RF_OK && missing != NULL) {
        rf_error_hint(err,
                      "`rowferry options %s` lists what can be set; the transform \"%s\" was left "
                      "out of this build, for want of %s",
                      own[0].owner, missing->name, missing->missing);
    }
    return status == RF_OK ? rf_options_check(used, used_count, settings, err) : status;
}

enum rf_status rf_registry_sink_spec(const char *name, const char *address,
                                     struct rf_settings settings, struct rf_sink_spec *out,
                                     struct rf_error *err)
{
    const struct rf_sink_type *type = NULL;
    enum rf_status status = rf_registry_find_sink(name, &type, err);
    if (status != RF_OK) {
        return status;
    }
    const char *own_name = said(settings, "name");
    *out = (struct rf_sink_spec){
        .type = type,
        .dead_letters = said(settings, "dead_letters"),
        .name = own_name ? own_name : address,
        .address = address,
        .settings = settings,
    };
    status = find_formats(type, settings, out, err);
    if (status != RF_OK) {
        return status;
    }
    const struct rf_option_set own[] = {
        {type->name, type->options},
        {type->name, rf_sink_common_options},
        {out->format ? out->format->name : NULL, out->format ? out->format->options : NULL},
    };
    return check_sink(own, out->format && out->format->options ? 3 : 2, settings, out, err);
}
