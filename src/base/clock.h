/* Clocks. Deadlines and intervals use the monotonic one; the wall clock only ever labels. Any
 * thread. */
#ifndef ROWFERRY_BASE_CLOCK_H
#define ROWFERRY_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock. */
int64_t rf_clock_ms(void);
/* Microseconds since 1970 UTC, by the wall clock. */
int64_t rf_clock_wall_us(void);

#endif
