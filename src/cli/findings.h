/* Findings, as `rowferry doctor` shows them: to people, and as JSON. */
#ifndef ROWFERRY_CLI_FINDINGS_H
#define ROWFERRY_CLI_FINDINGS_H

#include <rowferry/finding.h>

/* One end of a pipeline and what was found out about it. */
struct rf_examined {
    bool is_source;
    const char *address; /* for people, never a secret */
    struct rf_findings findings;
    enum rf_status status; /* RF_OK: it was looked at to the end */
    struct rf_error err;   /* else why it was not */
};

/* Appends lines no longer than `columns` where that is possible; colours: with those of a
 * terminal. */
void rf_findings_print(struct rf_buf *out, const struct rf_examined *examined, uint32_t columns,
                       bool colours);
/* "1 thing must change, 2 pieces of advice", and the like. Appends a line. */
void rf_findings_sum(struct rf_buf *out, const struct rf_examined *examined, uint32_t count);
/* Appends an object with everything, and a newline. */
void rf_findings_json(struct rf_buf *out, const struct rf_examined *examined, uint32_t count);

#endif
