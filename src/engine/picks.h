/* Picks: one number for everything that decides which events a sink is given of one log.
 *
 * The same over restarts and for other spellings of the same thing's surroundings (host, user,
 * secrets, time-outs); another one when tables, columns, skips or a transform's options change.
 * Sinks keep it beside their position; see rf_stamp_next. Any thread. */
#ifndef ROWFERRY_ENGINE_PICKS_H
#define ROWFERRY_ENGINE_PICKS_H

#include "engine/pipeline.h"

/* Never 0. */
uint64_t rf_picks_of(const struct rf_source_spec *source, const struct rf_sink_spec *sink);

/* A well-mixed number of two texts; sums of such numbers know no order. */
uint64_t rf_picks_hash(struct rf_str name, struct rf_str value);

#endif
