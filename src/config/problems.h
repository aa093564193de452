/* Problems: everything that is wrong with a configuration file, said in one go.
 *
 * Used by the reader of the file and by the commands that print what it found. Each problem is one
 * line, "shop.yaml:7: unknown key "colums" in sinks[1]", and what to do about it. */
#ifndef ROWFERRY_CONFIG_PROBLEMS_H
#define ROWFERRY_CONFIG_PROBLEMS_H

#include <rowferry/error.h>

enum { RF_PROBLEMS_MAX = 20 };

struct rf_problem {
    uint32_t line; /* 0: of the file as a whole */
    struct rf_error err;
};

/* Zeroed but for the file's name it is empty and valid. Owns nothing. */
struct rf_problems {
    const char *file; /* as the operator named it; borrowed */
    struct rf_problem items[RF_PROBLEMS_MAX];
    uint32_t count;
    uint32_t left_out; /* those for which there was no room */
};

/* One more, with "FILE:LINE: " in front. The text never holds a secret. */
void rf_problem_add(struct rf_problems *problems, uint32_t line, const char *format, ...)
    RF_PRINTF(3, 4);
/* What to do about the one that was added last. */
void rf_problem_hint(struct rf_problems *problems, const char *format, ...) RF_PRINTF(2, 3);
/* One that another room found; a message that begins with "FILE:" already keeps its own line. */
void rf_problem_add_error(struct rf_problems *problems, uint32_t line, const struct rf_error *err);

/* In the order of the lines. */
void rf_problems_sort(struct rf_problems *problems);

#endif
