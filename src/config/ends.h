/* The ends of a pipeline: its source and its sinks, ready for the engine.
 *
 * Used by the commands that start a pipeline; filled from the words of a command line here, or from
 * a configuration file by config/file. */
#ifndef ROWFERRY_CONFIG_ENDS_H
#define ROWFERRY_CONFIG_ENDS_H

#include "config/endpoint.h"

enum { RF_ENDS_SINKS_MAX = 64 };

/* Zeroed is empty and valid. The specs borrow from the endpoints. */
struct rf_ends {
    struct rf_endpoint source;
    struct rf_source_spec source_spec;
    struct rf_endpoint *sinks;
    struct rf_sink_spec *sink_specs;
    uint32_t sink_count;
};

/* The first word is the source, the others, at most RF_ENDS_SINKS_MAX, are sinks. beside: what was
 * said of the source beside its address. format: of sinks that take one and name none; NULL: their
 * own choice. Returns RF_OK or RF_CONFIG. */
RF_USE_RESULT enum rf_status rf_ends_read(struct rf_ends *ends, const char *const *words,
                                          uint32_t word_count, struct rf_settings beside,
                                          const char *format, struct rf_error *err);

/* Makes room for so many sinks, all of them empty. */
void rf_ends_reserve(struct rf_ends *ends, uint32_t sink_count);

/* The first sink whose position has the same name as an earlier one's, and that one; false: every
 * name is there once. */
bool rf_ends_find_double(const struct rf_ends *ends, uint32_t *sink, uint32_t *earlier);

void rf_ends_deinit(struct rf_ends *ends);

#endif
