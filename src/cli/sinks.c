/* rowferry sinks */
#include "cli/command.h"
#include "cli/list.h"
#include "engine/registry.h"

static int run(void *state, const char *const *words, uint32_t word_count)
{
    struct rf_buf out = {0};

    (void)state;
    (void)words;
    (void)word_count;
    for (const struct rf_registry_sink *each = rf_registry_sinks(); each->name; each++) {
        rf_list_add(&out, each->name, each->type ? each->type->summary : NULL, each->missing,
                    each->type ? each->type->example : NULL);
    }
    int code = rf_command_print(&out);
    rf_buf_deinit(&out);
    return code;
}

const struct rf_command rf_command_sinks = {
    .name = "sinks",
    .usage = "",
    .summary = "list what changes can be carried to",
    .help = "Each with an address to copy; 'rowferry options NAME' says what can be set.\n",
    .options = rf_list_options,
    .run = run,
};
