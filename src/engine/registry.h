/* The registry: the plugins in this build, from the .def lists. Everything else meets a plugin
 * through its type. Used by config and cli; the pipeline itself is given types and never looks
 * here. Thread: any. */
#ifndef ROWFERRY_ENGINE_REGISTRY_H
#define ROWFERRY_ENGINE_REGISTRY_H

#include "engine/pipeline.h"

/* A name in a list. type is NULL when the build left the plugin out: then `missing` says for
 * want of what. */
struct rf_registry_source {
    const char *name;
    const struct rf_source_type *type;
    const char *missing;
};
struct rf_registry_sink {
    const char *name;
    const struct rf_sink_type *type;
    const char *missing;
};
struct rf_registry_format {
    const char *name;
    const struct rf_format_type *type;
    const char *missing;
};

struct rf_registry_transform {
    const char *name;
    const struct rf_transform_type *type;
    const char *missing;
};

/* In the order of the lists; ended by an entry whose name is NULL. */
const struct rf_registry_source *rf_registry_sources(void);
const struct rf_registry_sink *rf_registry_sinks(void);
const struct rf_registry_format *rf_registry_formats(void);
/* Their options stand beside those of each sink. */
const struct rf_registry_transform *rf_registry_transforms(void);

/* The plugin of that name. Returns RF_OK; RF_CONFIG: unknown, with the nearest name, or left out
 * of this build. */
RF_USE_RESULT enum rf_status rf_registry_find_source(const char *name,
                                                     const struct rf_source_type **out,
                                                     struct rf_error *err);
RF_USE_RESULT enum rf_status rf_registry_find_sink(const char *name,
                                                   const struct rf_sink_type **out,
                                                   struct rf_error *err);
RF_USE_RESULT enum rf_status rf_registry_find_format(const char *name,
                                                     const struct rf_format_type **out,
                                                     struct rf_error *err);

/* From a plugin's name and what was said about it to what the pipeline needs; everything is
 * checked that can be without contacting anybody. `address` is for people and never holds a
 * secret. Settings and strings are borrowed by the spec. Of a sink: `format` chooses the format,
 * whose own options stand beside the sink's; `name` keys the position, which is the address
 * without it; a transform is used when one of its options is set. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_registry_source_spec(const char *name, const char *address,
                                                     struct rf_settings settings,
                                                     struct rf_source_spec *out,
                                                     struct rf_error *err);
RF_USE_RESULT enum rf_status rf_registry_sink_spec(const char *name, const char *address,
                                                   struct rf_settings settings,
                                                   struct rf_sink_spec *out, struct rf_error *err);

#endif
