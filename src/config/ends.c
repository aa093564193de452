#include "config/ends.h"

#include "base/memory.h"

#include <stdlib.h>

void rf_ends_reserve(struct rf_ends *ends, uint32_t sink_count)
{
    ends->sinks = rf_alloc_zero((size_t)sink_count + 1, sizeof *ends->sinks);
    ends->sink_specs = rf_alloc_zero((size_t)sink_count + 1, sizeof *ends->sink_specs);
    ends->sink_count = sink_count;
}

enum rf_status rf_ends_read(struct rf_ends *ends, const char *const *words, uint32_t word_count,
                            struct rf_settings beside, const char *format, struct rf_error *err)
{
    struct rf_settings none = {0};
    enum rf_status status =
        rf_endpoint_source(&ends->source, words[0], beside, &ends->source_spec, err);

    rf_ends_reserve(ends, word_count - 1);
    for (uint32_t i = 0; i < ends->sink_count && status == RF_OK; i++) {
        status = rf_endpoint_sink(&ends->sinks[i], words[i + 1], format, none, &ends->sink_specs[i],
                                  err);
    }
    return status;
}

bool rf_ends_find_double(const struct rf_ends *ends, uint32_t *sink, uint32_t *earlier)
{
    for (uint32_t i = 1; i < ends->sink_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(ends->sink_specs[i].name, ends->sink_specs[j].name) == 0) {
                *sink = i;
                *earlier = j;
                return true;
            }
        }
    }
    return false;
}

void rf_ends_deinit(struct rf_ends *ends)
{
    rf_endpoint_deinit(&ends->source);
    for (uint32_t i = 0; i < ends->sink_count; i++) {
        rf_endpoint_deinit(&ends->sinks[i]);
    }
    free(ends->sinks);
    free(ends->sink_specs);
    *ends = (struct rf_ends){0};
}
