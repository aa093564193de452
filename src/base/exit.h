/* How our programs end. */
#ifndef ROWFERRY_BASE_EXIT_H
#define ROWFERRY_BASE_EXIT_H

/* Exit codes. Scripts and service managers rely on these: they only ever grow. */
enum rf_exit {
    RF_EXIT_DONE = 0,
    RF_EXIT_USAGE = 1,    /* the command line cannot be read */
    RF_EXIT_CONFIG = 2,   /* the operator must change something: address, access, server setting */
    RF_EXIT_LOSS = 3,     /* going on could lose or corrupt data */
    RF_EXIT_REJECTED = 4, /* a destination refused an event */
    RF_EXIT_UNREACHABLE = 5, /* no connection within the time limit at the first start */
    RF_EXIT_UNHEALTHY = 6,   /* `status --check`: something does not run, or is not at work */
    RF_EXIT_SIGNAL = 128,    /* plus the signal's number: stopped, after a clean flush */
};

#endif
