/* What the scheduler reads back of all stores: into the trails, from which it is told how far each
 * copy is behind, and into the screen, which shows it.
 *
 * A store that is away is known to the stores themselves; one that is there but refuses to be read
 * is kept here. Rows are counted as often as that is cheap: a store is asked again when ten times
 * as long has passed as the last answer took, so that counting never becomes its main work.
 *
 * Zeroed, with the pointers set, is valid. One thread. */
#ifndef ROWFERRY_PROGRAMS_READINGS_H
#define ROWFERRY_PROGRAMS_READINGS_H

#include "programs/screen.h"
#include "programs/stores.h"

struct rf_readings {
    struct rf_stores *stores;
    struct rf_trail *trail, *notes_trail;
    struct rf_screen *screen;
    /* the rest is private */
    char unread[RF_STORES][160]; /* why a store could not be read last time; empty: it could */
    struct {
        int64_t at_ms, took_ms;
    } counts[RF_STORES]; /* the last one of each store, of the monotonic clock */
};

/* Looks at MySQL's last rows: what others wrote is then known to be older than what is written
 * next. Failures are kept, and shown. */
void rf_readings_source(struct rf_readings *readings);

/* Looks at all stores. Returns whether all of them could be read, and have all rows that are
 * known; then their rows are counted afresh as well. `with_notes`: the copies of notes, too. */
bool rf_readings_take(struct rf_readings *readings, bool with_notes);

/* Sets what the screen says of each store: away, not to be read, or neither. */
void rf_readings_show(const struct rf_readings *readings);

#endif
