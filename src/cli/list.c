#include "cli/list.h"

const struct rf_option rf_list_options[] = {RF_OPTION_END};

void rf_list_add(struct rf_buf *out, const char *name, const char *summary, const char *missing,
                 const char *example)
{
    if (summary == NULL) {
        rf_buf_printf(out, "%-10s not in this build, which was made without %s\n", name, missing);
        return;
    }
    rf_buf_printf(out, "%-10s %s\n", name, summary);
    if (example != NULL) {
        rf_buf_printf(out, "%-10s for example: %s\n", "", example);
    }
}
