/* A format for tests of sinks: "0-1-7 update d.t 1|a 2|NULL", independent of the real ones. */
#ifndef ROWFERRY_TEST_FORMAT_H
#define ROWFERRY_TEST_FORMAT_H

#include <rowferry/format.h>

/* Refuses rows in which a text is "refuse". */
extern struct rf_format rf_test_format;

#endif
