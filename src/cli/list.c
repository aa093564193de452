#include "cli/list.h"

#include "engine/registry.h"

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

void rf_list_add_source_schemes(struct rf_buf *out)
{
    for (const struct rf_registry_source *each = rf_registry_sources(); each->name; each++) {
        if (each->type != NULL) {
            rf_buf_printf(out, "%s:\n", each->name);
        }
    }
}

void rf_list_add_sink_schemes(struct rf_buf *out)
{
    for (const struct rf_registry_sink *each = rf_registry_sinks(); each->name; each++) {
        const struct rf_source_type *both = NULL; /* a source of that name is in the list already */
        bool listed = out->size > 0 && rf_registry_find_source(each->name, &both, NULL) == RF_OK;
        if (each->type != NULL && !listed) {
            rf_buf_printf(out, "%s:\n", each->name);
        }
    }
}
