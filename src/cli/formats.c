/* rowferry formats */
#include "cli/command.h"
#include "cli/list.h"
#include "engine/registry.h"

static int run(void *state, const char *const *words, uint32_t word_count)
{
    struct rf_buf out = {0};

    (void)state;
    (void)words;
    (void)word_count;
    for (const struct rf_registry_format *each = rf_registry_formats(); each->name; each++) {
        rf_list_add(&out, each->name, each->type ? each->type->summary : NULL, each->missing, NULL);
    }
    int code = rf_command_print(&out);
    rf_buf_deinit(&out);
    return code;
}

const struct rf_command rf_command_formats = {
    .name = "formats",
    .usage = "",
    .summary = "list what events can be written as",
    .help = "Chosen by format=NAME in the address of a sink, or by --format of tail.\n",
    .options = rf_list_options,
    .run = run,
};
